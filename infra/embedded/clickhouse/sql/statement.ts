import { ClickHouseException } from '../errors';
import { type Token, tokens } from './lexer';

/** Statements whose rows may be many and are therefore written to a pipe. */
const SELECTS = new Set(['SELECT', 'WITH', '(', 'FROM']);
/** Statements that read and change nothing (cf. `readonly`). */
const READS = new Set([...SELECTS, 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN']);
const SET_OPERATORS = new Set(['UNION', 'ALL', 'DISTINCT', 'EXCEPT', 'INTERSECT']);
/** A word after one of these is a name or an alias, even if it reads FORMAT. */
const NAME_FOLLOWS = new Set([
  ...['SELECT', 'DISTINCT', 'AS', 'BY', 'WHERE', 'AND', 'OR', 'NOT', 'ON', 'IN', 'HAVING', 'FROM', 'JOIN', 'USING'],
  ...[',', '.', '(', '+', '-', '/', '%', '=', '<', '>', '|', ':', '[', '{'],
]);

/** One statement, taken apart as far as the door needs it. */
export interface Statement {
  /** The first word in upper case, or the first sign. */
  verb: string;
  reads: boolean;
  /** Rows may be many: to be written to a pipe. */
  streams: boolean;
  /** The statement up to its FORMAT clause, without a closing semicolon; of an INSERT the part before its data. */
  sql: string;
  /** As its FORMAT clause says; `Values` for INSERT ... VALUES. */
  format?: string | undefined;
  /** The SETTINGS clause beside FORMAT (in an INSERT with data before, otherwise after it), with its word; may be empty. */
  settings: string;
  /** Of an INSERT with data: where in the text the data begins. */
  dataAt?: number;
  /** Of an INSERT ... SELECT that reads its data through `input(...)`: that call. */
  input?: { start: number; end: number; structure: string } | undefined;
  tokens: Token[];
}

/**
 * Takes a text apart. Of an INSERT with data only the part before the data is looked at.
 * @throws ClickHouseException when it is empty, several statements, or writes to a file of the server
 */
export function parseStatement(text: string): Statement {
  const all: Token[] = [];
  let end = text.length;
  let insert: InsertScan | undefined;
  for (const token of tokens(text)) {
    if (end < text.length) {
      if (token.text === ';') continue;
      throw ClickHouseException.of(
        'SYNTAX_ERROR',
        `Syntax error (Multi-statements are not allowed): failed at position ${end + 1} (end of query)`,
      );
    }
    if (token.kind === 'sign' && token.text === ';') {
      end = token.start;
      continue;
    }
    all.push(token);
    if (all.length === 1 && is(token, 'INSERT')) insert = new InsertScan();
    const clause = insert?.next(token);
    if (clause) return insertWithData(text, all, clause);
    if (token.text === '\\')
      throw ClickHouseException.of('SYNTAX_ERROR', `Syntax error: failed at position ${token.start + 1} (\\)`);
  }
  const [first] = all;
  if (!first)
    throw ClickHouseException.of('SYNTAX_ERROR', 'Syntax error: failed at position 1 (end of query): Empty query');
  refuseFiles(all);
  const verb = first.text;
  const clause = trailingFormat(text, all);
  const sqlEnd = clause ? clause.start : end;
  const streams = SELECTS.has(verb) && !all.some((token, at) => is(token, 'INSERT') && is(all[at + 1], 'INTO'));
  const settingsAt = (streams && settingsOfGroup(all, sqlEnd)) || sqlEnd;
  const settingsAfter = clause?.settingsAt === undefined ? '' : text.slice(clause.settingsAt, end);
  return {
    verb,
    reads: streams || (READS.has(verb) && !SELECTS.has(verb)),
    streams,
    sql: text.slice(0, settingsAt).trimEnd(),
    format: clause?.format,
    settings: settingsAfter || text.slice(settingsAt, sqlEnd),
    tokens: all,
  };
}

/**
 * The SETTINGS after a SELECT in brackets are of the whole statement and stand after its output; those after any other SELECT
 * are a part of that.
 */
function settingsOfGroup(all: Token[], end: number): number | undefined {
  const top = topLevel(all).filter(({ start }) => start < end);
  const at = top.findLastIndex((token) => is(token, 'SETTINGS'));
  const [close, open, before] = [top[at - 1], top[at - 2], top[at - 3]];
  if (at < 0 || close?.text !== ')' || open?.text !== '(') return undefined;
  return before === undefined || SET_OPERATORS.has(before.text) ? top[at]!.start : undefined;
}

export const is = (token: Token | undefined, word: string): boolean => token?.kind === 'word' && token.text === word;

/** Follows the tokens of an INSERT to where its data begins: after VALUES, or after FORMAT and its name. */
class InsertScan {
  private depth = 0;
  private state: 'target' | 'clauses' | 'format' = 'target';
  private selects = false;
  private readsInput = false;
  private previous: Token | undefined;

  /** @returns the clause that data follows, once its last token is seen */
  next(token: Token): 'VALUES' | 'FORMAT' | undefined {
    const previous = this.previous;
    this.previous = token;
    if (this.state === 'format') return 'FORMAT';
    if (token.kind === 'sign') {
      if ('([{'.includes(token.text)) this.depth++;
      if (')]}'.includes(token.text)) this.depth--;
      if (token.text === '(' && is(previous, 'INPUT')) this.readsInput = true;
      return undefined;
    }
    if (this.depth > 0) return undefined;
    if (this.state === 'target') {
      if (!['INSERT', 'INTO', 'TABLE', 'FUNCTION'].includes(token.text)) this.state = 'clauses';
      return undefined;
    }
    if (is(token, 'VALUES') && !this.selects) return 'VALUES';
    if (is(token, 'SELECT') || is(token, 'WITH')) this.selects = true;
    if (is(token, 'FORMAT') && (!this.selects || this.readsInput)) this.state = 'format';
    return undefined;
  }
}

function insertWithData(text: string, all: Token[], kind: 'VALUES' | 'FORMAT'): Statement {
  refuseFiles(all);
  const last = all[all.length - 1]!;
  const values = kind === 'VALUES';
  const input = inputCall(text, all);
  const clause = (values ? last : all[all.length - 2]!).start;
  const settings = input ? undefined : topLevel(all).findLast((token) => is(token, 'SETTINGS'))?.start;
  return {
    verb: 'INSERT',
    reads: false,
    streams: false,
    sql: text.slice(0, settings ?? clause).trimEnd(),
    format: values ? 'Values' : nameIn(text, last),
    settings: settings === undefined ? '' : text.slice(settings, clause).trimEnd(),
    dataAt: last.end,
    input,
    tokens: all,
  };
}

/** The tokens outside of brackets, with the outermost brackets themselves. */
function topLevel(all: Token[]): Token[] {
  let depth = 0;
  return all.filter(({ kind, text }) => {
    if (kind === 'sign' && '([{'.includes(text)) return depth++ === 0;
    if (kind === 'sign' && ')]}'.includes(text)) depth--;
    return depth === 0;
  });
}

/** A name as it was written, without quotes: format names tell upper from lower case. */
const nameIn = (text: string, token: Token): string =>
  token.kind === 'word' ? text.slice(token.start, token.end) : token.text;

/** The FORMAT clause at the end of a statement, and the SETTINGS clause that may follow it. */
function trailingFormat(
  text: string,
  all: Token[],
): { start: number; format: string; settingsAt?: number } | undefined {
  let depth = 0;
  for (let at = all.length - 2; at > 0; at--) {
    const token = all[at]!;
    if (token.kind === 'sign' && ')]}'.includes(token.text)) depth++;
    else if (token.kind === 'sign' && '([{'.includes(token.text)) depth--;
    if (depth > 0 || !is(token, 'FORMAT') || NAME_FOLLOWS.has(all[at - 1]!.text)) continue;
    const [, name, after] = all.slice(at, at + 3);
    if (name?.kind !== 'word' && name?.kind !== 'name') return undefined;
    if (after && !is(after, 'SETTINGS')) continue;
    return { start: token.start, format: nameIn(text, name), ...(after && { settingsAt: after.start }) };
  }
  return undefined;
}

/** `input('structure')` with its arguments; ClickHouse reads the data of the request there. */
function inputCall(text: string, all: Token[]): Statement['input'] {
  const at = all.findIndex((token, n) => is(token, 'INPUT') && all[n + 1]?.text === '(');
  if (at < 0) return undefined;
  const close = all.findIndex((token, n) => n > at && token.kind === 'sign' && token.text === ')');
  if (close < 0) return undefined;
  const structure = text.slice(all[at + 1]!.end, all[close]!.start).trim();
  return { start: all[at]!.start, end: all[close]!.end, structure };
}

/** INTO OUTFILE and FROM INFILE are for a client beside the files; over HTTP they would reach files of the server. */
function refuseFiles(all: Token[]): void {
  all.forEach((token, at) => {
    const next = all[at + 1];
    if (is(token, 'INTO') && is(next, 'OUTFILE')) {
      throw ClickHouseException.of('INTO_OUTFILE_NOT_ALLOWED', 'INTO OUTFILE is not allowed');
    }
    if (is(token, 'FROM') && is(next, 'INFILE')) {
      throw ClickHouseException.of(
        'NOT_IMPLEMENTED',
        'FROM INFILE is not supported over HTTP: send the data in the body',
      );
    }
  });
}
