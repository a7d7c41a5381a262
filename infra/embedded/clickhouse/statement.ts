import { ClickHouseException } from './exception';

/** One statement as it came over HTTP, taken apart as far as the door must know it. */
export interface Statement {
  /** Without a closing semicolon and, for an INSERT with data, without FORMAT and SETTINGS. */
  readonly text: string;
  /** `rows`: the answer is a result. `insert`: data in `format` follows. `command`: neither. */
  readonly kind: 'rows' | 'insert' | 'command';
  /** The FORMAT that the statement names. */
  readonly format: string | undefined;
  /** The SETTINGS of an INSERT with data, as text. */
  readonly settings: string | undefined;
  /** Where the data begins in the text that was given, for an INSERT; its length otherwise. */
  readonly dataAt: number;
}

const ROWS = /^\(*\s*(select|with|show|desc|describe|exists|explain|check|values|from)\b/i;
const INSERT = /^insert\b/i;
const INSERT_SETTINGS = /\bsettings\s+((?:\w+\s*=\s*(?:'(?:[^'\\]|\\.)*'|[\w.+-]+)\s*,?\s*)+)$/i;
/** Alternation of everything inside which a semicolon or a keyword means nothing. */
const OPAQUE =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|;/g;

/**
 * Takes one statement apart. @throws ClickHouseException when there is none or more than one: HTTP takes one at a time.
 */
export function parseStatement(given: string): Statement {
  const code = blankOut(given);
  const start = code.search(/\S/);
  if (start < 0 || code.trim() === ';') throw new ClickHouseException(62, 'SYNTAX_ERROR', 'Empty query.');
  if (INSERT.test(code.slice(start))) {
    const insert = parseInsert(given, code);
    if (insert) return insert;
  }
  const end = code.indexOf(';');
  if (
    end >= 0 &&
    code
      .slice(end + 1)
      .replaceAll(';', '')
      .trim() !== ''
  ) {
    throw new ClickHouseException(62, 'SYNTAX_ERROR', 'Multi-statements are not allowed.');
  }
  const text = (end < 0 ? given : given.slice(0, end)).trim();
  const visible = (end < 0 ? code : code.slice(0, end)).trim();
  const format = /\bformat\s+([a-z]\w*)(?:\s+settings\b[\s\S]*)?$/i.exec(visible)?.[1];
  return { text, kind: ROWS.test(visible) ? 'rows' : 'command', format, settings: undefined, dataAt: given.length };
}

/** An INSERT whose data follows its FORMAT; undefined for INSERT ... SELECT and for inline VALUES. */
function parseInsert(given: string, code: string): Statement | undefined {
  const found = /\bformat\s+([a-z]\w*)[ \t]*(;|\r?\n|\s|$)/i.exec(code);
  if (!found) return undefined;
  const head = code.slice(0, found.index);
  if (/\b(select|values|with)\b/i.test(head.replace(/\([^()]*\)/g, ''))) return undefined;
  const formatEnd = found.index + found[0].length;
  const settings = INSERT_SETTINGS.exec(code.slice(0, found.index).trimEnd());
  const headEnd = settings ? settings.index : found.index;
  return {
    text: given.slice(0, headEnd).trim(),
    kind: 'insert',
    format: found[1],
    settings: settings
      ? given
          .slice(settings.index, found.index)
          .replace(/^settings\s+/i, '')
          .trim()
      : undefined,
    dataAt: formatEnd,
  };
}

/** The text with strings, quoted names and comments blanked out, in the same length. */
function blankOut(text: string): string {
  return text.replace(OPAQUE, (found) => (found === ';' ? ';' : ' '.repeat(found.length)));
}
