/** Server-side filters on $all: by stream name or event type, by prefix or regular expression. */
import { type RecordView, viewRecord } from '../wire/record';
import { esError } from '../wire/grpc-error';
import { type LogRecord } from '../storage/store';

export interface FilterOptions {
  on: 'stream' | 'type';
  /** A .NET regular expression; wins over prefixes. Only what JavaScript also understands is served. */
  regex: string;
  prefixes: string[];
  /** Events considered between two checkpoints. */
  checkpointInterval: number;
}

export interface Filter {
  matches(record: LogRecord): boolean;
  checkpointInterval: number;
}

/** @throws GrpcError INVALID_ARGUMENT for an expression that does not compile */
export function compileFilter({ on, regex, prefixes, checkpointInterval }: FilterOptions): Filter {
  const subject = on === 'stream' ? (view: RecordView): string => view.stream : (view: RecordView): string => view.type;
  const test = regex ? regexTest(regex) : (name: string): boolean => prefixes.some((prefix) => name.startsWith(prefix));
  return { checkpointInterval, matches: ({ raw }) => test(subject(viewRecord(raw))) };
}

function regexTest(source: string): (name: string) => boolean {
  const ignoreCase = source.startsWith('(?i)');
  try {
    const expression = new RegExp(ignoreCase ? source.slice(4) : source, ignoreCase ? 'i' : '');
    return (name) => expression.test(name);
  } catch (error) {
    throw esError.invalidArgument(`The filter is not a regular expression that this server knows: ${String(error)}`);
  }
}

/** What the real server never shows in $all: the bookkeeping of persistent subscriptions to $all itself. */
const HIDDEN = /^\$persistentsubscription-\$all::.*-(checkpoint|parked)$/;
const DOLLAR = 0x24;

/** Whether a record belongs to $all as readers see it (`EventFilter.cs DefaultAllFilterStrategy`). */
export function visibleInAll({ raw }: LogRecord): boolean {
  // The name starts at byte 44 to 46, depending on its length: only one that begins with `$` is worth decoding.
  if (raw[44] !== DOLLAR && raw[45] !== DOLLAR && raw[46] !== DOLLAR) return true;
  return !HIDDEN.test(viewRecord(raw).stream);
}
