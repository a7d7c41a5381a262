import { document, type Document, isDocument } from '../bson/values';
import { CommandError, notSupported } from '../errors';
import { parseFilter } from '../query/filter-parser';
import { wholeNumber } from '../bson/numbers';
import { parseSort, plan, type Plan } from '../query/planner';
import { find, type Examined } from '../query/query';
import { type Collection } from '../storage/collection';
import { type Call, checkFields, type CommandDefinition, genericFields, hintOf } from './command';
import { readCommands } from './read';

/** The fields of the commands that hold a query. */
const queryFields: Record<string, string> = { find: 'filter', count: 'query', distinct: 'query' };

/**
 * `explain` of find, count and distinct: the plan as MongoDB's classic engine shows it, and what running it looks at. The stages are
 * IXSCAN, COLLSCAN, FETCH and SORT; no other plans are considered, so none are shown.
 */
function explain(call: Call): Document {
  const command = call.document('explain') ?? document({});
  const [name = ''] = command.keys();
  const field = queryFields[name];
  const verbosity = call.value('verbosity') ?? 'allPlansExecution';
  if (!field) throw notSupported(`explain of '${name}'`);
  const inner = [...command.keys()].filter((part) => !genericFields.has(part));
  checkFields(`explain.${name}`, inner, [name, ...readCommands[name]!.fields]);
  if (verbosity !== 'queryPlanner' && verbosity !== 'executionStats' && verbosity !== 'allPlansExecution')
    throw new CommandError(
      'FailedToParse',
      'verbosity must be one of {queryPlanner, executionStats, allPlansExecution}',
    );
  const target = command.get(name);
  if (typeof target !== 'string') throw new CommandError('InvalidNamespace', 'explain needs the name of a collection');
  const namespace = `${call.database}.${target}`;
  const collection = call.catalog.get(namespace);
  const query = partOf(command, field);
  const planner = document({
    namespace,
    parsedQuery: query,
    winningPlan: collection ? stagesOf(chosen(collection, command, query), command) : document({ stage: 'EOF' }),
    rejectedPlans: [],
  });
  const executed = verbosity !== 'queryPlanner' && { executionStats: executionOf(call, collection, command, query) };
  return document({ explainVersion: '1', queryPlanner: planner, ...executed, ok: 1 });
}

function partOf(command: Document, field: string): Document {
  const value = command.get(field);
  return isDocument(value) ? value : document({});
}

function chosen(collection: Collection, command: Document, query: Document): Plan {
  const sort = parseSort(partOf(command, 'sort'));
  return plan(collection, parseFilter(query), sort, hintOf(collection, command.get('hint')));
}

function stagesOf({ index, ranges, sorted }: Plan, command: Document): Document {
  const direction = ranges[0]?.reverse ? 'backward' : 'forward';
  const source = index
    ? document({
        stage: 'FETCH',
        inputStage: document({
          stage: 'IXSCAN',
          keyPattern: index.meta.key,
          indexName: index.meta.name,
          isMultiKey: index.multikey,
          isUnique: index.meta.unique,
          isSparse: index.meta.sparse,
          isPartial: index.meta.partialFilter !== undefined,
          direction,
        }),
      })
    : document({ stage: 'COLLSCAN', direction });
  return sorted ? source : document({ stage: 'SORT', sortPattern: partOf(command, 'sort'), inputStage: source });
}

function executionOf(call: Call, collection: Collection | undefined, command: Document, query: Document): Document {
  const examined: Examined = { keys: 0, documents: 0 };
  const number = (field: string): number => Math.abs(wholeNumber(command.get(field)) ?? 0);
  let nReturned = 0;
  if (collection)
    for (const _found of find(call.kv, collection, {
      filter: parseFilter(query),
      sort: parseSort(partOf(command, 'sort')),
      skip: number('skip'),
      limit: number('limit'),
      hint: hintOf(collection, command.get('hint')),
      deadline: call.deadline,
      examined,
    }))
      nReturned++;
  return document({
    executionSuccess: true,
    nReturned,
    totalKeysExamined: examined.keys,
    totalDocsExamined: examined.documents,
  });
}

export const explainCommands: Record<string, CommandDefinition> = {
  explain: { access: 'read', fields: ['verbosity'], run: explain },
};
