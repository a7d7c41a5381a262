import { RawDocument } from './bson-read';
import { writeDocument } from './bson-write';
import { notSupported } from './errors';
import { type Variables } from './expressions';
import { type Document, type Value } from './values';

/** Runs an update given as an aggregation pipeline over one document. */
export function runUpdatePipeline(_stages: Value[], before: Document, _variables: Variables): RawDocument {
  if (_stages.length > 0) throw notSupported('updates by pipeline');
  return new RawDocument(writeDocument(before));
}
