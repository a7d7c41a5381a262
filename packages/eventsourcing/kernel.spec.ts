import fc from 'fast-check';
import {
  addPeriod,
  canonicalJson,
  CHAIN_START,
  chainHash,
  derivedId,
  EventCatalog,
  eventId,
  parseStreamName,
  streamName,
} from '.';
import { StateCache } from './state-cache';
import { uuidOf } from './streams';

describe('stream names', () => {
  it('are taken apart as they were put together', () => {
    expect(streamName('acme', 'person', '0b0e-1')).toBe('acme.person-0b0e-1');
    expect(parseStreamName('acme.person-0b0e-1')).toEqual({ tenant: 'acme', category: 'person', id: '0b0e-1' });
  });

  it('refuse a tenant that could reach into another one', () => {
    for (const tenant of ['', 'ACME', 'a.b', 'a-b', 'a'.repeat(33)]) {
      expect(() => streamName(tenant, 'person', '1')).toThrow(RangeError);
    }
  });

  it('of others are not mistaken for ours', () => {
    for (const stream of ['$ce-person', '$$acme.person-1', 'person-1', 'acme.person', 'Acme.person-1']) {
      expect(parseStreamName(stream)).toBeUndefined();
    }
  });
});

describe('derived ids', () => {
  it('follow from their parts and from nothing else', () => {
    expect(derivedId('enrollment', 'p', 'c')).toBe(derivedId('enrollment', 'p', 'c'));
    expect(derivedId('enrollment', 'p', 'c')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('keep the parts apart', () => {
    expect(derivedId('ab', 'c')).not.toBe(derivedId('a', 'bc'));
    expect(eventId('command', 0)).not.toBe(eventId('command', 1));
  });

  it('are part of the storage format', () => {
    expect(derivedId('person', 'acme', '10001')).toBe('08070d43-331b-5a1b-85de-13077ae5fa4d');
    expect(derivedId('person', 'ä€😀')).toBe('d4eeacd7-0636-5cbe-a1a0-76c2919a2665');
  });

  it('are those of RFC 9562 (A.4), and none without bytes in UTF-8', () => {
    const dns = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
    expect(uuidOf(dns, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
    expect(() => uuidOf(dns, '\ud83d')).toThrow(RangeError);
  });
});

describe('a period', () => {
  it.each([
    ['2024-02-29', 'P6Y', '2030-02-28'],
    ['2024-02-29', 'P4Y', '2028-02-29'],
    ['2024-08-31', 'P18M', '2026-02-28'],
    ['2024-01-31', 'P1M1D', '2024-03-01'],
    ['2024-12-31', 'P1Y2M3D', '2026-03-03'],
    ['2023-12-31', 'P90D', '2024-03-30'],
  ])('from %s, %s ends %s', (day, period, end) => expect(addPeriod(day, period)).toBe(end));

  it('that is none is refused', () => {
    for (const period of ['', 'P', 'P0D', 'P1W', '6Y'])
      expect(() => addPeriod('2024-01-01', period)).toThrow(RangeError);
  });
});

describe('the hash chain', () => {
  const metadata = {
    schema: 1,
    tenant: 'acme',
    actor: { sub: 'hris', roles: ['service'], via: 'hris' },
    commandId: 'c',
    $correlationId: 'c',
    $causationId: 'c',
    occurredAt: '2026-01-01T00:00:00.000Z',
  };
  const event = { id: 'e', type: 'RoleChanged', data: { person: 'p', role: 'engineer' }, metadata };
  const hash = chainHash(CHAIN_START, event);

  it('does not depend on the order of keys', () => {
    const data = { role: 'engineer', person: 'p' };
    expect(chainHash(CHAIN_START, { ...event, data })).toBe(hash);
  });

  it('leaves only the hash itself out', () => {
    expect(chainHash(CHAIN_START, { ...event, metadata: { ...metadata, hash: 'anything' } as typeof metadata })).toBe(
      hash,
    );
  });

  it('changes with anything else', () => {
    const others = [
      { ...event, id: 'f' },
      { ...event, type: 'PersonHired' },
      { ...event, data: { ...event.data, role: 'manager' } },
      { ...event, metadata: { ...metadata, occurredAt: '2026-01-02T00:00:00.000Z' } },
      { ...event, metadata: { ...metadata, actor: { ...metadata.actor, sub: 'somebody' } } },
    ];
    for (const other of others) expect(chainHash(CHAIN_START, other)).not.toBe(hash);
    expect(chainHash(hash, event)).not.toBe(hash);
  });

  it('is stored the same after a round trip through JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        const restored = JSON.parse(JSON.stringify(data)) as object;
        expect(canonicalJson(restored)).toBe(canonicalJson(data));
      }),
    );
  });
});

describe('the event catalog', () => {
  const renamed = (data: object): object => ({ ...data, title: 'Untitled' });
  const doubled = (data: object): object => ({ ...data, points: 2 });
  const at = '2026-01-01T00:00:00.000Z';
  const catalog = new EventCatalog({ CoursePublished: { version: 3, upcast: { 1: renamed, 2: doubled } } });

  it('lifts every older version to the newest, step by step', () => {
    expect(catalog.upcast('CoursePublished', 1, { course: 'a' }, at)).toEqual({
      course: 'a',
      title: 'Untitled',
      points: 2,
    });
    expect(catalog.upcast('CoursePublished', 2, { course: 'a' }, at)).toEqual({ course: 'a', points: 2 });
    expect(catalog.upcast('CoursePublished', 3, { course: 'a' }, at)).toEqual({ course: 'a' });
  });

  it('refuses what a newer program wrote', () => {
    expect(() => catalog.upcast('CoursePublished', 4, {}, at)).toThrow(RangeError);
  });

  it('leaves events of others alone', () => {
    expect(catalog.upcast('Unheard', 7, { a: 1 }, at)).toEqual({ a: 1 });
    expect(() => catalog.current('Unheard')).toThrow('no context defines');
  });

  it('does not start with a step missing or an event defined twice', () => {
    expect(() => new EventCatalog({ A: { version: 3, upcast: { 1: renamed } } })).toThrow('no upcast from version 2');
    expect(() => new EventCatalog({ A: { version: 1 } }, { A: { version: 1 } })).toThrow('two contexts');
  });
});

describe('the state cache', () => {
  it('keeps what is used and forgets what is not', () => {
    const cache = new StateCache<number>(4);
    cache.set('used', 0);
    for (let i = 1; i <= 20; i++) {
      cache.set(`other-${i}`, i);
      expect(cache.get('used')).toBe(0);
    }
    expect(cache.get('other-1')).toBeUndefined();
    expect(cache.get('other-20')).toBe(20);
  });

  it('forgets on request, in both generations', () => {
    const cache = new StateCache<number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.delete('a');
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toBe(2);
  });
});
