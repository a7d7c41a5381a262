import { aggregate, parsePipeline } from '../aggregate/aggregate';
import { writeDocument } from '../bson/write';
import { CommandError, notSupported } from '../errors';
import { wholeNumber } from '../bson/numbers';
import { type Document } from '../bson/values';
import { type Call, checkCollation, type CommandDefinition, hintOf } from './command';

function aggregateCommand(call: Call): Document {
  if (typeof call.value('aggregate') !== 'string') throw notSupported('aggregation of a database without a collection');
  if (call.flag('explain')) throw notSupported("the option 'explain' of aggregate");
  checkCollation(call.value('collation'));
  const namespace = call.namespace();
  const pipeline = call.array('pipeline');
  const cursor = call.document('cursor');
  if (!pipeline) throw new CommandError(40414, "BSON field 'aggregate.pipeline' is missing but a required field");
  if (!cursor)
    throw new CommandError(
      'FailedToParse',
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  for (const name of cursor.keys())
    if (name !== 'batchSize') throw new CommandError(40415, `BSON field 'cursor.${name}' is an unknown field.`);
  parsePipeline(pipeline);
  const { kv, catalog, database, deadline } = call;
  const collection = call.collection();
  const source = {
    kv,
    collection,
    other: (name: string) => catalog.get(`${database}.${name}`),
    deadline,
    hint: collection && hintOf(collection, call.value('hint')),
  };
  const results = encoded(aggregate(source, pipeline, call.variables()));
  return call.services.cursors.start(namespace, results, {
    batchSize: cursor.has('batchSize') ? wholeNumber(cursor.get('batchSize')) : undefined,
    single: false,
    session: call.session(),
    kept: false,
    deadline,
  });
}

function* encoded(documents: Iterable<Document>): Generator<Buffer> {
  for (const doc of documents) yield writeDocument(doc);
}

const FIELDS = 'pipeline cursor explain allowDiskUse bypassDocumentValidation collation hint let'.split(' ');

export const aggregateCommands: Record<string, CommandDefinition> = {
  aggregate: { access: 'read', fields: FIELDS, run: aggregateCommand },
};
