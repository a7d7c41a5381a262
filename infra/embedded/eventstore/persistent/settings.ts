/** How a persistent subscription group behaves, and how it is kept in the store. */
import { type FilterOptions } from '../streams/filter';
import { type Point } from '../streams/messages';

export type StrategyName = 'RoundRobin' | 'DispatchToSingle' | 'Pinned';

export interface GroupSettings {
  resolveLinks: boolean;
  extraStatistics: boolean;
  /** Milliseconds until an unanswered message is sent again; 0 waits for ever. */
  messageTimeout: number;
  maxRetryCount: number;
  /** Milliseconds between two looks at whether a checkpoint is due. */
  checkpointAfter: number;
  /** Messages processed since the last checkpoint: at least, for a timed one. */
  minCheckpointCount: number;
  /** At this many a checkpoint is written at once. */
  maxCheckpointCount: number;
  /** 0 is unbounded. */
  maxSubscriberCount: number;
  liveBufferSize: number;
  readBatchSize: number;
  historyBufferSize: number;
  strategy: StrategyName;
}

/** Storage format: the JSON value of a group in the table `groups`. Places are revisions, or positions for $all. */
export interface StoredGroup {
  /** The stream, or `$all`. */
  stream: string;
  group: string;
  settings: GroupSettings;
  startFrom: Point;
  filter?: FilterOptions;
  /** First place to read, fixed when the group is created: `end` must not move with a restart. */
  begin: number;
  /** Everything up to here is processed; null before the first checkpoint. */
  checkpoint: number | null;
}

export const ALL = '$all';
export const groupKey = (stream: string, group: string): string => `${stream}::${group}`;
/** The stream of messages that were given up (`MessageParker.cs`). */
export const parkedStream = (stream: string, group: string): string =>
  `$persistentsubscription-${groupKey(stream, group)}-parked`;
