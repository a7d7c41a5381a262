import fc from 'fast-check';
import { concealFields, decrypt, encrypt, hasPersonal, isSealed, openFields, sealFields } from '.';

const FIELDS = ['name', 'email'];
const key = Buffer.alloc(32, 'ada');
const owner = { tenant: 'acme', person: 'p1', id: 'e1', type: 'PersonHired' };
const hired = { person: 'p1', name: { given: 'Ada', family: 'Lovelace' }, email: 'ada@example.com', role: 'engineer' };

describe('personal fields', () => {
  it('open as they were sealed, whatever they hold', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.option(fc.string()), (name, email) => {
        const data = { name: JSON.parse(JSON.stringify(name)) as unknown, email };
        const sealed = JSON.parse(JSON.stringify(sealFields(data, FIELDS, key, owner))) as object;
        expect(openFields(sealed, FIELDS, key, owner)).toEqual(data);
      }),
    );
  });

  it('leave everything else as it is, and null where there is nothing to hide', () => {
    const sealed = sealFields({ ...hired, email: null }, FIELDS, key, owner);
    expect(sealed).toEqual({
      person: 'p1',
      name: { sealed: expect.any(String) as string },
      email: null,
      role: 'engineer',
    });
    expect(JSON.stringify(sealed)).not.toContain('Lovelace');
  });

  it('are never sealed the same twice', () => {
    const sealed = Array.from({ length: 100 }, () => JSON.stringify(sealFields(hired, FIELDS, key, owner)));
    expect(new Set(sealed).size).toBe(100);
  });

  it.each(['tenant', 'person', 'id', 'type'] as const)('do not open under another %s', (part) => {
    const sealed = sealFields(hired, FIELDS, key, owner);
    const opened = openFields(sealed, FIELDS, key, { ...owner, [part]: 'other' });
    expect(opened).toEqual({ ...hired, name: null, email: null });
  });

  it('do not open in the place of another field, with another key, or with none', () => {
    const { name, email } = sealFields(hired, FIELDS, key, owner) as typeof hired;
    const gone = { ...hired, name: null, email: null };
    expect(openFields({ ...hired, name: email, email: name }, FIELDS, key, owner)).toEqual(gone);
    expect(openFields({ ...hired, name, email }, FIELDS, Buffer.alloc(32, 'bob'), owner)).toEqual(gone);
    expect(openFields({ ...hired, name, email }, FIELDS, undefined, owner)).toEqual(gone);
  });

  it('of an older version, stored in clear, read as they are', () => {
    expect(openFields(hired, FIELDS, undefined, owner)).toEqual(hired);
  });

  it('are nothing readable once concealed', () => {
    const { name } = sealFields(hired, FIELDS, key, owner) as typeof hired;
    expect(concealFields({ ...hired, name }, FIELDS)).toEqual({ ...hired, name, email: null });
    expect(isSealed(name)).toBe(true);
    expect([hired, { name: null }, {}].map((data) => hasPersonal(data, FIELDS))).toEqual([true, false, false]);
  });
});

it('an encrypted text does not survive a flipped bit', () => {
  const sealed = encrypt(key, Buffer.from('Ada Lovelace'), ['acme']);
  fc.assert(
    fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decrypt(key, flipped, ['acme'])).toBeUndefined();
    }),
  );
  expect(decrypt(key, sealed.subarray(0, 20), ['acme'])).toBeUndefined();
  expect(decrypt(key, sealed, ['acme'])?.toString()).toBe('Ada Lovelace');
});
