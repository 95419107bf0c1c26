import { ByteWriter } from '../../bytes/writer.ts';
import type { Pace, Time } from '../../calls/pace.ts';
import { changeLogRowWriter } from '../../change-log/row.ts';
import type { TimedChange } from '../../changes/change.ts';
import { type Decoder, isChange } from '../../changes/decode.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import {
  type FileKey,
  type FileProgress,
  leaveFile,
  takeFile,
  writeFileProgress,
} from '../../state/backfill/progress.ts';
import type { StateTable } from '../../state/table.ts';
import { type HistoryFile, readStatements, verifyFile } from '../history.ts';
import type { Place } from '../places.ts';
import type { Statement } from '../statements.ts';
import { type ChunkCounts, sumOfCounts } from './chunk.ts';

/** Statements that are written together, and blocks of them that are gathered at most: blocks bound the memory. */
export const CHUNK_STATEMENTS = 2_000;
const CHUNK_BLOCKS_MAX = 64;
/** Time in which a chunk is written or given up when nothing else is said, in milliseconds. */
export const CHUNK_MS = 300_000;

/**
 * How long ago a file was certainly one's own when a chunk is begun, in milliseconds. So whoever it is taken from writes
 * for as long as a chunk takes, and this, and no longer.
 */
const CERTAIN_MS = 5_000;

/** Size from which on rows become an object of the change log, in bytes. */
export const PART_BYTES = 4 * 1024 * 1024;

/**
 * Age from which on an unfinished object is begun again, under the day that it is then, in milliseconds: a snapshot
 * reads the days of the last 26 hours, and would never look for an object that appears under an earlier one.
 */
export const PART_AGE_MAX_MS = 23 * 3_600_000;

/** What the statements of a backfill are worked with, wherever they come from. */
export interface WorkDependencies {
  readonly group: FeatureGroup;
  readonly decode: Decoder;
  readonly table: StateTable;
  readonly time: Time;
  readonly writeChunk: (statements: readonly Statement[], looksAtTable: boolean, pace: Pace) => Promise<ChunkCounts>;
  /** Objects of the change log, by keys that begin with `dt=`. The rows' memory is used again afterwards. */
  readonly putRows: (key: string, rows: Uint8Array) => Promise<void>;
  readonly deleteRows: (key: string) => Promise<void>;
  /** Told after each chunk what is through; may wait, to keep to a rate. @throws Error when the work is to stop. */
  readonly onChunk: (counts: ChunkCounts) => Promise<void>;
}

/** What a file is worked with. */
export interface FileDependencies extends WorkDependencies {
  readonly place: Place;
  /** A name for whoever works, unlike that of anybody else who ever does. */
  readonly owner: string;
  /** Time in which a chunk is written or given up, in milliseconds. */
  readonly chunkMs: number;
  /** Whether the time to work in is up: then the file is left where it is. */
  isTimeUp(): boolean;
}

/** The name of a file in keys: its export's number and its own. */
export const fileNameOf = ({ exportNumber, fileNumber }: Pick<HistoryFile, 'exportNumber' | 'fileNumber'>): string =>
  `${String(exportNumber).padStart(3, '0')}-${String(fileNumber).padStart(6, '0')}`;

/**
 * Works a file from where it was left: statements go to every sink, and then their rows into objects of the change log,
 * and only then is it kept how far the file has come. Idempotent: whatever is done again writes the same bytes under the
 * same keys.
 *
 * An object ends where it has enough bytes, which depends on the rows alone. So of a file that is taken up again, lines
 * are passed over up to the last object's end, and rows since then are made again. Nothing that the sinks have taken is
 * written.
 *
 * Whoever begins with it takes it from who worked it before. That one may write what it is at once more, which is the
 * same, and is stopped when it would keep how far it has come.
 *
 * @returns whether the file is through; false when the time was up.
 * @throws Error in one sentence when the file cannot be read, something could not be written, or it was taken.
 */
export async function workFile(
  runId: string,
  file: HistoryFile,
  looksAtTable: boolean,
  dependencies: FileDependencies,
): Promise<boolean> {
  const { table, time, owner } = dependencies;
  const key = { runId, file: fileNameOf(file) };
  const begun = await takeFile(table, key, { owner, nowMs: time.now(), beginning: beginning(time.now()) });
  if (begun.done) return true;
  try {
    await verifyFile(file, dependencies.place);
    const isThrough = await workThrough(
      new PartedRows(key, file, begun, dependencies),
      file,
      looksAtTable,
      dependencies,
    );
    if (!isThrough) await leaveFile(table, key, owner);
    return isThrough;
  } catch (error) {
    // Who could not even say so is taken for somebody who may still be at it.
    await leaveFile(table, key, owner).catch(() => {});
    throw error;
  }
}

async function workThrough(
  rows: PartedRows,
  file: HistoryFile,
  looksAtTable: boolean,
  dependencies: FileDependencies,
): Promise<boolean> {
  const { group, decode, place, time, writeChunk, chunkMs, isTimeUp } = dependencies;
  const begunAt = rows.progress.line;
  let chunk: Statement[] = [];
  let blocks = 0;
  const writeOut = async () => {
    if (chunk.length === 0) return;
    await rows.stayMine();
    const pace = paceOf(time, chunkMs);
    const counts = await writeChunk(chunk, looksAtTable, pace);
    await rows.add(chunk, counts);
    chunk = [];
    blocks = 0;
    await dependencies.onChunk(counts);
  };
  for await (const block of readStatements(file, place, group, decode, rows.progress.partLine)) {
    const { line, partLine } = rows.progress;
    if (isTimeUp()) {
      if (line > begunAt) return false;
      throw new Error(`${file.name} takes longer than there is time for to read as far as it has come.`);
    }
    const fresh = block.filter((it) => it.line > line);
    if (fresh.length < block.length) await rows.makeAgain(block.filter((it) => it.line > partLine && it.line <= line));
    if (fresh.length === 0) continue;
    chunk = chunk.length === 0 ? fresh : chunk.concat(fresh);
    blocks += 1;
    if (chunk.length >= CHUNK_STATEMENTS || blocks >= CHUNK_BLOCKS_MAX) await writeOut();
  }
  await writeOut();
  await rows.finish();
  return true;
}

/** The time in which a chunk is written. */
export function paceOf(time: Time, ms = CHUNK_MS): Pace {
  return { ...time, deadline: time.now() + ms, signal: time.abortIn(ms) };
}

/** The day, `YYYY-MM-DD`, that an object of the change log lies under. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const beginning = (nowMs: number): FileProgress => ({
  ...{ owner: '', step: 0, seizedMs: 0 },
  ...{ line: 0, partLine: 0, parts: 0, day: dayOf(nowMs), begunMs: nowMs, done: false },
  ...{ rows: 0, rejected: 0, skipped: 0, deleted: 0, labels: 0, wrongLabels: 0 },
});

/** The rows of a file, in objects, and how far the file has come. */
class PartedRows {
  progress: FileProgress;
  readonly #key: FileKey;
  readonly #file: HistoryFile;
  readonly #dependencies: FileDependencies;
  /** When the file was certainly one's own. */
  #mineMs = Number.NEGATIVE_INFINITY;
  readonly #open = new ByteWriter();
  readonly #writeRow: ReturnType<typeof changeLogRowWriter>;

  constructor(key: FileKey, file: HistoryFile, progress: FileProgress, dependencies: FileDependencies) {
    this.#key = key;
    this.#file = file;
    this.progress = progress;
    this.#dependencies = dependencies;
    this.#writeRow = changeLogRowWriter(dependencies.group);
  }

  /** @throws Error when the file was taken by somebody else. */
  async keep(): Promise<void> {
    const { table, time } = this.#dependencies;
    const nowMs = time.now();
    this.progress = { ...this.progress, step: this.progress.step + 1 };
    await writeFileProgress(table, this.#key, this.progress);
    this.#mineMs = nowMs;
  }

  /** @throws Error when the file was taken by somebody else a while ago. */
  async stayMine(): Promise<void> {
    if (this.#dependencies.time.now() - this.#mineMs > CERTAIN_MS) await this.keep();
  }

  /** Adds what every sink has taken, and keeps that it has. */
  async add(statements: readonly Statement[], counts: ChunkCounts): Promise<void> {
    this.progress = {
      ...this.progress,
      line: statements.at(-1)?.line ?? this.progress.line,
      ...sumOfCounts(this.progress, counts),
    };
    await this.makeAgain(statements);
    await this.keep();
  }

  /** Makes rows that are in no object yet. */
  async makeAgain(statements: readonly Statement[]): Promise<void> {
    for (const { line, decoded } of statements) {
      if (!isChange(decoded)) continue;
      this.#writeRow(decoded as TimedChange, this.#open);
      if (this.#open.length >= PART_BYTES) await this.#put(line);
    }
  }

  async finish(): Promise<void> {
    if (this.#open.length > 0) await this.#put(this.progress.line);
    this.progress = { ...this.progress, done: true };
    await this.keep();
  }

  /** @param line the last that the object has a row of. */
  async #put(line: number): Promise<void> {
    const { time, putRows, deleteRows } = this.#dependencies;
    const nowMs = time.now();
    if (nowMs - this.progress.begunMs > PART_AGE_MAX_MS) {
      // Of somebody who has slept since, and lost the file, the object is not his to delete.
      await this.keep();
      await deleteRows(this.#objectKey());
      this.progress = { ...this.progress, day: dayOf(nowMs), begunMs: nowMs };
    }
    // Whoever makes the object again has to find its day, so that is kept before there is an object.
    await this.keep();
    await putRows(this.#objectKey(), this.#open.written());
    this.#open.clear();
    const { parts } = this.progress;
    this.progress = { ...this.progress, partLine: line, parts: parts + 1, day: dayOf(nowMs), begunMs: nowMs };
    await this.keep();
  }

  #objectKey(): string {
    return partKey(this.progress.day, this.#key.runId, this.#file, this.progress.parts);
  }
}

/** Key of an object of rows in the change log. */
export const partKey = (
  day: string,
  runId: string,
  file: Pick<HistoryFile, 'exportNumber' | 'fileNumber'>,
  part: number,
): string => `dt=${day}/backfill/${runId}/${fileNameOf(file)}-${String(part).padStart(4, '0')}.csv`;
