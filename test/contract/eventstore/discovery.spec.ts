import { EventStoreDBClient } from '@eventstore/db-client';
import { collect, type Contract, events, failure, numbers, unique, useServer } from './harness';

let contract: Contract;
beforeAll(async () => {
  contract = await useServer();
});
afterAll(() => contract.close());

test('a client that discovers the cluster finds the node', async () => {
  const client = EventStoreDBClient.connectionString(contract.url.replace(/^esdb:/, 'esdb+discover:'));
  const stream = unique();
  await client.appendToStream(stream, events(2));
  expect(numbers(await collect(client.readStream(stream)))).toEqual([0, 1]);
  await client.dispose();
});

test('an append that fails without throwing tells so', async () => {
  const client = EventStoreDBClient.connectionString(`${contract.url}&throwOnAppendFailure=false`);
  const stream = unique();
  await client.appendToStream(stream, events(1));
  expect((await client.appendToStream(stream, events(1), { expectedRevision: 5n })).success).toBe(false);
  await client.dispose();
});

test('what is not served says so', async () => {
  const { client } = contract;
  if (process.env.ATTEST_TEST_EVENTSTORE_URL) return; // A real server has projections.
  const error = await failure(client.createProjection('p', 'fromAll()'));
  expect(String(error.message)).toMatch(/does not serve/);
  const projected = await failure(collect(client.readStream('$ce-course')));
  expect(String(projected.message)).toMatch(/no system projections/);
});
