import { addLenient, divide } from '../expressions/arithmetic';
import { compareValues } from '../bson/compare';
import { CommandError, notSupported } from '../errors';
import { encodeKey } from '../bson/key-encoding';
import { type Expression, parseExpression } from '../expressions/expressions';
import { mergeDocuments } from '../expressions/logic';
import { toDouble } from '../bson/numbers';
import { double, isDocument, isNumeric, type Numeric, type Value } from '../bson/values';

/** Collects one output field of a group. */
export interface Accumulator {
  add(value: Value | undefined): void;
  result(): Value;
}

/** An accumulator of `$group` with the expression that feeds it. */
export interface AccumulatorDefinition {
  name: string;
  input: Expression;
  create(): Accumulator;
}

class Sum implements Accumulator {
  private total: Numeric = 0;

  add(value: Value | undefined): void {
    if (isNumeric(value)) this.total = addLenient(this.total, value);
  }

  result(): Value {
    return this.total;
  }
}

class Average implements Accumulator {
  private total: Numeric = 0;
  private count = 0;

  add(value: Value | undefined): void {
    if (!isNumeric(value)) return;
    this.total = addLenient(this.total, value);
    this.count++;
  }

  result(): Value {
    return this.count === 0 ? null : divide(this.total, this.count);
  }
}

class Extreme implements Accumulator {
  private best: Value | undefined;

  constructor(private readonly sign: 1 | -1) {}

  add(value: Value | undefined): void {
    if (value === undefined || value === null) return;
    if (this.best === undefined || compareValues(value, this.best) * this.sign > 0) this.best = value;
  }

  result(): Value {
    return this.best ?? null;
  }
}

class Edge implements Accumulator {
  private value: Value | undefined;
  private any = false;

  constructor(private readonly last: boolean) {}

  add(value: Value | undefined): void {
    if (this.any && !this.last) return;
    this.value = value;
    this.any = true;
  }

  result(): Value {
    return this.value ?? null;
  }
}

class Push implements Accumulator {
  private readonly items: Value[] = [];

  add(value: Value | undefined): void {
    if (value !== undefined) this.items.push(value);
  }

  result(): Value {
    return this.items;
  }
}

class Distinct implements Accumulator {
  private readonly items = new Map<string, Value>();

  add(value: Value | undefined): void {
    if (value === undefined) return;
    const key = encodeKey(value).toString('latin1');
    if (!this.items.has(key)) this.items.set(key, value);
  }

  result(): Value {
    return [...this.items.values()];
  }
}

class Merge implements Accumulator {
  private readonly items: (Value | undefined)[] = [];

  add(value: Value | undefined): void {
    this.items.push(value);
  }

  result(): Value {
    return mergeDocuments(this.items);
  }
}

/** Welford's method, which does not lose precision as a sum of squares does. */
class Deviation implements Accumulator {
  private count = 0;
  private mean = 0;
  private squares = 0;

  constructor(private readonly sample: boolean) {}

  add(value: Value | undefined): void {
    if (!isNumeric(value)) return;
    const number = toDouble(value);
    this.count++;
    const difference = number - this.mean;
    this.mean += difference / this.count;
    this.squares += difference * (number - this.mean);
  }

  result(): Value {
    const divisor = this.sample ? this.count - 1 : this.count;
    return divisor <= 0 ? null : double(Math.sqrt(this.squares / divisor));
  }
}

const accumulators: Record<string, () => Accumulator> = {
  $sum: () => new Sum(),
  $count: () => new Sum(),
  $avg: () => new Average(),
  $min: () => new Extreme(-1),
  $max: () => new Extreme(1),
  $first: () => new Edge(false),
  $last: () => new Edge(true),
  $push: () => new Push(),
  $addToSet: () => new Distinct(),
  $mergeObjects: () => new Merge(),
  $stdDevPop: () => new Deviation(false),
  $stdDevSamp: () => new Deviation(true),
};

const refused = new Set(
  '$accumulator $bottom $bottomN $firstN $lastN $maxN $median $minN $percentile $top $topN $concatArrays $setUnion'.split(
    ' ',
  ),
);

/** Reads one field of `$group`. @throws CommandError 15952 for unknown accumulators, NotImplemented (238) for those outside the subset. */
export function parseAccumulator(name: string, specification: Value): AccumulatorDefinition {
  if (name.includes('.')) throw new CommandError(40235, `The field name '${name}' cannot contain '.'`);
  if (!isDocument(specification)) throw new CommandError(40234, `The field '${name}' must be an accumulator object`);
  if (specification.size !== 1) throw new CommandError(40238, `The field '${name}' must specify one accumulator`);
  const [operator, operand] = specification.entries().next().value!;
  const create = accumulators[operator];
  if (refused.has(operator)) throw notSupported(`the accumulator ${operator}`);
  if (!create) throw new CommandError(15952, `unknown group operator '${operator}'`);
  return { name, create, input: operator === '$count' ? () => 1 : parseExpression(operand) };
}
