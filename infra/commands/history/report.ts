import type { BackfillTotals } from '../../../shared/history/run/backfill.ts';
import type { BackfillRun } from '../../../shared/state/backfill/run.ts';
import type { Estimate } from './estimate.ts';
import { isOfMachine } from './machine.ts';

const count = (number: number): string => number.toLocaleString('en-US');

const time = (ms: number): string => new Date(ms).toISOString();

/** What a dry run found, as a person reads it. */
export function estimateText(told: Estimate, unverified: readonly string[]): string {
  const { files, rows, sampled, skipped, labeled, rejected, rejections, asksTable, usd, minutes } = told;
  const lines = [
    files === undefined
      ? `About ${count(rows ?? 0)} items in the table.`
      : `${count(files)} files, ${rows === undefined ? 'rows unknown without a manifest' : `${count(rows)} rows`}. Every checksum that a manifest has is right.`,
    ...unverified.map((name) => `No checksum lies beside ${name}.`),
    `Of ${count(sampled)} rows decoded, ${count(rejected)} would be rejected, ${count(skipped)} skipped; ${count(labeled)} have a label.`,
    ...rejections.map((it) => `  ${count(it.count)} like: ${it.message}`),
    files === undefined
      ? 'The table is read once, consistently.'
      : asksTable
        ? 'The export is older than the backfill: each item is also looked for in the table, at one read or more.'
        : 'The table is not read.',
    usd === undefined
      ? 'Cost unknown.'
      : `About $${usd.toFixed(2)} by list prices, of which Feature Store's is not confirmed, and ${Math.ceil(minutes ?? 0)} min at this rate.`,
    'Nothing was written.',
  ];
  return lines.join('\n');
}

/** How a backfill stands. @param far how far it is, if that is known. */
export function statusText(run: BackfillRun | undefined, far?: string): string {
  if (!run) return 'No backfill has been made.';
  const begun = `Backfill ${run.runId}, begun at ${time(run.sinceMs)}`;
  if (run.status !== 'recording') return `${begun}: ${run.status} at ${time(run.endedMs ?? run.sinceMs)}.`;
  if (run.leaseMs <= Date.now()) return `${begun}: under way, and nobody works on it: --resume takes it up.`;
  if (!isOfMachine(run)) return `${begun}: under way, and somebody works on it.`;
  return `${begun}: under way, and the state machine works on it${far === undefined ? '' : ` (${far})`}: ${run.owner}.`;
}

/** What a backfill has done. */
export function totalsText(totals: BackfillTotals, asOfMs: number): string {
  const { rows, rejected, skipped, deleted, labels, wrongLabels } = totals;
  const written = rows - rejected - skipped - deleted;
  return `${count(rows)} rows: ${count(written)} written, ${count(rejected)} rejected${rejected > 0 ? ' (npm run redrive -- --list shows why)' : ''}, ${count(skipped)} skipped, ${count(deleted)} already deleted, ${count(labels)} with a label${wrongLabels > 0 ? `, ${count(wrongLabels)} whose label is none (npm run redrive -- --list shows why)` : ''}; complete as of ${time(asOfMs)}.`;
}
