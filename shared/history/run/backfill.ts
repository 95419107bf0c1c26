import type { Time } from '../../calls/pace.ts';
import { type BackfillRun, endBackfill } from '../../state/backfill/run.ts';
import { statementTime } from '../dating.ts';
import type { Place } from '../places.ts';
import { type BackfillDestinations, type ChunkCounts, chunkWriter } from './chunk.ts';
import { CHUNK_MS, type WorkDependencies, workFile } from './file.ts';
import { type KeepLease, LEASE_RENEWAL_MS, leaseKeeper, taken } from './lease.ts';
import type { PlannedFile, PlannedScan } from './plan.ts';
import type { Rate } from './rate.ts';
import { type SegmentDependencies, workSegment } from './segment.ts';
import { LATE_PUTS_MS, oldestOf, sweep, totalsOfFiles, totalsOfScan } from './tail.ts';

export interface BackfillDependencies extends Omit<WorkDependencies, 'writeChunk' | 'onChunk'> {
  readonly destinations: BackfillDestinations;
  /** A name for whoever works, unlike that of anybody else. */
  readonly owner: string;
  /** How far clocks may differ. */
  readonly marginSeconds: number;
  readonly rate: Rate;
  readonly onProgress: (counts: ChunkCounts) => void;
}

/** Files, and where they lie. */
export interface PlannedFiles {
  readonly files: readonly PlannedFile[];
  readonly place: Place;
}

/** All that a backfill reads: files, or the table itself. */
export type Work = PlannedFiles | PlannedScan;

const isScan = (work: Work): work is PlannedScan => 'segments' in work;

/** What a backfill has done, over all times it was taken up. */
export type BackfillTotals = ChunkCounts & { readonly swept: number };

/** Who works for as long as it takes has no time that could be up. */
const ENDLESS = { isTimeUp: () => false };

/**
 * Carries a backfill on to its end, from wherever it was left: files of one export, then those of the next, or segments
 * of the table side by side, then the sweep. Each step may be done again, and what two do at once is the same.
 *
 * @throws Error in one sentence when somebody else works on it, or whatever {@link workFile} throws. It can be taken up.
 */
export async function runBackfill(
  run: BackfillRun,
  work: Work,
  dependencies: BackfillDependencies,
): Promise<BackfillTotals> {
  const { group, time, table, destinations, owner, rate, marginSeconds, onProgress } = dependencies;
  const keepLease = leaseKeeper(run, { table, time, owner });
  await taken(keepLease, time);
  const withSinks: SegmentDependencies = {
    ...{ ...dependencies, source: destinations.source },
    writeChunk: chunkWriter(group, destinations, marginSeconds),
    async onChunk(counts) {
      onProgress(counts);
      await keepLease(false);
      await rate.written(counts.rows);
    },
  };
  if (isScan(work)) {
    await until(work.notBeforeMs, keepLease, time);
    await workSegments(run, work, withSinks);
  } else {
    // One export after the other: what a window removed, the one before it must not bring back.
    const forFiles = { ...withSinks, ...ENDLESS, place: work.place, owner, chunkMs: CHUNK_MS };
    for (const { file, looksAtTable } of work.files) await workFile(run.runId, file, looksAtTable, forFiles);
  }
  await time.sleep(LATE_PUTS_MS);
  await keepLease(true);
  const oldestMs = isScan(work) ? statementTime(run.sinceMs, marginSeconds) : oldestOf(work.files);
  const nothing = { after: undefined, deletes: 0 };
  const { deletes: swept } = await sweep(oldestMs, nothing, { ...ENDLESS, table, destinations, time, keepLease });
  const totals = await (isScan(work)
    ? totalsOfScan(table, run.runId, work)
    : totalsOfFiles(table, run.runId, work.files, time));
  const isMine = await endBackfill(table, run.runId, 'done', time.now(), swept);
  if (!isMine) throw new Error('The backfill was ended by somebody else meanwhile.');
  return { ...totals, swept };
}

/** Works all segments side by side. When one fails, the others end with the chunk that they are at. */
async function workSegments(run: BackfillRun, scan: PlannedScan, dependencies: SegmentDependencies): Promise<void> {
  let hasFailed = false;
  const whileAllGoWell = {
    ...dependencies,
    async onChunk(counts: ChunkCounts) {
      await dependencies.onChunk(counts);
      if (hasFailed) throw new Error('Another segment has failed.');
    },
  };
  let first: unknown;
  await Promise.all(
    Array.from({ length: scan.segments }, (_, segment) =>
      workSegment(run.runId, scan, segment, whileAllGoWell).catch((error: unknown) => {
        if (!hasFailed) first = error;
        hasFailed = true;
      }),
    ),
  );
  if (hasFailed) throw first;
}

/** Waits for a moment, and keeps the backfill meanwhile. */
async function until(ms: number, keepLease: KeepLease, time: Time): Promise<void> {
  while (time.now() < ms) {
    await time.sleep(Math.min(LEASE_RENEWAL_MS, ms - time.now()));
    await keepLease(false);
  }
}
