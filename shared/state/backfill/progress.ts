import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import type { Pace } from '../../calls/pace.ts';
import { backfillFileKey, backfillSegmentKey } from '../keys.ts';
import { readItem, readItems, type StateTable, unlessConditionFails } from '../table.ts';

/** What became of the rows that are through. */
const countsSchema = {
  ...{ rows: z.int(), rejected: z.int(), skipped: z.int(), deleted: z.int(), labels: z.int() },
  wrongLabels: z._default(z.int(), 0),
};

const fileSchema = z.object({
  /** Who works the file, by a name that is nobody else's; empty when whoever did has left it. */
  owner: z._default(z.string(), ''),
  /** Grows with each write, so that one which comes late is told from the last. */
  step: z._default(z.int(), 0),
  /**
   * When it was last taken from somebody who had not left it, in epoch milliseconds; 0 when it never was. That one may
   * still be at the chunk that it began before.
   */
  seizedMs: z._default(z.int(), 0),
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

/** A file of a backfill, by its name in keys. */
export interface FileKey {
  readonly runId: string;
  readonly file: string;
}

/** Takers of a file that come between a look at it and the taking, in a row: there are never so many. */
const TAKINGS_MAX = 10;

/**
 * Takes a file for oneself, from whoever works it: nothing that this one still writes is kept. Idempotent by condition:
 * a taking whose answer was lost is found to be one's own.
 *
 * @param beginning how far a file has come that nobody has worked.
 * @returns how far it has come. One that is through is not taken.
 * @throws Error when others take it all the time.
 */
export async function takeFile(
  table: StateTable,
  key: FileKey,
  { owner, nowMs, beginning }: { readonly owner: string; readonly nowMs: number; readonly beginning: FileProgress },
): Promise<FileProgress> {
  for (let takings = 0; takings < TAKINGS_MAX; takings += 1) {
    const before = await readFileProgress(table, key);
    if (before?.done || before?.owner === owner) return before;
    const isLeft = before === undefined || before.owner === '';
    const taken = {
      ...(before ?? beginning),
      ...{ owner, step: (before?.step ?? 0) + 1 },
      ...(isLeft ? {} : { seizedMs: nowMs }),
    };
    const put = new PutItemCommand({
      TableName: table.name,
      Item: marshall({ pk: backfillFileKey(key.runId, key.file), ...taken }),
      // Progress that was written before files had owners has no step.
      ...(before && before.step > 0
        ? {
            ConditionExpression: '#step = :step AND #owner = :owner',
            ExpressionAttributeNames: { '#step': 'step', '#owner': 'owner' },
            ExpressionAttributeValues: marshall({ ':step': before.step, ':owner': before.owner }),
          }
        : { ConditionExpression: 'attribute_not_exists(#step)', ExpressionAttributeNames: { '#step': 'step' } }),
    });
    if (await unlessConditionFails(() => table.dynamodb.send(put))) return taken;
  }
  throw new Error(`File ${key.file} of the backfill is taken by others all the time: look who works on it.`);
}

/**
 * Keeps how far a backfill has come with a file. Idempotent by condition: the same again is the same, one that comes
 * late is not kept, and nothing is of somebody from whom the file was taken.
 *
 * @throws Error when the file was taken by somebody else: whoever worked it has to stop.
 */
export async function writeFileProgress(table: StateTable, key: FileKey, progress: FileProgress): Promise<void> {
  const put = new PutItemCommand({
    TableName: table.name,
    Item: marshall({ pk: backfillFileKey(key.runId, key.file), ...progress }),
    ConditionExpression: '#owner = :owner AND #step <= :step',
    ExpressionAttributeNames: { '#owner': 'owner', '#step': 'step' },
    ExpressionAttributeValues: marshall({ ':owner': progress.owner, ':step': progress.step }),
  });
  const isMine = await unlessConditionFails(() => table.dynamodb.send(put));
  if (!isMine) throw new Error(`File ${key.file} of the backfill was taken by somebody else.`);
}

/** Leaves a file to whoever takes it next. Idempotent: of whoever has it by now it stays. */
export async function leaveFile({ name, dynamodb }: StateTable, key: FileKey, owner: string): Promise<void> {
  const update = new UpdateItemCommand({
    TableName: name,
    Key: { pk: { S: backfillFileKey(key.runId, key.file) } },
    UpdateExpression: 'SET #owner = :nobody',
    ConditionExpression: '#owner = :owner',
    ExpressionAttributeNames: { '#owner': 'owner' },
    ExpressionAttributeValues: marshall({ ':owner': owner, ':nobody': '' }),
  });
  await unlessConditionFails(() => dynamodb.send(update));
}

/** How far a backfill has come with a file; undefined when it has not begun (consistent read). */
export function readFileProgress(table: StateTable, { runId, file }: FileKey): Promise<FileProgress | undefined> {
  return readItem(table, backfillFileKey(runId, file), fileSchema);
}

/**
 * How far a backfill has come with files, by their names; those that have not begun are missing (consistent reads).
 *
 * @throws Error when some could not be read in time.
 */
export async function readFilesProgress(
  table: StateTable,
  runId: string,
  files: readonly string[],
  pace: Pace,
): Promise<Map<string, FileProgress>> {
  const names = new Map(files.map((file) => [backfillFileKey(runId, file), file]));
  const found = new Map<string, FileProgress>();
  await readItems(table, [...names.keys()], pace, (item) => {
    found.set(names.get(item.pk?.S ?? '') ?? '', fileSchema.parse(unmarshall(item)));
  });
  return found;
}

/** How far a backfill has come with a segment; undefined when it has not begun (consistent read). */
export function readSegmentProgress(
  table: StateTable,
  runId: string,
  segment: number,
): Promise<SegmentProgress | undefined> {
  return readItem(table, backfillSegmentKey(runId, segment), segmentSchema);
}

/**
 * Keeps how far a backfill has come with a segment. Who has lost the run's lease may write late: then pages are read
 * again, or are through, as every sink has taken them.
 */
export async function writeSegmentProgress(
  { name, dynamodb }: StateTable,
  runId: string,
  segment: number,
  progress: SegmentProgress,
): Promise<void> {
  const Item = marshall({ pk: backfillSegmentKey(runId, segment), ...progress }, { removeUndefinedValues: true });
  await dynamodb.send(new PutItemCommand({ TableName: name, Item }));
}
