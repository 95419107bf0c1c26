import type { Time } from '../../calls/pace.ts';
import type { TimedChange } from '../../changes/change.ts';
import {
  type BackfillRun,
  endBackfill,
  readFileProgress,
  readSegmentProgress,
  takeBackfill,
} from '../../state/backfill.ts';
import { allTombstones } from '../../state/tombstones.ts';
import { statementTime } from '../dating.ts';
import type { HistoryFile } from '../history.ts';
import type { Place } from '../places.ts';
import { type BackfillDestinations, type ChunkCounts, chunkWriter } from './chunk.ts';
import { fileNameOf, type WorkDependencies, workFile } from './file.ts';
import type { PlannedScan } from './plan.ts';
import { type SegmentDependencies, workSegment } from './segment.ts';

/** How long nobody else may work on a backfill whose worker is not heard of, and how often it is heard, in milliseconds. */
export const LEASE_MS = 30_000;
const LEASE_RENEWAL_MS = 5_000;
/** How often it is tried whether the worker before has gone, in milliseconds. */
const LEASE_LOOK_MS = 1_000;

/**
 * Time after the last put in which one that was given up may still arrive, in milliseconds: some times what the client
 * waits for an answer.
 */
export const LATE_PUTS_MS = 60_000;

/** Deletes of the sweep that are made together, in milliseconds each round. */
const SWEEP_MS = 300_000;

/** A file of a backfill, and whether its statements may be of items that were deleted before it began to record. */
export interface PlannedFile {
  readonly file: HistoryFile;
  readonly looksAtTable: boolean;
}

export interface BackfillDependencies extends Omit<WorkDependencies, 'writeChunk' | 'onChunk'> {
  readonly destinations: BackfillDestinations;
  /** A name for whoever works, unlike that of anybody else. */
  readonly owner: string;
  /** How far clocks may differ. */
  readonly marginSeconds: number;
  /** Rows a second at most. */
  readonly rate: number;
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

/**
 * Carries a backfill on to its end, from wherever it was left: files of one export, then those of the next, or segments
 * of the table side by side, then the sweep. Each step may be done again, and what two do at once is the same.
 *
 * The sweep makes every delete again that left a tombstone, once no put can be on its way any more: of a put that came
 * after the delete, or that nobody knew to have come, nothing remains. Deletes that come later find their records.
 *
 * @throws Error in one sentence when somebody else works on it, or whatever {@link workFile} throws. It can be taken up.
 */
export async function runBackfill(
  run: BackfillRun,
  work: Work,
  dependencies: BackfillDependencies,
): Promise<BackfillTotals> {
  const { group, time, table, destinations, rate, marginSeconds, onProgress } = dependencies;
  const keepLease = leaseKeeper(run, dependencies);
  await taken(keepLease, time);
  const keepRate = rateKeeper(rate, time);
  const withSinks: SegmentDependencies = {
    ...{ ...dependencies, source: destinations.source },
    writeChunk: chunkWriter(group, destinations, marginSeconds),
    async onChunk(counts) {
      onProgress(counts);
      await keepLease(false);
      await keepRate(counts.rows);
    },
  };
  if (isScan(work)) {
    await until(work.notBeforeMs, keepLease, time);
    await workSegments(run, work, withSinks);
  } else {
    // One export after the other: what a window removed, the one before it must not bring back.
    const { files, place } = work;
    for (const { file, looksAtTable } of files) await workFile(run.runId, file, looksAtTable, { ...withSinks, place });
  }
  await time.sleep(LATE_PUTS_MS);
  await keepLease(true);
  const swept = await sweep(run, work, dependencies);
  const totals = await totalsOf(run, work, dependencies);
  const isMine = await endBackfill(table, run.runId, 'done', time.now());
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
async function until(ms: number, keepLease: (now: boolean) => Promise<void>, time: Time): Promise<void> {
  while (time.now() < ms) {
    await time.sleep(Math.min(LEASE_RENEWAL_MS, ms - time.now()));
    await keepLease(false);
  }
}

/** Deletes again whatever was deleted since the oldest statement. @returns how many deletes that were. */
async function sweep(
  run: BackfillRun,
  work: Work,
  { table, destinations, time, ...dependencies }: BackfillDependencies,
): Promise<number> {
  const keepLease = leaseKeeper(run, { ...dependencies, table, time });
  const oldestMs = isScan(work)
    ? statementTime(run.sinceMs, dependencies.marginSeconds)
    : Math.min(...work.files.map(({ file }) => file.eventTimeMs));
  let swept = 0;
  // From the oldest statement on: deletes that a chain of exports states are dated as its windows are.
  for await (const tombstones of allTombstones(table, oldestMs - 1)) {
    const deletes = tombstones.map(
      ({ recordIdentifier, eventTimeMs, sequenceNumber }): TimedChange => ({
        ...{ eventName: 'REPAIR_REMOVE', recordIdentifier, eventTimeMs, sequenceNumber, ttlExpired: false },
        ...{ second: Math.floor(eventTimeMs / 1_000), values: undefined, newLabel: undefined },
      }),
    );
    const pace = { ...time, deadline: time.now() + SWEEP_MS, signal: time.abortIn(SWEEP_MS) };
    const { failures } = await destinations.onlineStore.write(deletes, pace);
    if (failures.length > 0) throw new Error(`${failures.length} deletes were not made: ${failures[0]?.message}`);
    swept += deletes.length;
    await keepLease(false);
  }
  return swept;
}

async function totalsOf(
  { runId }: BackfillRun,
  work: Work,
  { table }: Pick<BackfillDependencies, 'table'>,
): Promise<ChunkCounts> {
  const sum = { rows: 0, rejected: 0, skipped: 0, deleted: 0, labels: 0, wrongLabels: 0 };
  const pieces = isScan(work)
    ? Array.from(
        { length: work.segments },
        (_, it) => [`Segment ${it}`, () => readSegmentProgress(table, runId, it)] as const,
      )
    : work.files.map(({ file }) => [file.name, () => readFileProgress(table, runId, fileNameOf(file))] as const);
  for (const [name, read] of pieces) {
    const progress = await read();
    if (!progress?.done) throw new Error(`${name} is not through: take the backfill up again.`);
    sum.rows += progress.rows;
    sum.rejected += progress.rejected;
    sum.skipped += progress.skipped;
    sum.deleted += progress.deleted;
    sum.labels += progress.labels;
    sum.wrongLabels += progress.wrongLabels;
  }
  return sum;
}

/** @returns what keeps the backfill for oneself, when it is time to, or at once. */
function leaseKeeper(
  { runId }: BackfillRun,
  { table, time, owner }: Pick<BackfillDependencies, 'table' | 'time' | 'owner'>,
): (now: boolean) => Promise<void> {
  let keptMs = 0;
  return async (now) => {
    const nowMs = time.now();
    if (!now && nowMs - keptMs < LEASE_RENEWAL_MS) return;
    if (await takeBackfill(table, { runId, owner, nowMs, leaseMs: nowMs + LEASE_MS })) keptMs = nowMs;
    else {
      throw new Error('Somebody else works on this backfill, or it was ended: see --status, and try --resume later.');
    }
  };
}

/** Takes the backfill, as soon as a worker that is not heard of any more would have been. */
async function taken(keepLease: (now: boolean) => Promise<void>, time: Time): Promise<void> {
  const untilMs = time.now() + LEASE_MS + LEASE_LOOK_MS;
  for (;;) {
    try {
      return await keepLease(true);
    } catch (error) {
      if (time.now() >= untilMs) throw error;
      await time.sleep(LEASE_LOOK_MS);
    }
  }
}

/** @returns what waits until so many rows may have been written. */
function rateKeeper(rate: number, time: Time): (rows: number) => Promise<void> {
  let dueMs = time.now();
  return async (rows) => {
    dueMs = Math.max(dueMs, time.now() - 1_000) + (rows / rate) * 1_000;
    const waitMs = dueMs - time.now();
    if (waitMs > 0) await time.sleep(waitMs);
  };
}
