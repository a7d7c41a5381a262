import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { RetentionGround, RetentionRule } from '../../../packages/privacy';
import { RETENTION_CATEGORIES, RETENTION_STARTS } from '../../../packages/privacy/retention.events';
import type { Due, DueItem } from '../../privacy/due';
import type { PrivacyStanding } from '../../privacy/privacy.controller';
import type { DueOutcome } from '../../privacy/retention';
import type { AttestClient } from '../client';
import { UsageError } from '../data-folder';
import { answer, progressBar, say, table } from '../terminal';
import { acting, type Acting, clientFor, describeResult, reasonOption } from './privacy-acting';
import { withProgress } from './with-progress';

interface RuleOptions extends Acting {
  readonly for: string;
  readonly from: string;
  readonly reason: string;
}

interface DueOptions extends Acting {
  readonly asOf?: string;
  readonly all?: boolean;
  readonly wait?: boolean;
}

const CATEGORIES = RETENTION_CATEGORIES.join(', ');

export function addRetentionCommands(privacy: Command): void {
  acting(privacy, 'retain <category>', `rule how long events need a person's name: ${CATEGORIES}`, 'compliance')
    .requiredOption('--for <period>', 'ISO 8601 duration in years, months and days, such as P6Y')
    .addOption(new Option('--from <start>', 'what it counts from').choices(RETENTION_STARTS).makeOptionMandatory())
    .requiredOption(...reasonOption)
    .action(async (category: string, options: RuleOptions) => {
      const { for: keepFor, from, reason } = options;
      const client = await clientFor(options);
      const result = await client.command('set-retention-rule', { category, keepFor, from, reason });
      answer(result, Boolean(options.json), () => describeResult(result));
    });

  acting(
    privacy,
    'withdraw-rule <category>',
    'withdraw a retention rule: its events are kept without end',
    'compliance',
  )
    .requiredOption(...reasonOption)
    .action(async (category: string, options: RuleOptions) => {
      const client = await clientFor(options);
      const result = await client.command('withdraw-retention-rule', { category, reason: options.reason });
      answer(result, Boolean(options.json), () => describeResult(result));
    });

  acting(privacy, 'rules', 'the retention rules in force', 'compliance').action(async (options: Acting) => {
    const rules = await (await clientFor(options)).get<RetentionRule[]>('/v1/privacy/retention-rules');
    answer(rules, Boolean(options.json), () => describeRules(rules));
  });

  acting(privacy, 'due', 'whose name no retention rule needs any more, why, and what stops its erasure', 'compliance')
    .option('--as-of <date>', 'on this day, which may lie ahead (default: today)')
    .action(async (options: DueOptions) => {
      const due = await listed(await clientFor(options), options.asOf);
      answer(due, Boolean(options.json), () => describeDue(due));
    });

  acting(privacy, 'request-due [person...]', 'ask for the erasure of who is due; somebody else approves', 'compliance')
    .option('--all', 'everybody who is due, and of whom no erasure was asked for before')
    .action(async (people: string[], options: DueOptions) => {
      const client = await clientFor(options);
      const isWanted = ({ erasure }: DueItem): boolean => erasure === null;
      const outcome = await carriedOut(client, 'request', people, options, isWanted);
      answer(outcome, Boolean(options.json), () => describeOutcome('erasures asked for', outcome));
      if (outcome.leftOut.length > 0) process.exitCode = 1;
    });

  acting(
    privacy,
    'approve-due [person...]',
    'approve what somebody else asked for with request-due: no way back',
    'admin',
  )
    .option('--all', 'everybody who is due, and whose erasure was asked for')
    .option('--no-wait', 'do not wait for the receipts')
    .action(async (people: string[], options: DueOptions) => {
      const client = await clientFor(options);
      const isWanted = ({ erasure }: DueItem): boolean => erasure?.status === 'requested' && erasure.retention !== null;
      const outcome = await carriedOut(client, 'approve', people, options, isWanted);
      if (options.wait) await receipts(client, outcome.people);
      answer(outcome, Boolean(options.json), () => describeOutcome('erasures approved', outcome));
      if (outcome.leftOut.length > 0) process.exitCode = 1;
    });
}

function listed(client: AttestClient, asOf?: string): Promise<Due> {
  return withProgress('Reading', client.lines('/v1/privacy/due', { asOf }));
}

/** Nothing is done with whom nobody names: `--all` names those who are listed. */
async function carriedOut(
  client: AttestClient,
  step: 'request' | 'approve',
  named: readonly string[],
  { all }: DueOptions,
  isWanted: (item: DueItem) => boolean,
): Promise<DueOutcome> {
  if (Boolean(all) === named.length > 0) throw new UsageError('Name the people, or say --all.');
  const people = all ? (await listed(client)).items.filter(isWanted).map(({ person }) => person) : named;
  if (people.length === 0) return { people: [], leftOut: [] };
  return withProgress('Reading', client.lines(`/v1/privacy/due/${step}`, {}, { people }));
}

async function receipts(client: AttestClient, people: readonly string[]): Promise<void> {
  const bar = progressBar('Erasing', people.length);
  try {
    for (const person of people) {
      const path = `/v1/privacy/${person}`;
      while ((await client.get<PrivacyStanding>(path)).erasure?.status !== 'completed') await delay(200);
      bar.advance(1);
    }
  } finally {
    bar.stop();
  }
}

function describeRules(rules: readonly RetentionRule[]): string {
  return rules.length > 0 ? table(rules) : 'no retention rule: everything is kept without end';
}

function describeDue({ asOf, rules, items, lapsed, kept }: Due): string {
  const rows = items.map(({ person, dueOn, grounds, holds, erasure }) => ({
    person,
    dueOn,
    why: grounds.map(describeGround).join(', '),
    stoppedBy:
      Object.keys(holds)
        .map((matter) => `legal hold ${matter}`)
        .join(', ') || null,
    erasure: erasure && `${erasure.status}, asked for by ${erasure.requestedBy}`,
  }));
  return [
    describeRules(rules),
    `${items.length} due as of ${asOf}`,
    ...(rows.length > 0 ? [table(rows)] : []),
    ...(lapsed.length > 0 ? [`Asked for, and due no more; reject them: ${lapsed.join(', ')}`] : []),
    table(Object.entries(kept).map(([because, people]) => ({ keptBecause: because, people }))),
  ].join('\n\n');
}

function describeGround({ category, keepFor, from, since }: RetentionGround): string {
  return `${category} ${keepFor} from ${from} on ${since}`;
}

function describeOutcome(what: string, { people, leftOut }: DueOutcome): string {
  say(`${people.length} ${what}, ${leftOut.length} left out`);
  return [...people, ...(leftOut.length > 0 ? [table(leftOut)] : [])].join('\n');
}
