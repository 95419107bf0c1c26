import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { BACKFILL_KEY, backfillFileKey, backfillSegmentKey } from './keys.ts';
import { readItem, type StateTable, unlessConditionFails } from './table.ts';

const runSchema = z.object({
  runId: z.string(),
  /** While it records, deletes leave tombstones, and no training starts. */
  status: z.enum(['recording', 'done', 'aborted']),
  /** When it began to record, in epoch milliseconds. */
  sinceMs: z.int(),
  /** What it reads, and by which definition: neither may change while it goes on. */
  sources: z.string(),
  definition: z.string(),
  /** Exports that were read into the feature group before it, and with it. */
  firstExport: z.int(),
  nextExport: z.int(),
  /** Who works on it now, and until when nobody else may (epoch milliseconds). */
  owner: z._default(z.string(), ''),
  leaseMs: z._default(z.int(), 0),
  /** When it ended, in epoch milliseconds. */
  endedMs: z.optional(z.int()),
});

/** One backfill. */
export type BackfillRun = Readonly<z.output<typeof runSchema>>;

/** What became of the rows that are through. */
const countsSchema = {
  ...{ rows: z.int(), rejected: z.int(), skipped: z.int(), deleted: z.int(), labels: z.int() },
  wrongLabels: z._default(z.int(), 0),
};

const fileSchema = z.object({
  /** The last line that every sink has taken, and the last of those whose rows are in objects of the change log. */
  line: z.int(),
  partLine: z.int(),
  /** How many such objects there are. */
  parts: z.int(),
  /** Day, `YYYY-MM-DD`, that the object being made lies under, and when it was begun. */
  day: z.string(),
  begunMs: z.int(),
  done: z.boolean(),
  ...countsSchema,
});

/** How far a backfill has come with a file. */
export type FileProgress = Readonly<z.output<typeof fileSchema>>;

const segmentSchema = z.object({
  /** Key of the last item whose row is in an object of the change log, as JSON; absent at the beginning. */
  after: z.optional(z.string()),
  /** How often the segment was taken up. */
  takings: z.int(),
  done: z.boolean(),
  ...countsSchema,
});

/** How far a backfill has come with a segment of the table that it scans. */
export type SegmentProgress = Readonly<z.output<typeof segmentSchema>>;

/** The backfill that is under way, or the last one (consistent read). */
export function readBackfill(table: StateTable): Promise<BackfillRun | undefined> {
  return readItem(table, BACKFILL_KEY, runSchema);
}

/**
 * Begins a backfill. Idempotent by condition: while one records, there is no other.
 *
 * @param exports how many exports it reads.
 * @returns the run; undefined when one is under way, or another has just begun.
 */
export async function beginBackfill(
  table: StateTable,
  begun: Pick<BackfillRun, 'runId' | 'sinceMs' | 'sources' | 'definition'>,
  exports: number,
): Promise<BackfillRun | undefined> {
  const before = await readBackfill(table);
  if (before?.status === 'recording') return undefined;
  const firstExport = before?.nextExport ?? 0;
  const run = {
    ...begun,
    ...{ status: 'recording' as const, firstExport, nextExport: firstExport + exports, owner: '', leaseMs: 0 },
  };
  const put = new PutItemCommand({
    TableName: table.name,
    Item: marshall({ pk: BACKFILL_KEY, ...run }),
    ...(before
      ? {
          ConditionExpression: 'runId = :before AND #status <> :recording',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: marshall({ ':before': before.runId, ':recording': 'recording' }),
        }
      : { ConditionExpression: 'attribute_not_exists(pk)' }),
  });
  return (await unlessConditionFails(() => table.dynamodb.send(put))) ? run : undefined;
}

/**
 * Takes the backfill for oneself, or keeps it. Idempotent: what is to be is said.
 *
 * @returns false when somebody else works on it, or it is no longer under way.
 */
export function takeBackfill(
  table: StateTable,
  lease: { readonly runId: string; readonly owner: string; readonly nowMs: number; readonly leaseMs: number },
): Promise<boolean> {
  const { runId, owner, nowMs, leaseMs } = lease;
  return unlessConditionFails(() =>
    table.dynamodb.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: { pk: { S: BACKFILL_KEY } },
        UpdateExpression: 'SET #owner = :owner, #leaseMs = :leaseMs',
        ConditionExpression: '#runId = :runId AND #status = :recording AND (#owner = :owner OR #leaseMs < :now)',
        ExpressionAttributeNames: { '#runId': 'runId', '#status': 'status', '#owner': 'owner', '#leaseMs': 'leaseMs' },
        ExpressionAttributeValues: marshall({
          ...{ ':runId': runId, ':owner': owner, ':leaseMs': leaseMs, ':now': nowMs },
          ':recording': 'recording',
        }),
      }),
    ),
  );
}

/** Ends a backfill. Idempotent: one that has ended stays as it ended. @returns whether it ended now. */
export function endBackfill(
  table: StateTable,
  runId: string,
  status: 'done' | 'aborted',
  endedMs: number,
): Promise<boolean> {
  return unlessConditionFails(() =>
    table.dynamodb.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: { pk: { S: BACKFILL_KEY } },
        UpdateExpression: 'SET #status = :status, #endedMs = :endedMs',
        ConditionExpression: '#runId = :runId AND #status = :recording',
        ExpressionAttributeNames: { '#runId': 'runId', '#status': 'status', '#endedMs': 'endedMs' },
        ExpressionAttributeValues: marshall({
          ...{ ':runId': runId, ':status': status, ':endedMs': endedMs, ':recording': 'recording' },
        }),
      }),
    ),
  );
}

/** How far a backfill has come with a file; undefined when it has not begun (consistent read). */
export function readFileProgress(table: StateTable, runId: string, file: string): Promise<FileProgress | undefined> {
  return readProgress(table, backfillFileKey(runId, file), fileSchema);
}

/** Keeps how far a backfill has come with a file. Only who holds the run's lease writes, so the last write is right. */
export function writeFileProgress(
  table: StateTable,
  runId: string,
  file: string,
  progress: FileProgress,
): Promise<void> {
  return writeProgress(table, backfillFileKey(runId, file), progress);
}

/** How far a backfill has come with a segment; undefined when it has not begun (consistent read). */
export function readSegmentProgress(
  table: StateTable,
  runId: string,
  segment: number,
): Promise<SegmentProgress | undefined> {
  return readProgress(table, backfillSegmentKey(runId, segment), segmentSchema);
}

/**
 * Keeps how far a backfill has come with a segment. Who has lost the run's lease may write late: then pages are read
 * again, or are through, as every sink has taken them.
 */
export function writeSegmentProgress(
  table: StateTable,
  runId: string,
  segment: number,
  progress: SegmentProgress,
): Promise<void> {
  return writeProgress(table, backfillSegmentKey(runId, segment), progress);
}

async function readProgress<T>(
  { name, dynamodb }: StateTable,
  pk: string,
  schema: { parse(item: unknown): T },
): Promise<T | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: name, Key: { pk: { S: pk } }, ConsistentRead: true }),
  );
  return Item && schema.parse(unmarshall(Item));
}

async function writeProgress({ name, dynamodb }: StateTable, pk: string, progress: object): Promise<void> {
  const Item = marshall({ pk, ...progress }, { removeUndefinedValues: true });
  await dynamodb.send(new PutItemCommand({ TableName: name, Item }));
}
