/** What every embedded engine is asked for and gives back. Loopback only: a host is not among them. */
export interface EngineOptions {
  /** Folder that this engine alone owns; created when missing. */
  dataDir: string;
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  port: number;
}

export interface Engine {
  /** The URL that the official client takes, for example `esdb://127.0.0.1:2113?tls=false`. */
  url: string;
  port: number;
  /** Stops accepting, finishes what was accepted, flushes and releases the data folder. */
  close(): Promise<void>;
}

/** Thrown when an engine cannot start; the message is one sentence that a person can act on. */
export class EngineStartError extends Error {
  override name = 'EngineStartError';
}

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/** Whether only this machine reaches an address. */
export const isLoopback = (host: string): boolean => LOOPBACK.includes(host);

/**
 * The embedded engines have no passwords and no TLS, so whoever asks for more than loopback is told what to run instead.
 * @throws EngineStartError for an address that other machines could reach
 */
export function refuseBeyondLoopback(host: string): void {
  if (isLoopback(host)) return;
  const instead = 'for other machines run the real server, and give Attest its URL';
  throw new EngineStartError(`The embedded engines listen on 127.0.0.1 only, not on ${host}: ${instead}.`);
}
