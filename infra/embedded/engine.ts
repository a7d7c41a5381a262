/** What every embedded engine is asked for and gives back. Loopback only: `host` is not an option. */
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
