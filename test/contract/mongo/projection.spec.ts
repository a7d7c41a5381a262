import { type Document } from 'mongodb';
import { type AnyDocument, codeOf, server } from './harness';

const given = server();

const learner = {
  _id: 1,
  name: 'Ada',
  n: { x: 1, y: 2 },
  list: [{ a: 1, b: 2 }, { a: 3, b: 4 }, 5],
  scores: [1, 5, 9, 12],
};

it.each([
  ['nothing keeps all', {}, learner],
  ['inclusion keeps _id', { name: 1 }, { _id: 1, name: 'Ada' }],
  ['inclusion without _id', { name: true, _id: 0 }, { name: 'Ada' }],
  ['only _id', { _id: 1 }, { _id: 1 }],
  ['exclusion', { list: 0, scores: 0, n: false }, { _id: 1, name: 'Ada' }],
  ['exclusion of _id only', { _id: 0 }, { name: 'Ada', n: learner.n, list: learner.list, scores: learner.scores }],
  ['nested inclusion', { 'n.x': 1 }, { _id: 1, n: { x: 1 } }],
  ['nested inclusion as a document', { n: { y: 1 } }, { _id: 1, n: { y: 2 } }],
  ['nested exclusion', { 'n.x': 0, list: 0, scores: 0 }, { _id: 1, name: 'Ada', n: { y: 2 } }],
  ['inclusion in an array leaves out scalars', { 'list.a': 1 }, { _id: 1, list: [{ a: 1 }, { a: 3 }] }],
  [
    'exclusion in an array keeps scalars',
    { 'list.a': 0, n: 0, scores: 0, name: 0 },
    { _id: 1, list: [{ b: 2 }, { b: 4 }, 5] },
  ],
  ['a missing field', { gone: 1 }, { _id: 1 }],
  ['$slice of the first', { scores: { $slice: 2 }, list: 0, n: 0 }, { _id: 1, name: 'Ada', scores: [1, 5] }],
  ['$slice of the last', { scores: { $slice: -1 }, list: 0, n: 0, name: 0 }, { _id: 1, scores: [12] }],
  ['$slice with a start', { name: 1, scores: { $slice: [1, 2] } }, { _id: 1, name: 'Ada', scores: [5, 9] }],
  ['$elemMatch', { scores: { $elemMatch: { $gt: 4 } } }, { _id: 1, scores: [5] }],
  ['$elemMatch of documents', { list: { $elemMatch: { a: 3 } } }, { _id: 1, list: [{ a: 3, b: 4 }] }],
  ['a computed field', { total: { $sum: '$scores' } }, { _id: 1, total: 27 }],
  ['a renamed field', { who: '$name', _id: 0 }, { who: 'Ada' }],
] as [string, Document, AnyDocument][])('%s', async (_name, projection, expected) => {
  const collection = await given.collection([learner]);
  const found = await collection.findOne({}, { projection });
  expect(found).toEqual(expected);
});

it('keeps the order of the document, not of the projection', async () => {
  const collection = await given.collection([{ _id: 1, a: 1, b: 2, c: 3 }]);
  expect(Object.keys((await collection.findOne({}, { projection: { c: 1, a: 1 } }))!)).toEqual(['_id', 'a', 'c']);
});

it('projects the element that the query matched', async () => {
  const collection = await given.collection([learner]);
  expect(await collection.findOne({ 'list.a': 3 }, { projection: { 'list.$': 1 } })).toEqual({
    _id: 1,
    list: [{ a: 3, b: 4 }],
  });
  expect(await collection.findOne({ scores: { $gt: 8 } }, { projection: { 'scores.$': 1 } })).toEqual({
    _id: 1,
    scores: [9],
  });
});

it.each([
  ['inclusion and exclusion mixed', { a: 1, b: 0 }, 31254],
  ['exclusion and inclusion mixed', { a: 0, b: 1 }, 31253],
  ['colliding paths', { a: 1, 'a.b': 1 }, 31249],
] as [string, Document, number][])('refuses %s', async (_name, projection, code) => {
  const collection = await given.collection([{ a: 1 }]);
  expect(await codeOf(collection.find({}, { projection }).toArray())).toBe(code);
});
