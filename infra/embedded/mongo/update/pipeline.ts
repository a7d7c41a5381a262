import { compileUpdateStages } from '../aggregate/aggregate';
import { RawDocument } from '../bson/read';
import { writeDocument } from '../bson/write';
import { type Variables } from '../expressions/expressions';
import { type Document, type Value } from '../bson/values';

/** Runs an update given as an aggregation pipeline over one document. `_id` comes first, and stays when the stages drop it. */
export function runUpdatePipeline(stages: Value[], before: Document, variables: Variables): RawDocument {
  const [after = new Map<string, Value>()] = compileUpdateStages(stages, variables)([before]);
  const id = after.get('_id') ?? before.get('_id');
  const ordered: Document = new Map(id === undefined ? [] : [['_id', id]]);
  for (const [name, value] of after) if (name !== '_id') ordered.set(name, value);
  return new RawDocument(writeDocument(ordered));
}
