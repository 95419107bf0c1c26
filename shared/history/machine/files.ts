import { BACKFILLS_PREFIX } from '../prefixes.ts';
import { chunkWriter } from '../run/chunk.ts';
import { fileNameOf, workFile } from '../run/file.ts';
import type { PlannedFile } from '../run/plan.ts';
import { adaptiveRate } from '../run/rate.ts';
import { LATE_PUTS_MS, progressOfFiles } from '../run/tail.ts';
import type { Begun } from './begin.ts';
import { type HistoryDependencies, type Holding, held, type Invocation, planOf } from './dependencies.ts';

/**
 * Time in which a worker's chunk is written or given up, in milliseconds. So long a worker may go on whom somebody took
 * for gone; what fails so is tried again by the state machine.
 */
const CHUNK_MS = 60_000;

/** For how long a worker may write from whom a file was taken, in milliseconds, by clocks that differ. */
const SEIZED_MS = CHUNK_MS + 30_000;

/** Time left of an invocation in which no chunk is begun any more: one chunk's, and what it takes to say so. */
const LAST_CHUNK_MS = CHUNK_MS + 30_000;

/** What is to be worked next: the files of one export, side by side; nothing, and when all puts have arrived. */
export type Listed =
  | {
      readonly isOver: false;
      readonly bucket: string;
      /** Of the list: a line of JSON for each file. */
      readonly key: string;
      readonly files: number;
      /** Rows a second of each worker. */
      readonly rate: number;
    }
  | { readonly isOver: true; readonly sweepAt: string };

/**
 * Lists the files that are left of the first export that is not through. What a window removed, the one before it must
 * not bring back, so those of the next are listed when this one is through. Idempotent: nothing but the list is written,
 * and what is through is not on it.
 */
export async function listing({ execution, run }: Running, dependencies: HistoryDependencies): Promise<Listed> {
  const { table, time, bucket, putList } = dependencies;
  const holding = await held({ execution, runId: run.runId }, dependencies);
  const { files } = await planOf(holding.run, holding.given, dependencies);
  const progress = await progressOfFiles(table, run.runId, files, time);
  const left = files.filter(({ file }) => !progress.get(fileNameOf(file))?.done);
  const [first] = left;
  if (!first) {
    const seizedMs = Math.max(0, ...[...progress.values()].map((it) => it.seizedMs));
    // Whoever a file was taken from may still be at the chunk that it had begun.
    const sweepMs = Math.max(time.now(), seizedMs + SEIZED_MS) + LATE_PUTS_MS;
    return { isOver: true, sweepAt: new Date(sweepMs).toISOString() };
  }
  const { exportNumber } = first.file;
  const window = left.filter(({ file }) => file.exportNumber === exportNumber);
  const key = `${BACKFILLS_PREFIX}${run.runId}/${String(exportNumber).padStart(3, '0')}.jsonl`;
  await putList(key, window.map((it) => `${JSON.stringify(it)}\n`).join(''));
  const rate = run.rate / Math.min(run.workers, window.length);
  return { isOver: false, bucket, key, files: window.length, rate };
}

/** A state machine's work. */
export interface Running {
  readonly execution: string;
  readonly run: Begun;
}

/** A file for a worker, who has the file to himself but not the backfill. */
export interface FileOrder extends Holding {
  readonly rate: number;
  readonly file: PlannedFile;
}

/**
 * Works a file until it is through, or the invocation's time is up: then the next goes on where it was left.
 * Idempotent as {@link workFile}.
 *
 * @throws Error in one sentence as workFile, or when the backfill is somebody else's.
 */
export async function working(
  { execution, runId, rate: rowsPerSecond, file: { file, looksAtTable } }: FileOrder,
  invocation: Invocation,
  dependencies: HistoryDependencies,
): Promise<{ done: boolean }> {
  const { group, time, place } = dependencies;
  const { keepLease, given } = await held({ execution, runId }, dependencies);
  const rate = adaptiveRate(rowsPerSecond, time);
  const destinations = dependencies.destinations(rate);
  const done = await workFile(runId, file, looksAtTable, {
    ...dependencies,
    ...{ place, owner: invocation.name, chunkMs: CHUNK_MS },
    isTimeUp: () => invocation.remainingMs() < LAST_CHUNK_MS,
    writeChunk: chunkWriter(group, destinations, given.marginSeconds),
    async onChunk({ rows }) {
      await keepLease(false);
      await rate.written(rows);
    },
  });
  return { done };
}
