import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Before Jest starts its workers: where they put the stack and the engine that files share, see `shared-stack.ts` and `shared-engine.ts`. And no
 * certificates beyond Node's own: where some are given, Node parses all that it knows whenever it starts, for more than half of what that
 * costs, and no test speaks TLS.
 */
export default function setUp(): void {
  process.env.ATTEST_TEST_STACKS = mkdtempSync(join(tmpdir(), 'attest-stacks-'));
  process.env.ATTEST_TEST_ENGINES = mkdtempSync(join(tmpdir(), 'attest-engines-'));
  delete process.env.NODE_EXTRA_CA_CERTS;
}
