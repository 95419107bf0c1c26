import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ByteWriter } from '../../bytes/writer.ts';
import { chunksOf } from '../../calls/chunks.ts';
import { changeLogRowWriter } from '../../change-log/row.ts';
import { toEventImage } from '../../changes/attribute-value.ts';
import type { TimedChange } from '../../changes/change.ts';
import { isChange } from '../../changes/decode.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import type { Item } from '../../delivery/source-items.ts';
import { readSegmentProgress, type SegmentProgress, writeSegmentProgress } from '../../state/backfill/progress.ts';
import { statementTime } from '../dating.ts';
import { keysReader } from '../export-lines.ts';
import { type LineReader, type Statement, type StatementFile, statementReader } from '../statements.ts';
import { scanPages } from '../table/scan.ts';
import { type ChunkCounts, sumOfCounts } from './chunk.ts';
import { CHUNK_STATEMENTS, dayOf, PART_BYTES, paceOf, partKey, type WorkDependencies } from './file.ts';
import type { PlannedScan } from './plan.ts';

/** What a segment is worked with. */
export interface SegmentDependencies extends WorkDependencies {
  readonly source: Pick<DynamoDBClient, 'send'>;
  /** How far clocks may differ. */
  readonly marginSeconds: number;
}

/**
 * Works a segment of the table from where it was left. Each page states how its items were when its call was begun:
 * consistently read, it shows whatever was written by then, or something newer.
 *
 * Pages go to every sink, their rows gather into an object of the change log, and with the object it is kept where the
 * scan goes on. A segment that is taken up again reads the pages since once more, as of another moment. So each taking
 * has numbers and objects of its own: whatever a former one wrote, or writes late, stays true and takes nothing's place.
 *
 * @throws whatever the scan throws, or an Error in one sentence when something could not be written.
 */
export async function workSegment(
  runId: string,
  scan: PlannedScan,
  segment: number,
  dependencies: SegmentDependencies,
): Promise<void> {
  const { group, table, source, time, putRows, onChunk } = dependencies;
  const begun = await readSegmentProgress(table, runId, segment);
  if (begun?.done) return;
  let progress: SegmentProgress = { ...(begun ?? NOTHING_DONE), takings: (begun?.takings ?? 0) + 1 };
  await writeSegmentProgress(table, runId, segment, progress);

  const after = progress.after === undefined ? undefined : (JSON.parse(progress.after) as Item);
  const { exportNumber } = scan;
  const file = { exportNumber, fileNumber: segment + scan.segments * (progress.takings - 1) };
  const pages = scanPages(
    source,
    { table: group.table, consistent: true, readUnits: scan.readUnits / scan.segments, time },
    { number: segment, of: scan.segments, after },
  );
  const rows = new ByteWriter();
  const writeRow = changeLogRowWriter(group);
  let counts: ChunkCounts = sumOfCounts(progress, NOTHING_DONE);
  let line = 0;
  let parts = 0;
  for await (const { items, asOfMs, next } of pages) {
    const eventTimeMs = statementTime(asOfMs, dependencies.marginSeconds);
    const named = { ...file, eventTimeMs, name: `${group.table}, segment ${segment}` };
    const statements = statementsOf(items, named, line, dependencies);
    line += items.length;
    for (const chunk of chunksOf(statements, CHUNK_STATEMENTS)) {
      const written = await dependencies.writeChunk(chunk, false, paceOf(time));
      counts = sumOfCounts(counts, written);
      for (const { decoded } of chunk) if (isChange(decoded)) writeRow(decoded as TimedChange, rows);
      await onChunk(written);
    }
    if (next !== undefined && rows.length < PART_BYTES) continue;
    if (rows.length > 0) {
      await putRows(partKey(dayOf(time.now()), runId, file, parts), rows.written());
      rows.clear();
      parts += 1;
    }
    const { takings } = progress;
    progress = { ...counts, takings, after: next && JSON.stringify(next), done: next === undefined };
    await writeSegmentProgress(table, runId, segment, progress);
  }
}

const NOTHING_DONE: SegmentProgress = {
  ...{ takings: 0, done: false },
  ...{ rows: 0, rejected: 0, skipped: 0, deleted: 0, labels: 0, wrongLabels: 0 },
};

/** The statements of a page. @param lines how many there were before it. */
export function statementsOf(
  items: readonly Item[],
  file: StatementFile,
  lines: number,
  { group, decode }: Pick<SegmentDependencies, 'group' | 'decode'>,
): Statement[] {
  const read = statementReader(file, itemReader(group), decode);
  return items.map((item, index) => read(item, lines + index + 1));
}

/** An item is read as a line of a full export is. */
function itemReader(group: FeatureGroup): LineReader<Item> {
  const keysOf = keysReader(group);
  return (item) => {
    const NewImage = toEventImage(item) as Record<string, unknown>;
    return { eventName: 'INSERT', Keys: keysOf(NewImage), NewImage };
  };
}
