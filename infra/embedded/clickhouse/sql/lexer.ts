/**
 * ClickHouse's tokens, as far as a door must see them: where strings, quoted names and comments begin and end, so that a
 * semicolon or a word inside them is not taken for SQL. Source of the rules: src/Parsers/Lexer.cpp of ClickHouse.
 */
export type TokenKind = 'word' | 'name' | 'string' | 'number' | 'sign';

export interface Token {
  kind: TokenKind;
  /** Upper case for words, without quotes and escapes for quoted names, otherwise as written. */
  text: string;
  /** A quoted name with a backslash in it: what ClickHouse makes of it is not worked out here. */
  escaped?: boolean;
  start: number;
  end: number;
}

const SPACE = /[\s\u0085\u180e\u200b-\u200d\u2060\ufeff]+/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const NUMBER = /(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?)[\p{L}\p{N}_$]*/uy;
const LINE_COMMENT = /(?:--|\/\/|#[ !])[^\n]*/y;
const HEREDOC = /\$[\p{L}\p{N}_]*\$/uy;
const QUOTES: Record<string, { close: string; kind: 'string' | 'name'; escapes: boolean }> = {
  "'": { close: "'", kind: 'string', escapes: true },
  '"': { close: '"', kind: 'name', escapes: true },
  '`': { close: '`', kind: 'name', escapes: true },
  '\u2018': { close: '\u2019', kind: 'string', escapes: false },
  '\u201c': { close: '\u201d', kind: 'name', escapes: false },
};

/** The tokens of a text, one by one; white space and comments are left out. What is not closed ends with the text. */
export function* tokens(sql: string): Generator<Token, void> {
  let at = 0;
  const match = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.test(sql) ? pattern.lastIndex : 0;
  };
  while (at < sql.length) {
    const skipped = match(SPACE) || match(LINE_COMMENT) || endOfBlockComment(sql, at);
    if (skipped) {
      at = skipped;
      continue;
    }
    const start = at;
    const quote = QUOTES[sql[at]!];
    const heredoc = match(HEREDOC);
    const heredocEnd = heredoc ? sql.indexOf(sql.slice(at, heredoc), heredoc) : -1;
    let end: number;
    if (quote) {
      end = endOfQuoted(sql, at, quote);
      const inside = quote.kind === 'name' ? sql.slice(start + 1, end - 1) : '';
      yield { kind: quote.kind, text: unquoted(inside), escaped: inside.includes('\\'), start, end };
    } else if (heredocEnd >= 0) {
      end = heredocEnd + (heredoc - at);
      yield { kind: 'string', text: '', start, end };
    } else if ((end = match(WORD))) {
      yield { kind: 'word', text: sql.slice(start, end).toUpperCase(), start, end };
    } else if ((end = match(NUMBER))) {
      yield { kind: 'number', text: sql.slice(start, end), start, end };
    } else {
      end = at + 1;
      yield { kind: 'sign', text: sql[at]!, start, end };
    }
    at = end;
  }
}

function endOfQuoted(sql: string, start: number, { close, escapes }: { close: string; escapes: boolean }): number {
  for (let at = start + 1; at < sql.length; at++) {
    if (escapes && sql[at] === '\\') at++;
    else if (sql[at] === close) {
      if (!escapes || sql[at + 1] !== close) return at + 1;
      at++; // doubled: the quote itself
    }
  }
  return sql.length;
}

/** Block comments nest. 0 when none begins here. */
function endOfBlockComment(sql: string, start: number): number {
  if (!sql.startsWith('/*', start)) return 0;
  let depth = 0;
  for (let at = start; at < sql.length; at++) {
    if (sql.startsWith('/*', at)) depth++;
    else if (sql.startsWith('*/', at) && --depth === 0) return at + 2;
    else continue;
    at++;
  }
  return sql.length;
}

function unquoted(name: string): string {
  return name.replace(/\\(.)|(["`])\2/gs, (_, escaped: string | undefined, doubled: string) => escaped ?? doubled);
}

/** A string literal with this value. */
export function literal(value: string): string {
  return `'${value.replace(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

/** A quoted name. */
export function quotedName(name: string): string {
  return `\`${name.replace(/[`\\]/g, '\\$&')}\``;
}
