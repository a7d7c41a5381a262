import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { GivenCopy, PrivacyStanding } from '../../privacy/privacy.controller';
import type { AnswerLine } from '../../shared/long-answers';
import { patiently } from '../client';
import { UsageError } from '../data-folder';
import { answer, say, table } from '../terminal';
import { acting, type Acting, clientFor, describeResult, reasonOption } from './privacy-acting';
import { addRetentionCommands } from './privacy-retention';
import { withProgress } from './with-progress';

type Rewrapped = AnswerLine<{ readonly rewrapped: number }>;

interface Options extends Acting {
  readonly reason: string;
  readonly matter: string;
  readonly wait?: boolean;
}

export function addPrivacyCommands(program: Command): void {
  const privacy = program
    .command('privacy')
    .description('legal holds, retention, erasure, and copies of personal data');

  acting(privacy, 'hold <person>', 'let nothing of a person be erased', 'compliance')
    .requiredOption('--matter <id>', 'what it is about, such as case-2026-17')
    .requiredOption(...reasonOption)
    .action((person: string, options: Options) => send('set-legal-hold', person, options, ['matter', 'reason']));

  acting(privacy, 'lift-hold <person>', 'lift a legal hold', 'compliance')
    .requiredOption('--matter <id>', 'what it is about, such as case-2026-17')
    .requiredOption(...reasonOption)
    .action((person: string, options: Options) => send('lift-legal-hold', person, options, ['matter', 'reason']));

  acting(privacy, 'erase <person>', 'ask for an erasure; somebody else must approve it', 'compliance')
    .requiredOption(...reasonOption)
    .action((person: string, options: Options) => send('request-erasure', person, options, ['reason']));

  acting(privacy, 'approve <person>', 'approve what somebody else has asked for; it cannot be undone', 'admin')
    .option('--no-wait', 'do not wait for the receipt')
    .action(approve);

  acting(privacy, 'reject <person>', 'reject an erasure that was asked for', 'admin')
    .requiredOption(...reasonOption)
    .action((person: string, options: Options) => send('reject-erasure', person, options, ['reason']));

  acting(
    privacy,
    'show <person>',
    'legal holds, the erasure with its receipt, and copies given out',
    'compliance',
  ).action(async (person: string, options: Options) => {
    const standing = await (await clientFor(options)).get<PrivacyStanding>(`/v1/privacy/${encodeURIComponent(person)}`);
    answer(standing, Boolean(options.json), () => describe(standing));
  });

  acting(privacy, 'export <person>', 'everything that is known of a person, as one JSON value', 'compliance').action(
    async (person: string, options: Options) => {
      const client = await clientFor(options);
      const copy = await patiently(() =>
        withProgress(
          'Reading',
          client.lines<AnswerLine<GivenCopy>>(`/v1/privacy/${encodeURIComponent(person)}/export`),
        ),
      );
      say(`${copy.events.length} events, ${Object.values(copy.documents).flat().length} documents`);
      answer(copy, Boolean(options.json), () => JSON.stringify(copy, null, 2));
    },
  );

  acting(privacy, 'rewrap-keys', 'wrap the keys of all people with the current master key', 'admin').action(
    async (options: Options) => {
      const lines = (await clientFor(options)).lines<Rewrapped>('/v1/privacy/rewrap-keys', {}, {});
      const done = await withProgress('Wrapping', lines);
      answer(done, Boolean(options.json), () => `${done.rewrapped} keys wrapped anew`);
    },
  );

  addRetentionCommands(privacy);
}

async function send(
  name: string,
  person: string,
  options: Options,
  fields: readonly ('reason' | 'matter')[],
): Promise<void> {
  const data = Object.fromEntries(fields.map((field) => [field, options[field]]));
  const result = await (await clientFor(options)).command(name, { person, ...data });
  answer(result, Boolean(options.json), () => describeResult(result));
}

async function approve(person: string, options: Options): Promise<void> {
  const client = await clientFor(options);
  const result = await client.command('approve-erasure', { person });
  if (!options.wait) return answer(result, Boolean(options.json), () => describeResult(result));
  for (;;) {
    const standing = await client.get<PrivacyStanding>(`/v1/privacy/${encodeURIComponent(person)}`);
    if (standing.erasure?.status === 'completed') {
      return answer(standing, Boolean(options.json), () => describe(standing));
    }
    if (standing.erasure?.status !== 'approved') throw new UsageError(`The erasure of ${person} is not approved.`);
    await delay(200);
  }
}

function describe({ person, holds, erasure, exports }: PrivacyStanding): string {
  const matters = Object.entries(holds).map(([matter, why]) => ({ matter, reason: why }));
  return [
    `person ${person}`,
    matters.length > 0 ? table(matters) : 'no legal hold',
    ...(erasure
      ? [
          `erasure ${erasure.number} is ${erasure.status}: asked for by ${erasure.requestedBy}, ` +
            (erasure.approvedBy ? `approved by ${erasure.approvedBy}` : 'not approved'),
        ]
      : ['no erasure asked for']),
    ...(erasure && erasure.scrubbed.length > 0 ? [table(erasure.scrubbed)] : []),
    ...(exports.length > 0 ? [table(exports)] : []),
  ].join('\n\n');
}
