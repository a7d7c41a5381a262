import type { BundleAbout, PublicSealKey, Seal } from '../../packages/evidence';
import { isSealed } from '../../packages/eventsourcing';
import type { TimelineEntry } from './event-timeline';

/** What the report says beside what the manifest says. */
export interface ReportContent {
  readonly events: number;
  /** Events by type. */
  readonly counts: readonly (readonly [string, number])[];
  readonly timeline: readonly TimelineEntry[];
  /** Older events that are in the bundle and not in the report. */
  readonly leftOut: number;
  /** The newest seal when the report was written; a newer one covers the export itself. */
  readonly seal: Seal | undefined;
  readonly keys: readonly PublicSealKey[];
}

const STYLE = `
  @page { size: A4 landscape; margin: 14mm 12mm; }
  body { font: 10pt/1.4 system-ui, sans-serif; color: #111; margin: 2em auto; max-width: 110em; padding: 0 1em; }
  h1 { font-size: 17pt; margin: 0 0 .2em; } h2 { font-size: 12pt; margin: 1.6em 0 .4em; break-after: avoid; }
  p { max-width: 75em; }
  table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; }
  th { text-align: left; border-bottom: 1.5px solid #111; } th, td { padding: .25em .6em .25em 0; vertical-align: top; }
  tr { break-inside: avoid; } tbody tr { border-bottom: .5px solid #bbb; }
  .facts { width: auto; } .facts th { border: 0; font-weight: 600; white-space: nowrap; }
  td, code { overflow-wrap: anywhere; } code { font: 8.5pt/1.35 ui-monospace, monospace; } .number { text-align: right; }
  .when { white-space: nowrap; }
  @media print { body { margin: 0; max-width: none; padding: 0; font-size: 8pt; } code { font-size: 7pt; } a { color: inherit; } }
`;

/** The bundle for people: one page of HTML that needs nothing else, made to be printed. */
export function evidenceReport(about: BundleAbout, content: ReportContent): string {
  const { counts, timeline, leftOut } = content;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Evidence: ${escaped(titleOf(about))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Evidence: ${escaped(titleOf(about))}</h1>
<table class="facts">
${factsOf(about, content)
  .map(([name, value]) => `<tr><th>${name}</th><td>${value}</td></tr>`)
  .join('\n')}
</table>
<h2>How to check it</h2>
<p>This page is only a reading aid. What proves something is the bundle that it stands in: <code>node verify-bundle.cjs BUNDLE --key FINGERPRINT</code> checks every byte of it, this page
included, against the signed seals, on any machine with Node.js and without a network. Take the program and the fingerprint of the key from elsewhere than from whoever handed over the bundle.</p>
<h2>Events by type</h2>
<table class="facts">
${counts.map(([type, count]) => `<tr><td>${escaped(type)}</td><td class="number">${count}</td></tr>`).join('\n')}
</table>
<h2>Events</h2>
${leftOut > 0 ? `<p>The newest ${timeline.length}; ${leftOut} older ones are in the folder <code>events</code> of the bundle.</p>` : ''}
<table>
<thead><tr><th>Effective</th><th>Recorded</th><th>What</th><th>Stream</th><th>Who, through</th><th>Why</th><th>Data</th><th>Position</th></tr></thead>
<tbody>
${timeline.map(rowOf).join('\n')}
</tbody>
</table>
</body>
</html>
`;
}

function titleOf({ tenant, scope }: BundleAbout): string {
  const [named] = Object.entries(scope);
  if (!named) return `everything of ${tenant}`;
  return named[0] === 'auditLog' ? `audit log of ${tenant}` : `${named[0]} ${named[1]} of ${tenant}`;
}

function factsOf(about: BundleAbout, { events, seal, keys }: ReportContent): [string, string][] {
  return [
    ['Events', `${events}, of the log up to position ${about.upTo}`],
    [
      'Complete',
      about.complete
        ? 'yes: every event of the tenant, from the first on; the proofs show that none is left out'
        : 'an extract: the proofs show that each event is as it was sealed, not that there is no other',
    ],
    [
      'Personal data',
      about.personal
        ? 'in clear in this page and in personal.ndjson, where the key of the person exists; encrypted in the events'
        : 'encrypted, as it is stored',
    ],
    ['Exported', `${escaped(about.exportedAt)} by ${escaped(about.exportedBy)}, export <code>${about.export}</code>`],
    [
      'Sealed',
      seal
        ? `${seal.body.number + 1} seals before this export, the newest of ${escaped(seal.body.sealedAt)}`
        : 'with this export',
    ],
    ['Keys', keys.map(({ kid }) => `<code>${escaped(kid)}</code>`).join(', ') || 'introduced by the first seal'],
  ];
}

function rowOf({ occurredAt, recordedAt, what, stream, who, via, why, data, position }: TimelineEntry): string {
  const cells = [
    `<td class="when">${escaped(occurredAt.slice(0, 10))}</td>`,
    `<td class="when">${escaped(recordedAt.slice(0, 19).replace('T', ' '))}</td>`,
    `<td>${escaped(what)}</td>`,
    `<td><code>${escaped(stream)}</code></td>`,
    `<td>${escaped(who)}, ${escaped(via)}</td>`,
    `<td>${escaped(why)}</td>`,
    `<td><code>${escaped(JSON.stringify(data, (_, value: unknown) => (isSealed(value) ? 'encrypted' : value)))}</code></td>`,
    `<td class="number">${position}</td>`,
  ];
  return `<tr>${cells.join('')}</tr>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ESCAPES[sign]!);
}
