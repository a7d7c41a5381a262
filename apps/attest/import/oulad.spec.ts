import { join } from 'node:path';
import type { BulkLine } from '../../shared/bulk-commands';
import type { AttestClient, BulkCommand } from '../client';
import { importOulad } from './oulad';

const SAMPLE = join(__dirname, '..', '..', '..', 'test', 'fixtures', 'oulad');
const away = { type: 'urn:attest:problem:store-unavailable', title: '', status: 503, detail: 'away' };
const unknown = { type: 'urn:attest:problem:refused', title: '', status: 422, detail: 'not enrolled' };

/** An Attest that keeps what it accepts and, as often as it is told, loses one line in the middle of a request. */
function attestThatFails(times: number) {
  const known = new Set<string>();
  const enrolled = new Set<string>();
  async function* bulk(commands: readonly BulkCommand[]): AsyncGenerator<BulkLine> {
    const lost = times-- > 0 ? commands.findIndex(({ command }) => command === 'enroll-learner') : -1;
    for (const [index, { command, id, data }] of commands.entries()) {
      const line = index + 1;
      const { person, course } = data as { person: string; course: string };
      const isOfEnrollment = /-enrollment$|^withdraw/.test(command);
      if (index === lost) yield { line, outcome: 'refused', problem: away };
      else if (isOfEnrollment && !enrolled.has(person + course)) yield { line, outcome: 'refused', problem: unknown };
      else {
        const outcome = known.has(id) ? 'already-known' : 'accepted';
        known.add(id);
        if (command === 'enroll-learner') enrolled.add(person + course);
        yield { line, outcome, stream: '', revision: 0, position: '0', events: [] };
      }
      await Promise.resolve();
    }
  }
  return { bulk } as unknown as AttestClient;
}

describe('The import of OULAD', () => {
  it('given an Attest that fails for a moment, then the facts that it lost are sent again and none counts as refused', async () => {
    const whole = await importOulad(attestThatFails(0), 'ou', SAMPLE, () => undefined);
    const interrupted = await importOulad(attestThatFails(1), 'ou', SAMPLE, () => undefined);
    expect(whole.facts).toMatchObject({ refused: 0, accepted: whole.facts.sent });
    expect(interrupted.facts).toEqual(whole.facts);
  });

  it('given answers that come one by one, then each counts as progress when it comes, and once if it is sent again', async () => {
    const attest = attestThatFails(1);
    let [answered, told, requests] = [0, 0, 0];
    const counting: Pick<AttestClient, 'bulk'> = {
      async *bulk(commands) {
        requests++;
        for await (const line of attest.bulk(commands)) {
          if (requests === 1) expect(told).toBe(answered);
          answered++;
          yield line;
        }
      },
    };
    const { byKind } = await importOulad(counting, 'ou', SAMPLE, (more) => (told += more));
    const sent = Object.values(byKind).reduce((sum, kind) => sum + kind.sent, 0);
    expect(told).toBe(sent);
    expect(answered).toBeGreaterThan(sent);
  });

  it('given an Attest that goes on failing, then the import says so', async () => {
    await expect(importOulad(attestThatFails(100), 'ou', SAMPLE, () => undefined)).rejects.toThrow('away');
  });
});
