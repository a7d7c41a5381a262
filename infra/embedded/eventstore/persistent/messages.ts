/** Requests and responses of `event_store.client.persistent_subscriptions`, by the field numbers of persistent.proto. */
import { type FilterOptions } from '../streams/filter';
import {
  decodeFilter,
  decodePosition,
  decodeStreamName,
  decodeStreamPoint,
  decodeStructured,
  decodeUuid,
  onlyMessage,
  type Point,
} from '../streams/messages';
import { frame } from '../wire/frame';
import { esError } from '../wire/grpc-error';
import { MessageReader, type MessageWriter } from '../wire/protobuf';
import { ALL, type GroupSettings, type StrategyName } from './settings';

/** Names a group: a stream, or `$all`, and the group's name. */
export interface GroupName {
  stream: string;
  group: string;
}

export interface GroupDefinition extends GroupName {
  settings: GroupSettings;
  startFrom: Point;
  filter?: FilterOptions;
}

const UINT64_MAX = 2 ** 64;

/** CreateReq and UpdateReq: same fields, only that an update carries no filter. */
export function decodeDefinition(message: Buffer): GroupDefinition {
  const definition: GroupDefinition = { stream: '', group: '', settings: { ...DEFAULTS }, startFrom: 'start' };
  // Clients of before 21.10 send the start of a stream among the settings; the newer place wins.
  let explicitStart = false;
  let legacyStart: Point = 'start';
  const options = onlyMessage(message);
  while (options?.next()) {
    if (options.field === 1) definition.stream = decodeStreamName(options.message());
    else if (options.field === 2) definition.group = options.string();
    else if (options.field === 3) {
      const { settings, revision } = decodeSettings(options.message());
      definition.settings = settings;
      legacyStart = revision;
    } else if (options.field === 4) {
      const { stream, from } = decodeStreamPoint(options.message());
      Object.assign(definition, { stream, startFrom: from });
      explicitStart = true;
    } else if (options.field === 5) {
      Object.assign(definition, { stream: ALL }, decodeAll(options.message()));
      explicitStart = true;
    }
  }
  if (!explicitStart) definition.startFrom = legacyStart;
  requireGroup(definition);
  return definition;
}

const DEFAULTS: GroupSettings = {
  resolveLinks: false,
  extraStatistics: false,
  messageTimeout: 0,
  maxRetryCount: 0,
  checkpointAfter: 0,
  minCheckpointCount: 0,
  maxCheckpointCount: 0,
  maxSubscriberCount: 0,
  liveBufferSize: 0,
  readBatchSize: 0,
  historyBufferSize: 0,
  strategy: 'DispatchToSingle',
};

const STRATEGIES: StrategyName[] = ['DispatchToSingle', 'RoundRobin', 'Pinned'];
const TICKS_PER_MS = 10_000;

function decodeSettings(reader: MessageReader): { settings: GroupSettings; revision: Point } {
  const settings = { ...DEFAULTS };
  let revision: Point = 'start';
  while (reader.next()) {
    if (reader.field === 1) settings.resolveLinks = reader.bool();
    else if (reader.field === 2) revision = legacyPoint(reader.uint());
    else if (reader.field === 3) settings.extraStatistics = reader.bool();
    else if (reader.field === 4) settings.messageTimeout = reader.int() / TICKS_PER_MS;
    else if (reader.field === 5) settings.maxRetryCount = reader.int();
    else if (reader.field === 6) settings.checkpointAfter = reader.int() / TICKS_PER_MS;
    else if (reader.field === 7) settings.minCheckpointCount = reader.int();
    else if (reader.field === 8) settings.maxCheckpointCount = reader.int();
    else if (reader.field === 9) settings.maxSubscriberCount = reader.int();
    else if (reader.field === 10) settings.liveBufferSize = reader.int();
    else if (reader.field === 11) settings.readBatchSize = reader.int();
    else if (reader.field === 12) settings.historyBufferSize = reader.int();
    else if (reader.field === 13) settings.strategy = strategyNamed(STRATEGIES[reader.uint()] ?? '');
    else if (reader.field === 14) settings.messageTimeout = reader.int();
    else if (reader.field === 15) settings.checkpointAfter = reader.int();
    else if (reader.field === 16 && reader.string() !== '') settings.strategy = strategyNamed(reader.string());
  }
  for (const name of ['readBatchSize', 'historyBufferSize', 'liveBufferSize'] as const) {
    if (settings[name] <= 0) throw esError.invalidArgument(`${name} must be greater than 0`);
  }
  return { settings, revision };
}

function strategyNamed(name: string): StrategyName {
  const strategy = STRATEGIES.find((known) => known === name);
  if (!strategy) throw esError.invalidArgument(`Consumer strategy ${name} does not exist`);
  return strategy;
}

const legacyPoint = (revision: number): Point => (revision === 0 ? 'start' : revision >= UINT64_MAX ? 'end' : revision);

function decodeAll(reader: MessageReader): { startFrom: Point; filter?: FilterOptions } {
  const all: { startFrom: Point; filter?: FilterOptions } = { startFrom: 'start' };
  while (reader.next()) {
    if (reader.field === 1) all.startFrom = decodePosition(reader.message());
    else if (reader.field === 2) all.startFrom = 'start';
    else if (reader.field === 3) all.startFrom = 'end';
    else if (reader.field === 4) all.filter = decodeFilter(reader.message());
  }
  return all;
}

/** Delete, GetInfo and ReplayParked name their group by three different sets of field numbers. */
export interface GroupFields {
  stream: number;
  all: number;
  group: number;
}
export const DELETE_FIELDS: GroupFields = { stream: 1, all: 3, group: 2 };
export const INFO_FIELDS: GroupFields = { stream: 1, all: 2, group: 3 };
const REPLAY_FIELDS: GroupFields = { stream: 2, all: 3, group: 1 };
const CONNECT_FIELDS: GroupFields = { stream: 1, all: 5, group: 2 };

export function decodeGroupName(message: Buffer, fields: GroupFields): GroupName {
  return readGroupName(onlyMessage(message), fields);
}

function readGroupName(
  reader: MessageReader | undefined,
  fields: GroupFields,
  onOther?: (reader: MessageReader) => void,
): GroupName {
  const name: GroupName = { stream: '', group: '' };
  while (reader?.next()) {
    if (reader.field === fields.stream) name.stream = decodeStreamName(reader.message());
    else if (reader.field === fields.all) name.stream = ALL;
    else if (reader.field === fields.group) name.group = reader.string();
    else onOther?.(reader);
  }
  return requireGroup(name);
}

function requireGroup<T extends GroupName>(name: T): T {
  if (name.stream === '' || name.group === '') throw esError.invalidArgument('The stream or the group name is missing');
  return name;
}

/** How many parked messages to replay; Infinity for all. */
export function decodeReplay(message: Buffer): GroupName & { limit: number } {
  let limit = Infinity;
  const name = readGroupName(onlyMessage(message), REPLAY_FIELDS, (reader) => {
    if (reader.field === 4) limit = reader.int();
  });
  return { ...name, limit };
}

/** The stream whose groups are asked for; undefined for all groups. */
export function decodeList(message: Buffer): string | undefined {
  const options = onlyMessage(message);
  let stream: string | undefined;
  while (options?.next()) {
    if (options.field !== 2) continue;
    const option = options.message();
    while (option.next()) {
      if (option.field === 1) stream = decodeStreamName(option.message());
      else if (option.field === 2) stream = ALL;
    }
  }
  return stream;
}

export interface ConnectRequest extends GroupName {
  /** Messages that the consumer takes before it answers the first. */
  bufferSize: number;
  structuredIds: boolean;
}

export type NackAction = 'retry' | 'park' | 'skip' | 'stop';
const ACTIONS: NackAction[] = ['retry', 'park', 'retry', 'skip', 'stop']; // Unknown counts as Retry.

export type ReadMessage =
  | { kind: 'connect'; request: ConnectRequest }
  | { kind: 'ack'; ids: string[] }
  | { kind: 'nack'; ids: string[]; action: NackAction; reason: string };

/** One message of the Read call. */
export function decodeReadMessage(message: Buffer): ReadMessage {
  const reader = new MessageReader(message);
  let decoded: ReadMessage | undefined;
  while (reader.next()) {
    if (reader.field === 1) decoded = { kind: 'connect', request: decodeConnect(reader.message()) };
    else if (reader.field === 2) decoded = { kind: 'ack', ids: decodeAnswer(reader.message()).ids };
    else if (reader.field === 3) decoded = { kind: 'nack', ...decodeAnswer(reader.message()) };
  }
  if (!decoded) throw esError.invalidArgument('The message is empty');
  return decoded;
}

function decodeConnect(reader: MessageReader): ConnectRequest {
  let bufferSize = 0;
  let structuredIds = false;
  const name = readGroupName(reader, CONNECT_FIELDS, (other) => {
    if (other.field === 3) bufferSize = other.int();
    else if (other.field === 4) structuredIds = decodeStructured(other.message());
  });
  if (bufferSize <= 0) throw esError.invalidArgument('The buffer size must be greater than 0');
  return { ...name, bufferSize, structuredIds };
}

function decodeAnswer(reader: MessageReader): { ids: string[]; action: NackAction; reason: string } {
  const answer: { ids: string[]; action: NackAction; reason: string } = { ids: [], action: 'retry', reason: '' };
  while (reader.next()) {
    if (reader.field === 2) answer.ids.push(decodeUuid(reader.message()));
    else if (reader.field === 3) answer.action = ACTIONS[reader.uint()] ?? 'retry';
    else if (reader.field === 4) answer.reason = reader.string();
  }
  return answer;
}

export interface ConnectionInfo {
  from: string;
  connectionName: string;
  averagePerSecond: number;
  totalItems: number;
  countSinceLastMeasurement: number;
  availableSlots: number;
  inFlight: number;
  measurements: [key: string, value: number][];
}

export interface GroupInfo {
  stream: string;
  group: string;
  status: string;
  settings: GroupSettings;
  startFrom: Point;
  connections: ConnectionInfo[];
  averagePerSecond: number;
  totalItems: number;
  countSinceLastMeasurement: number;
  lastCheckpointed: number | null;
  /** Last place that was handed to a consumer or read, null when none. */
  lastKnown: number | null;
  readBuffer: number;
  retryBuffer: number;
  inFlight: number;
  outstanding: number;
  parked: number;
}

/** `SubscriptionInfo`. */
export function writeInfo(writer: MessageWriter, info: GroupInfo): void {
  const { settings } = info;
  const place = (value: number | null): string =>
    value === null ? '' : info.stream === ALL ? `C:${value}/P:${value}` : String(value);
  writer.string(1, info.stream).string(2, info.group).string(3, info.status);
  for (const connection of info.connections) {
    writer.message(4, (out) => {
      out
        .string(1, connection.from)
        .string(2, 'anonymous')
        .uint(3, connection.averagePerSecond)
        .uint(4, connection.totalItems)
        .uint(5, connection.countSinceLastMeasurement);
      for (const [key, value] of connection.measurements)
        out.message(6, (entry) => entry.string(1, key).uint(2, value));
      out.uint(7, connection.availableSlots).uint(8, connection.inFlight).string(9, connection.connectionName);
    });
  }
  writer
    .uint(5, info.averagePerSecond)
    .uint(6, info.totalItems)
    .uint(7, info.countSinceLastMeasurement)
    .string(8, place(info.lastCheckpointed))
    .string(9, place(info.lastKnown))
    .bool(10, settings.resolveLinks)
    .string(11, startText(info))
    .uint(12, settings.messageTimeout)
    .bool(13, settings.extraStatistics)
    .uint(14, settings.maxRetryCount)
    .uint(15, settings.liveBufferSize)
    .uint(16, settings.historyBufferSize)
    .uint(17, settings.readBatchSize)
    .uint(18, settings.checkpointAfter)
    .uint(19, settings.minCheckpointCount)
    .uint(20, settings.maxCheckpointCount)
    .uint(21, info.readBuffer)
    .uint(22, 0)
    .uint(23, info.retryBuffer)
    .uint(24, info.inFlight)
    .uint(25, info.outstanding)
    .string(26, settings.strategy)
    .uint(27, settings.maxSubscriberCount)
    .uint(28, info.parked);
}

function startText({ stream, startFrom }: GroupInfo): string {
  const value = startFrom === 'start' ? 0 : startFrom === 'end' ? -1 : startFrom;
  return stream === ALL ? `C:${value}/P:${value}` : String(value);
}

export const infoFrame = (info: GroupInfo): Buffer => frame((resp) => resp.message(1, (out) => writeInfo(out, info)));
export const listFrame = (infos: GroupInfo[]): Buffer =>
  frame((resp) => infos.forEach((info) => resp.message(1, (out) => writeInfo(out, info))));
