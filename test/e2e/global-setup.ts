import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Before Jest starts its workers: where they put the stacks that files share, see `shared-stack.ts`. */
export default function setUp(): void {
  process.env.ATTEST_TEST_STACKS = mkdtempSync(join(tmpdir(), 'attest-stacks-'));
}
