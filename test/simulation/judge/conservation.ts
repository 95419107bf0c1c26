import type { Counts, Outcome } from '../../../shared/delivery/deliver.ts';
import type { TrueChange } from '../world/source-table.ts';
import { Violation } from './violation.ts';
import type { Witness } from './witness.ts';

/** Records in = delivered + superseded + deleted + quarantined + skipped + failed: per batch, and in total. */
export class Conservation {
  readonly totals = {
    delivered: 0,
    superseded: 0,
    deleted: 0,
    quarantined: 0,
    skipped: 0,
    failed: 0,
    recordsIn: 0,
    labelEvents: 0,
  };
  /** Records that an answer acknowledged for the first time. */
  acknowledged = 0;

  /** Holds one batch's report against what its answer acknowledged. */
  check(reports: readonly Outcome[], batch: readonly TrueChange[], taken: number, witness: Witness): void {
    const [report] = reports;
    if (!report || reports.length > 1) throw broken(`a batch was reported ${reports.length} times`, batch[0]);
    const expected = expectedCounts(batch, taken, witness);
    for (const [name, count] of Object.entries(expected) as [keyof Counts, number][]) {
      if (report.counts[name] !== count) {
        throw broken(
          `a batch of ${batch.length} reported ${name} ${report.counts[name]} instead of ${count}`,
          batch[0],
        );
      }
      this.totals[name] += count;
    }
    this.acknowledged += batch.slice(0, taken).filter((it) => !it.acknowledged).length;
  }
}

function expectedCounts(batch: readonly TrueChange[], taken: number, witness: Witness): Counts {
  const last = new Map<string, TrueChange>();
  for (const change of batch) {
    if (isTaken(change) && witness.touchesOnline(change)) last.set(change.recordIdentifier, change);
  }
  const counts = {
    delivered: 0,
    superseded: 0,
    deleted: 0,
    quarantined: 0,
    skipped: 0,
    labelEvents: 0,
  };
  for (const change of batch.slice(0, taken)) {
    const sent = last.get(change.recordIdentifier) === change;
    if (change.quality === 'skipped') counts.skipped += 1;
    else if (change.quality === 'malformed' || change.wrongLabel || (change.quality === 'refused' && sent))
      counts.quarantined += 1;
    else if (!witness.touchesOnline(change)) counts.delivered += 1;
    else if (!sent) counts.superseded += 1;
    else if (change.eventName === 'REMOVE') counts.deleted += 1;
    else counts.delivered += 1;
    if (isTaken(change) && change.newLabel !== undefined) counts.labelEvents += 1;
  }
  return { ...counts, recordsIn: batch.length, failed: batch.length - taken };
}

/** Whether the change is decoded as one: it is neither wrong nor none of the definition's. */
const isTaken = ({ quality }: TrueChange): boolean => quality !== 'malformed' && quality !== 'skipped';

function broken(message: string, change: TrueChange | undefined): Violation {
  return new Violation(
    'records in = delivered + superseded + deleted + quarantined + skipped + failed',
    message,
    change?.recordIdentifier,
  );
}
