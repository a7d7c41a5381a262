import pino, { type Logger } from 'pino';

export type Log = Logger;

/** Structured logs of level `ATTEST_LOG` (default `info`), on stderr or in a file; stdout belongs to answers. */
export function createLog(file: string | undefined): Log {
  const destination = pino.destination({ dest: file ?? process.stderr.fd, sync: false });
  return pino({ level: process.env.ATTEST_LOG ?? 'info' }, destination);
}
