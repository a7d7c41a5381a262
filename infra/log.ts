import pino, { type Logger } from 'pino';

export type Log = Logger;

/** Structured logs on stderr; stdout belongs to answers. Level from `ATTEST_LOG` (default `info`). */
export function createLog(name: string): Log {
  return pino({ name, level: process.env.ATTEST_LOG ?? 'info' }, pino.destination({ dest: 2, sync: false }));
}
