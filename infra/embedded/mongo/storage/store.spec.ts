import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Store } from './store';

it('gives values of every size as buffers of their own length, copied or not', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'attest-mongo-store-'));
  const store = new Store(join(dir, 'data.mdb'));
  try {
    const sizes = [3, 300, 40_000, 16 * 1024 * 1024, 12];
    const keyOf = (size: number): Buffer => Buffer.from(`key-${size}`);
    await store.write(() => {
      for (const size of sizes) store.put(keyOf(size), Buffer.alloc(size, size % 251));
    });
    for (const fast of [false, true])
      for (const size of sizes) {
        const bytes = store.get(keyOf(size), fast)!;
        expect([Buffer.isBuffer(bytes), bytes.length, bytes[0], bytes[size - 1]]).toEqual([
          true,
          size,
          size % 251,
          size % 251,
        ]);
      }
    expect(store.get(keyOf(7), true)).toBeUndefined();
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
});
