import { CommandError, notSupported } from '../errors';
import { document, type Document, isDocument, isNumeric, type Value } from '../bson/values';
import { shown } from '../bson/shown';
import { type Request } from '../wire/message';
import { adminCommands } from './admin';
import { aggregateCommands } from './aggregate';
import { bulkWriteCommands } from './bulk-write';
import { Call, checkFields, type CommandDefinition, genericFields, type Services } from './command';
import { explainCommands } from './explain';
import { findAndModifyCommands } from './find-and-modify';
import { handshakeCommands } from './handshake';
import { readCommands } from './read';
import { sessionCommands } from './sessions';
import { writeCommands } from './write';

const commands = new Map<string, CommandDefinition>(
  Object.entries({
    ...handshakeCommands,
    ...sessionCommands,
    ...readCommands,
    ...aggregateCommands,
    ...explainCommands,
    ...writeCommands,
    ...bulkWriteCommands,
    ...findAndModifyCommands,
    ...adminCommands,
  }),
);

/** Runs commands and turns their failures into replies. */
export class Dispatcher {
  constructor(private readonly services: Services) {}

  /** The reply to a request; never rejects. */
  async reply(request: Request): Promise<Document> {
    try {
      return await this.run(request);
    } catch (error) {
      return failure(error);
    }
  }

  private async run(request: Request): Promise<Document> {
    const name = request.body.firstName() ?? '';
    const command = commands.get(name);
    if (!command) throw new CommandError('CommandNotFound', `no such command: '${name}'`);
    if (request.legacy && !/^(hello|ismaster)$/i.test(name))
      throw new CommandError('UnsupportedOpQueryCommand', `Unsupported OP_QUERY command: ${name}`);
    if (!request.legacy) {
      const names = request.body
        .elements()
        .map((element) => element.name)
        .filter((field) => !genericFields.has(field));
      checkFields(name, [...names, ...request.sequences.keys()], new Set([name, ...command.fields]));
    }
    checkConcerns(request);
    checkTransaction(request);
    const { store } = this.services;
    const call = new Call(name, request, this.services, store);
    return command.access === 'write' ? await store.write(() => command.run(call)) : command.run(call);
  }
}

/** One node without replicas meets every read and write concern that asks for nothing but durability. */
function checkConcerns({ body }: Request): void {
  const level = field(body.get('readConcern'), 'level');
  if (level !== undefined && !['local', 'available', 'majority', 'linearizable'].includes(level as string))
    throw notSupported(`read concern '${shown(level)}'`);
  const w = field(body.get('writeConcern'), 'w');
  if (w !== undefined && w !== 'majority' && !(isNumeric(w) && Number(w) <= 1))
    throw new CommandError(100, `Not enough data-bearing nodes for write concern w: ${shown(w)}`);
}

/** Transactions and retryable writes need a replica set; this engine says that it is none, and drivers then do not ask. */
function checkTransaction({ body }: Request): void {
  for (const name of ['txnNumber', 'startTransaction', 'autocommit'])
    if (body.find(name))
      throw new CommandError(
        'IllegalOperation',
        'Transaction numbers are only allowed on a replica set member or mongos; the embedded engine has no transactions',
      );
}

function field(value: Value | undefined, name: string): Value | undefined {
  return isDocument(value) ? value.get(name) : undefined;
}

function failure(error: unknown): Document {
  if (error instanceof CommandError)
    return document({
      ok: 0,
      errmsg: error.message,
      code: error.code,
      codeName: error.codeName,
      ...error.details,
    });
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`mongodb engine: ${error instanceof Error ? (error.stack ?? reason) : reason}\n`);
  return document({ ok: 0, errmsg: `Internal error: ${reason}`, code: 1, codeName: 'InternalError' });
}
