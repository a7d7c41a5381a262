import { BSONRegExp } from 'bson';
import { compareStrings } from '../bson/compare';
import { CommandError } from '../errors';
import { type OperatorParser } from './expressions';
import { toDouble, wholeNumber } from '../bson/numbers';
import { type Argument, isNullish, named, operator, strict, stringArgument } from './operands';
import { regexOf } from '../query/regex';
import { type Document, isNumeric, type Value } from '../bson/values';

/** Text of a value where an operator accepts more than strings; null and missing are empty. */
function textOf(name: string, value: Argument): string {
  if (isNullish(value)) return '';
  if (value instanceof Date) return value.toISOString();
  if (isNumeric(value)) return String(toDouble(value));
  return stringArgument(name, value);
}

function whole(name: string, value: Argument): number {
  const number = wholeNumber(value);
  if (number === undefined) throw new CommandError('TypeMismatch', `${name} needs a whole number`);
  return number;
}

function trim(name: string, start: boolean, end: boolean): OperatorParser {
  return named(['input'], ['chars'], (argument) => {
    const input = argument('input');
    if (isNullish(input)) return null;
    const chars = argument('chars');
    const text = [...stringArgument(name, input)];
    const drops = (char: string | undefined): boolean =>
      char !== undefined && (chars === undefined ? /[\s\0]/.test(char) : textOf(name, chars).includes(char));
    while (start && drops(text[0])) text.shift();
    while (end && drops(text.at(-1))) text.pop();
    return text.join('');
  });
}

function replace(name: string, all: boolean): OperatorParser {
  return named(['input', 'find', 'replacement'], [], (argument) => {
    const parts = ['input', 'find', 'replacement'].map(argument);
    if (parts.some(isNullish)) return null;
    const [input = '', search = '', replacement = ''] = parts.map((part) => stringArgument(name, part));
    return all ? input.split(search).join(replacement) : input.replace(search, () => replacement);
  });
}

function patternOf(name: string, argument: (name: string) => Argument): RegExp {
  const regex = argument('regex');
  const options = argument('options');
  const extra = isNullish(options) ? '' : stringArgument(name, options);
  if (regex instanceof BSONRegExp) return regexOf(regex.pattern, regex.options || extra);
  return regexOf(stringArgument(name, regex), extra);
}

const regexFind = named(['input', 'regex'], ['options'], (argument) => {
  const input = argument('input');
  if (isNullish(input) || isNullish(argument('regex'))) return null;
  const text = stringArgument('$regexFind', input);
  const found = patternOf('$regexFind', argument).exec(text);
  if (!found) return null;
  const captures: Value[] = found.slice(1).map((capture) => (capture as string | undefined) ?? null);
  const match: Document = new Map<string, Value>([
    ['match', found[0]],
    ['idx', [...text.slice(0, found.index)].length],
    ['captures', captures],
  ]);
  return match;
});

/** A substring by UTF-8 bytes. @throws when it would cut a character. */
function bytesBetween(name: string, text: string, start: number, length: number): string {
  const bytes = Buffer.from(text, 'utf8');
  const end = length < 0 ? bytes.length : Math.min(bytes.length, start + length);
  const inside = (at: number): boolean => at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
  if (inside(start) || inside(end))
    throw new CommandError(28656, `${name}: Invalid range, it would cut a UTF-8 character`);
  return bytes.toString('utf8', Math.min(start, bytes.length), Math.max(start, end));
}

const substrBytes = operator(3, 3, (value, start, length) =>
  bytesBetween(
    '$substrBytes',
    textOf('$substrBytes', value),
    whole('$substrBytes', start),
    whole('$substrBytes', length),
  ),
);

export const stringOperators: Record<string, OperatorParser> = {
  $concat: strict(0, Infinity, (...parts) => parts.map((part) => stringArgument('$concat', part)).join('')),
  $toLower: operator(1, 1, (value) => textOf('$toLower', value).toLowerCase()),
  $toUpper: operator(1, 1, (value) => textOf('$toUpper', value).toUpperCase()),
  $substr: substrBytes,
  $substrBytes: substrBytes,
  $substrCP: operator(3, 3, (value, start, length) => {
    const from = whole('$substrCP', start);
    return [...textOf('$substrCP', value)].slice(from, from + whole('$substrCP', length)).join('');
  }),
  $strLenCP: operator(1, 1, (value) => [...stringArgument('$strLenCP', value)].length),
  $strLenBytes: operator(1, 1, (value) => Buffer.byteLength(stringArgument('$strLenBytes', value))),
  $split: strict(2, 2, (text, separator) => {
    if (separator === '') throw new CommandError(40087, '$split requires a non-empty separator');
    return stringArgument('$split', text).split(stringArgument('$split', separator));
  }),
  $trim: trim('$trim', true, true),
  $ltrim: trim('$ltrim', true, false),
  $rtrim: trim('$rtrim', false, true),
  $replaceOne: replace('$replaceOne', false),
  $replaceAll: replace('$replaceAll', true),
  $indexOfCP: strict(2, 4, (text, search, start = 0, end) => {
    const all = [...stringArgument('$indexOfCP', text)];
    const part = all.slice(0, end === undefined ? all.length : whole('$indexOfCP', end));
    const from = whole('$indexOfCP', start);
    const at = part.slice(from).join('').indexOf(stringArgument('$indexOfCP', search));
    return at < 0 ? -1 : from + [...part.slice(from).join('').slice(0, at)].length;
  }),
  $regexMatch: named(['input', 'regex'], ['options'], (argument) => {
    const input = argument('input');
    return (
      !isNullish(input) &&
      !isNullish(argument('regex')) &&
      patternOf('$regexMatch', argument).test(stringArgument('$regexMatch', input))
    );
  }),
  $regexFind: regexFind,
  $strcasecmp: operator(2, 2, (a, b) =>
    Math.sign(compareStrings(textOf('$strcasecmp', a).toUpperCase(), textOf('$strcasecmp', b).toUpperCase())),
  ),
  $indexOfBytes: strict(2, 2, (text, search) =>
    Buffer.from(stringArgument('$indexOfBytes', text)).indexOf(stringArgument('$indexOfBytes', search)),
  ),
};
