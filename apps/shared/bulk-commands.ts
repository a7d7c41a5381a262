import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InvalidCommandError } from '../../packages/commands';
import type { CommandResult } from '../../packages/eventsourcing';
import { answerOf, type CommandAnswer } from './command-dispatcher';
import type { Problem } from './problems';

/** Commands of one request that are under way at once. */
const WINDOW = 256;
/** Lines that are taken in one turn of the event loop: those who read the log in the same process get theirs between. */
const LINES_PER_TURN = 16;
/** Characters of one line. */
const LONGEST_LINE = 1_000_000;

type Dispatch = (command: string, data: unknown, id: string | undefined) => Promise<CommandResult>;
type Refuse = (error: unknown) => Problem;

/** One line of the answer; `line` counts from 1. */
export type BulkLine =
  | ({ readonly line: number } & CommandAnswer)
  | { readonly line: number; readonly outcome: 'refused'; readonly problem: Problem };

/**
 * Reads commands as NDJSON, `{"command":"enroll-learner","id":"...","data":{...}}`, and gives one result line each, in order.
 * A bad line is answered with its problem and the others go on. Reads no faster than it answers.
 */
export function answerBulk(body: Readable, dispatch: Dispatch, refuse: Refuse): Readable {
  return Readable.from(resultLines(body, dispatch, refuse));
}

async function* resultLines(body: Readable, dispatch: Dispatch, refuse: Refuse): AsyncGenerator<string> {
  const underWay: Promise<BulkLine>[] = [];
  let line = 0;
  for await (const text of createInterface({ input: body, crlfDelay: Infinity })) {
    line++;
    if (line % LINES_PER_TURN === 0) await nextTurn();
    if (text.trim() === '') continue;
    underWay.push(answerLine(line, text, dispatch, refuse));
    if (underWay.length >= WINDOW) yield `${JSON.stringify(await underWay.shift())}\n`;
  }
  for (const answer of underWay) yield `${JSON.stringify(await answer)}\n`;
}

async function answerLine(line: number, text: string, dispatch: Dispatch, refuse: Refuse): Promise<BulkLine> {
  try {
    const { command, id, data } = parseLine(text);
    return { line, ...answerOf(await dispatch(command, data, id)) };
  } catch (error) {
    return { line, outcome: 'refused', problem: refuse(error) };
  }
}

function parseLine(text: string): { command: string; id?: string; data: unknown } {
  const refuse = (field: string, problem: string): never => {
    throw new InvalidCommandError([{ field, problem }]);
  };
  if (text.length > LONGEST_LINE) refuse('', `a line may have ${LONGEST_LINE} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse('', 'the line must be one JSON object');
  }
  if (typeof parsed !== 'object' || parsed === null) return refuse('', 'the line must be one JSON object');
  const { command, id, data, ...rest } = parsed as Record<string, unknown>;
  for (const field of Object.keys(rest)) refuse(field, 'is not known; a line has command, id and data');
  if (typeof command !== 'string') return refuse('command', 'must name a command, for example "enroll-learner"');
  if (id !== undefined && typeof id !== 'string') return refuse('id', 'must be a string that a retry repeats');
  return { command, data, ...(id === undefined ? {} : { id }) };
}
