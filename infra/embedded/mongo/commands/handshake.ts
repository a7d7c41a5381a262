import { MAX_DOCUMENT_BYTES } from '../storage/collection';
import { document, type Document } from '../bson/values';
import { MAX_MESSAGE_BYTES } from '../wire/message';
import { type Call, type CommandDefinition } from './command';

/** The server version whose behaviour is followed, and its wire version. */
const SERVER_VERSION = '8.0.0';
const WIRE_VERSION = 25;
const SESSION_MINUTES = 30;
const MAX_STATEMENTS = 100_000;

/**
 * Without `topologyVersion` the driver polls instead of keeping a streaming hello open; without `compression` nothing is compressed.
 */
function hello(): Document {
  return document({
    helloOk: true,
    isWritablePrimary: true,
    ismaster: true,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: MAX_STATEMENTS,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: SESSION_MINUTES,
    minWireVersion: 0,
    maxWireVersion: WIRE_VERSION,
    readOnly: false,
    ok: 1,
  });
}

const HELLO_FIELDS = [
  'helloOk',
  'client',
  'compression',
  'loadBalanced',
  'saslSupportedMechs',
  'speculativeAuthenticate',
  'topologyVersion',
  'maxAwaitTimeMS',
  'backpressure',
  'hostInfo',
  'internalClient',
];

const helloCommand: CommandDefinition = { access: 'control', fields: HELLO_FIELDS, run: hello };

const ok = (fields: Record<string, Parameters<typeof document>[0][string]> = {}): Document =>
  document({ ...fields, ok: 1 });

const simple = (run: (call: Call) => Document, fields: readonly string[] = []): CommandDefinition => ({
  access: 'control',
  fields,
  run,
});

const buildInfo = simple(() =>
  ok({
    version: SERVER_VERSION,
    versionArray: SERVER_VERSION.split('.').map(Number).concat(0),
    gitVersion: 'attest-embedded',
    modules: ['attest-embedded'],
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    storageEngines: ['lmdb'],
  }),
);

/** Commands about the server and the connection. */
export const handshakeCommands: Record<string, CommandDefinition> = {
  hello: helloCommand,
  isMaster: helloCommand,
  ismaster: helloCommand,
  ping: simple(() => ok()),
  buildInfo,
  buildinfo: buildInfo,
  connectionStatus: simple(
    () =>
      ok({
        authInfo: document({ authenticatedUsers: [], authenticatedUserRoles: [], authenticatedUserPrivileges: [] }),
      }),
    ['showPrivileges'],
  ),
  whatsmyuri: simple(() => ok({ you: '127.0.0.1' })),
  getCmdLineOpts: simple(() => ok({ argv: [], parsed: document({}) })),
  serverStatus: simple((call) =>
    ok({
      host: `127.0.0.1:${call.services.port}`,
      version: SERVER_VERSION,
      process: 'attest-embedded',
      pid: BigInt(process.pid),
      uptime: (Date.now() - call.services.startedAt.getTime()) / 1000,
      localTime: new Date(),
      storageEngine: document({ name: 'lmdb', persistent: true }),
      metrics: document({ cursor: document({ open: document({ total: BigInt(call.services.cursors.size) }) }) }),
    }),
  ),
};
