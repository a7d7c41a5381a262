import { type Collection } from '../storage/collection';
import { CommandError, notSupported } from '../errors';
import { parseExpression, type Variables } from '../expressions/expressions';
import { equalValues } from '../bson/compare';
import { parseFilter } from '../query/filter-parser';
import { type Filter } from '../query/matcher';
import { wholeNumber } from '../bson/numbers';
import { splitPath, someValue } from '../bson/paths';
import { type Hint, parseSort, type SortField } from '../query/planner';
import { count, type Deadline, find, type Query } from '../query/query';
import * as stages from './stages';
import { type Stage } from './stages';
import { type KeyValue } from '../storage/store';
import { document, type Document, isDocument, type Value } from '../bson/values';

/** Where a pipeline reads from. */
export interface Source {
  kv: KeyValue;
  collection: Collection | undefined;
  /** Another collection of the same database, for `$lookup` and `$unionWith`. */
  other(name: string): Collection | undefined;
  deadline: Deadline;
  hint: Hint | undefined;
}

/** One stage as it was given: its name and its operand. */
interface StageSpecification {
  name: string;
  operand: Value;
}

/** Stages that MongoDB has and this engine refuses by name. */
const refused = new Set(
  (
    '$bucket $bucketAuto $changeStream $changeStreamSplitLargeEvent $collStats $currentOp $densify $documents $fill $geoNear ' +
    '$graphLookup $indexStats $listLocalSessions $listSearchIndexes $listSessions $merge $out $planCacheStats $rankFusion $redact ' +
    '$search $searchMeta $setWindowFields $shardedDataDistribution $vectorSearch $querySettings'
  ).split(' '),
);

/** Reads a pipeline. @throws CommandError 40323, 40324 for what is no stage, NotImplemented (238) for stages outside the subset. */
export function parsePipeline(pipeline: readonly Value[]): StageSpecification[] {
  return pipeline.map((stage) => {
    if (!isDocument(stage))
      throw new CommandError('TypeMismatch', "Each element of the 'pipeline' array must be an object");
    if (stage.size !== 1)
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
    const [name, operand] = stage.entries().next().value!;
    if (refused.has(name)) throw notSupported(`the aggregation stage ${name}`);
    return { name, operand };
  });
}

/** Runs a pipeline over a collection; what the index can do is done by the query at its beginning. */
export function* aggregate(source: Source, pipeline: readonly Value[], variables: Variables): Generator<Document> {
  const specifications = parsePipeline(pipeline);
  const { query, rest } = leadingQuery(specifications, source, variables);
  const counted = source.collection && countedBy(rest);
  if (counted && source.collection) {
    const total = count(source.kv, source.collection, query);
    if (total > 0)
      yield new Map([
        ['_id', counted.id],
        [counted.name, total],
      ]);
    return;
  }
  yield* compile(rest, source, variables)(documents(source, query));
}

function* documents({ kv, collection }: Source, query: Query): Generator<Document> {
  if (!collection) return;
  for (const { doc } of find(kv, collection, query)) yield doc.decode();
}

/** Turns `$match`, `$sort`, `$skip`, `$limit` at the beginning, in this order, into a query. */
function leadingQuery(
  specifications: StageSpecification[],
  source: Source,
  variables: Variables,
): { query: Query; rest: StageSpecification[] } {
  const rest = [...specifications];
  const filters: Filter[] = [];
  let sort: SortField[] = [];
  let skip = 0;
  let limit = 0;
  while (rest[0]?.name === '$match') {
    const { operand } = rest.shift()!;
    if (!isDocument(operand)) throw new CommandError(15959, 'the match filter must be an expression in an object');
    filters.push(parseFilter(operand, variables));
  }
  if (rest[0]?.name === '$sort' && isDocument(rest[0].operand) && rest[0].operand.size > 0)
    sort = parseSort(rest.shift()!.operand as Document);
  if (rest[0]?.name === '$skip' && isSize(rest[0].operand, 0)) skip = wholeNumber(rest.shift()!.operand)!;
  if (rest[0]?.name === '$limit' && isSize(rest[0].operand, 1)) limit = wholeNumber(rest.shift()!.operand)!;
  const filter: Filter = filters.length === 1 ? filters[0]! : { kind: 'and', filters };
  return { query: { filter, sort, skip, limit, hint: source.hint, deadline: source.deadline }, rest };
}

const isSize = (operand: Value, least: number): boolean => (wholeNumber(operand) ?? -1) >= least;

/** Recognizes `{ $group: { _id: constant, n: { $sum: 1 } } }`, which is how drivers count documents. */
function countedBy(rest: StageSpecification[]): { id: Value; name: string } | undefined {
  const [only, ...more] = rest;
  if (only?.name !== '$group' || more.length > 0 || !isDocument(only.operand) || only.operand.size !== 2)
    return undefined;
  const id = only.operand.get('_id');
  const [name, accumulator] = [...only.operand].find(([field]) => field !== '_id') ?? [];
  if (id === undefined || (typeof id === 'object' && id !== null) || (typeof id === 'string' && id.startsWith('$')))
    return undefined;
  return name !== undefined && equalValues(accumulator, document({ $sum: 1 })) ? { id, name } : undefined;
}

function compile(specifications: StageSpecification[], source: Source, variables: Variables): Stage {
  const compiled = specifications.map(({ name, operand }) => compileStage(name, operand, source, variables));
  return (input) => compiled.reduce<Iterable<Document>>((documents, stage) => stage(documents), input);
}

function compileStage(name: string, operand: Value, source: Source, variables: Variables): Stage {
  switch (name) {
    case '$match':
      return stages.match(operand, variables);
    case '$project':
      return stages.projectStage(operand, variables);
    case '$addFields':
    case '$set':
      return stages.addFields(operand, variables);
    case '$unset':
      return stages.unset(operand);
    case '$group':
      return stages.group(operand, variables);
    case '$sort':
      return stages.sort(operand);
    case '$limit':
      return stages.limit(operand);
    case '$skip':
      return stages.skip(operand);
    case '$count':
      return stages.countStage(operand);
    case '$unwind':
      return stages.unwind(operand);
    case '$replaceRoot':
      checkArguments(name, operand, ['newRoot']);
      return stages.replaceRoot((isDocument(operand) ? operand.get('newRoot') : undefined) ?? null, variables);
    case '$replaceWith':
      return stages.replaceRoot(operand, variables);
    case '$sortByCount':
      return stages.sortByCount(operand, variables);
    case '$sample':
      checkArguments(name, operand, ['size']);
      return stages.sample(operand);
    case '$lookup':
      return lookup(operand, source, variables);
    case '$unionWith':
      return unionWith(operand, source, variables);
    case '$facet':
      return facet(operand, source, variables);
    default:
      throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`);
  }
}

/** @throws CommandError FailedToParse (9) for an argument that the stage does not have. */
function checkArguments(stage: string, operand: Value, known: readonly string[]): void {
  if (!isDocument(operand)) return;
  for (const name of operand.keys())
    if (!known.includes(name)) throw new CommandError('FailedToParse', `unknown argument to ${stage}: ${name}`);
}

const LOOKUP_FIELDS = ['from', 'localField', 'foreignField', 'as', 'let', 'pipeline'];

/** `$lookup` by equal fields, by a pipeline, or by both. */
function lookup(operand: Value, source: Source, variables: Variables): Stage {
  if (!isDocument(operand))
    throw new CommandError('FailedToParse', 'the $lookup stage specification must be an object');
  checkArguments('$lookup', operand, LOOKUP_FIELDS);
  const [from, as, localField, foreignField] = ['from', 'as', 'localField', 'foreignField'].map((name) =>
    operand.get(name),
  );
  if (typeof from !== 'string') throw notSupported("$lookup without a collection name in 'from'");
  if (typeof as !== 'string') throw new CommandError('FailedToParse', "$lookup requires 'as' to be a string");
  const pipeline = operand.get('pipeline') ?? [];
  if (!Array.isArray(pipeline)) throw new CommandError('TypeMismatch', "'pipeline' of $lookup must be an array");
  if (
    (localField === undefined) !== (foreignField === undefined) ||
    (localField === undefined && !operand.has('pipeline'))
  )
    throw new CommandError(
      'FailedToParse',
      '$lookup requires both or neither of localField and foreignField, or a pipeline',
    );
  const bindings = [...((operand.get('let') as Document | undefined) ?? [])].map(
    ([name, value]) => [name, parseExpression(value)] as const,
  );
  const place = splitPath(as);
  parsePipeline(pipeline);
  return function* (input) {
    for (const doc of input) {
      const inner = new Map([...variables, ...bindings.map(([name, value]) => [name, value(doc, variables)] as const)]);
      const joined = localField === undefined ? [] : [foreignMatch(doc, localField as string, foreignField as string)];
      const found = aggregate(
        { ...source, collection: source.other(from), hint: undefined },
        [...joined, ...pipeline],
        inner,
      );
      yield placed(doc, place, [...found]);
    }
  };
}

/** The `$match` of the foreign documents that have one of the local values; a missing local field joins with null. */
function foreignMatch(doc: Document, localField: string, foreignField: string): Document {
  const values: Value[] = [];
  someValue(doc, splitPath(localField), 'each', (value) => {
    values.push(value ?? null);
    return false;
  });
  return document({ $match: document({ [foreignField]: document({ $in: values.length === 0 ? [null] : values }) }) });
}

function placed(doc: Document, [first, ...rest]: readonly string[], value: Value): Document {
  const result = new Map(doc);
  const inner = result.get(first!);
  result.set(
    first!,
    rest.length === 0 ? value : placed(isDocument(inner) ? inner : new Map<string, Value>(), rest, value),
  );
  return result;
}

function unionWith(operand: Value, source: Source, variables: Variables): Stage {
  checkArguments('$unionWith', operand, ['coll', 'pipeline']);
  const from = isDocument(operand) ? operand.get('coll') : operand;
  const pipeline = (isDocument(operand) ? operand.get('pipeline') : undefined) ?? [];
  if (typeof from !== 'string' || !Array.isArray(pipeline))
    throw new CommandError('FailedToParse', '$unionWith needs a collection name and a pipeline');
  return function* (input) {
    yield* input;
    yield* aggregate({ ...source, collection: source.other(from), hint: undefined }, pipeline, variables);
  };
}

function facet(operand: Value, source: Source, variables: Variables): Stage {
  if (!isDocument(operand) || operand.size === 0)
    throw new CommandError(40169, 'the $facet specification must be a non-empty object');
  const facets = [...operand].map(([name, pipeline]) => {
    if (!Array.isArray(pipeline)) throw new CommandError(40170, `arguments to $facet must be arrays, ${name} is not`);
    return [name, compile(parsePipeline(pipeline), source, variables)] as const;
  });
  return function* (input) {
    const memory = new stages.StageMemory('$facet');
    const all: Document[] = [];
    for (const doc of input) {
      memory.add(doc.size * 64);
      all.push(doc);
    }
    yield new Map(facets.map(([name, stage]) => [name, [...stage(all)]]));
  };
}

/** The stages that an update may be written in. */
export function compileUpdateStages(pipeline: readonly Value[], variables: Variables): Stage {
  const compiled = parsePipeline(pipeline).map(({ name, operand }) => {
    if (!['$addFields', '$set', '$project', '$unset', '$replaceRoot', '$replaceWith'].includes(name))
      throw new CommandError('InvalidOptions', `${name} is not allowed to be used within an update`);
    return compileStage(name, operand, noSource, variables);
  });
  return (input) => compiled.reduce<Iterable<Document>>((documents, stage) => stage(documents), input);
}

/** Update stages read nothing but the document. */
const noSource = {} as Source;
