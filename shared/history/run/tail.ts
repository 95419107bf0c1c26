import { paceUntil, type Time } from '../../calls/pace.ts';
import type { TimedChange } from '../../changes/change.ts';
import { type FileProgress, readFilesProgress, readSegmentProgress } from '../../state/backfill/progress.ts';
import type { StateTable } from '../../state/table.ts';
import { allTombstones } from '../../state/tombstones.ts';
import { type BackfillDestinations, type ChunkCounts, sumOfCounts } from './chunk.ts';
import { fileNameOf } from './file.ts';
import type { KeepLease } from './lease.ts';
import type { PlannedFile, PlannedScan } from './plan.ts';

/** What a backfill does when all that it reads is through. */

/**
 * Time after the last put in which one that was given up may still arrive, in milliseconds: some times what the client
 * waits for an answer.
 */
export const LATE_PUTS_MS = 60_000;

/** Deletes of the sweep that are made together, in milliseconds each round. */
const SWEEP_MS = 300_000;
/** Time in which the progress of all files is read, in milliseconds. */
const READ_MS = 300_000;

/** How far a sweep has come. */
export interface Swept {
  /** Key of the state table that it goes on behind; undefined when it is through, or has not begun. */
  readonly after: string | undefined;
  /** Deletes that were made again. */
  readonly deletes: number;
}

export interface SweepDependencies {
  readonly table: StateTable;
  readonly destinations: Pick<BackfillDestinations, 'onlineStore'>;
  readonly time: Time;
  readonly keepLease: KeepLease;
  /** Whether the time to work in is up. */
  isTimeUp(): boolean;
}

/**
 * Deletes again whatever was deleted since the oldest statement, from where the sweep was left. No put can be on its way
 * any more: of one that came after the delete, or that nobody knew to have come, nothing remains. Deletes that come
 * later find their records. Idempotent: a delete again is the same, by its event time.
 *
 * @param oldestMs event time of the oldest statement: deletes that a chain of exports states are dated as its windows.
 * @throws Error in one sentence when deletes were not made.
 */
export async function sweep(
  oldestMs: number,
  { after, deletes }: Swept,
  { table, destinations, time, keepLease, isTimeUp }: SweepDependencies,
): Promise<Swept> {
  let made = deletes;
  for await (const { tombstones, next } of allTombstones(table, oldestMs - 1, after)) {
    const again = tombstones.map(
      ({ recordIdentifier, eventTimeMs, sequenceNumber }): TimedChange => ({
        ...{ eventName: 'REPAIR_REMOVE', recordIdentifier, eventTimeMs, sequenceNumber, ttlExpired: false },
        ...{ second: Math.floor(eventTimeMs / 1_000), values: undefined, newLabel: undefined },
      }),
    );
    const { failures } = await destinations.onlineStore.write(again, paceUntil(time, time.now() + SWEEP_MS));
    if (failures.length > 0) throw new Error(`${failures.length} deletes were not made: ${failures[0]?.message}`);
    made += again.length;
    await keepLease(false);
    if (next !== undefined && isTimeUp()) return { after: next, deletes: made };
  }
  return { after: undefined, deletes: made };
}

/** The event time of the oldest statement of files, in epoch milliseconds. */
export const oldestOf = (files: readonly PlannedFile[]): number =>
  Math.min(...files.map(({ file }) => file.eventTimeMs));

/** How far a backfill has come with its files, by their names. @throws Error when it cannot be read in time. */
export function progressOfFiles(
  table: StateTable,
  runId: string,
  files: readonly PlannedFile[],
  time: Time,
): Promise<Map<string, FileProgress>> {
  const names = files.map(({ file }) => fileNameOf(file));
  return readFilesProgress(table, runId, names, paceUntil(time, time.now() + READ_MS));
}

/** What became of all rows. @throws Error when something is not through. */
export async function totalsOfFiles(
  table: StateTable,
  runId: string,
  files: readonly PlannedFile[],
  time: Time,
): Promise<ChunkCounts> {
  const progress = await progressOfFiles(table, runId, files, time);
  return files.map(({ file }) => through(file.name, progress.get(fileNameOf(file)))).reduce(sumOfCounts, NO_ROWS);
}

/** What became of all rows of a scan. @throws Error when a segment is not through. */
export async function totalsOfScan(table: StateTable, runId: string, { segments }: PlannedScan): Promise<ChunkCounts> {
  let sum = NO_ROWS;
  for (let segment = 0; segment < segments; segment += 1) {
    sum = sumOfCounts(sum, through(`Segment ${segment}`, await readSegmentProgress(table, runId, segment)));
  }
  return sum;
}

const NO_ROWS: ChunkCounts = { rows: 0, rejected: 0, skipped: 0, deleted: 0, labels: 0, wrongLabels: 0 };

function through<T extends { readonly done: boolean }>(name: string, progress: T | undefined): T {
  if (!progress?.done) throw new Error(`${name} is not through: take the backfill up again.`);
  return progress;
}
