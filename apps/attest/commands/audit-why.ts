import type { Command } from 'commander';
import type { Explanation } from '../../audit/why';
import type { SealExplanation } from '../../audit/why-seal';
import type { AnswerLine } from '../../shared/long-answers';
import { answer, table } from '../terminal';
import { type Common, command, connect, tenantOption } from './command';
import { withProgress } from './with-progress';

type Explained = Explanation | SealExplanation;

/** Events under a seal that are listed for people. */
const LISTED = 20;

export function addWhyCommand(auditing: Command): void {
  command(
    auditing,
    'why <id>',
    'the chain of causes of an enrollment, notification, attempt, person, course, rule, assessment or event; ' +
      'or of a seal: seal-<number>, its hash, the root of its tree, or the id of its event',
  )
    .addOption(tenantOption('acme'))
    .action(async (id: string, options: Common) => {
      const client = await connect(options, 'compliance');
      const lines = client.lines<AnswerLine<Explained>>(`/v1/audit/why/${encodeURIComponent(id)}`);
      const explained = await withProgress('Reading', lines);
      answer(explained, Boolean(options.json), () =>
        'seal' in explained ? describeSeal(explained) : describeExplanation(explained),
      );
    });
}

export function describeExplanation({ origin, rules, steps }: Explanation): string {
  const lines = steps.map(({ depth, type, stream, occurredAt, via, position }) => ({
    event: `${'  '.repeat(depth)}${type}`,
    stream: stream.slice(stream.indexOf('.') + 1),
    effective: occurredAt.slice(0, 10),
    via,
    position,
  }));
  const inForce = rules.map(({ rule, version, publishedBy, recordedAt }) => ({
    rule,
    version,
    publishedBy,
    recordedAt,
  }));
  return [
    `${origin.via} ${origin.id}, by ${origin.actor}`,
    table(lines),
    ...(inForce.length > 0 ? [table(inForce)] : []),
  ].join('\n\n');
}

function describeSeal({ seal, previous, signedBy, signaturesHold, keys, covers }: SealExplanation): string {
  const { number, hash, sealedAt, after, upTo, from, size, root } = seal;
  const follows = previous
    ? `follows seal ${previous.number}, ${previous.hash}${previous.isNamed ? '' : ': IT NAMES ANOTHER ONE'}`
    : 'is the first';
  const { events, deviating, types, listed } = covers;
  return [
    `seal ${number}, sealed at ${sealedAt}, ${follows}\n\nhash  ${hash}\nroot  ${root}`,
    `covers events ${from + 1} to ${size} of the tenant, log positions after ${after} up to ${upTo}`,
    `signatures ${signaturesHold ? 'hold' : 'DO NOT HOLD'}:\n\n${table(signedBy)}`,
    table(keys),
    deviating === 0
      ? `${events} events, each to the byte what was sealed`
      : `${deviating} of ${events} events ARE NOT WHAT WAS SEALED: see "attest audit verify"`,
    table(Object.entries(types).map(([type, count]) => ({ type, events: count }))),
    table(listed.slice(0, LISTED)),
    ...(listed.length > LISTED ? [`${events - LISTED} more: see --json`] : []),
  ].join('\n\n');
}
