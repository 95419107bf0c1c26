import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { BACKFILL_KEY } from '../keys.ts';
import { readItem, type StateTable, unlessConditionFails } from '../table.ts';

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
  /** When it ended, in epoch milliseconds, and how many deletes were made again before it was done. */
  endedMs: z.optional(z.int()),
  swept: z._default(z.int(), 0),
});

/** One backfill. */
export type BackfillRun = Readonly<z.output<typeof runSchema>>;

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
    ...{
      status: 'recording' as const,
      firstExport,
      nextExport: firstExport + exports,
      owner: '',
      leaseMs: 0,
      swept: 0,
    },
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
 * @param lease.onlyKeeps whether one that was left, or whose time is over, is somebody's who begins, and not taken.
 * @returns false when somebody else works on it, or it is no longer under way.
 */
export function takeBackfill(
  table: StateTable,
  lease: {
    readonly runId: string;
    readonly owner: string;
    readonly nowMs: number;
    readonly leaseMs: number;
    readonly onlyKeeps?: boolean;
  },
): Promise<boolean> {
  const { runId, owner, nowMs, leaseMs, onlyKeeps = false } = lease;
  const isFree = onlyKeeps ? '' : ' OR #leaseMs < :now';
  return update(
    table,
    'SET #owner = :owner, #leaseMs = :leaseMs',
    `#runId = :runId AND #status = :recording AND (#owner = :owner${isFree})`,
    {
      names: ['runId', 'status', 'owner', 'leaseMs'],
      values: {
        ...{ ':runId': runId, ':owner': owner, ':leaseMs': leaseMs, ':recording': 'recording' },
        ...(!onlyKeeps && { ':now': nowMs }),
      },
    },
  );
}

/**
 * Leaves the backfill to whoever takes it up next: whoever still works for the owner is stopped by that. Idempotent:
 * whoever has it by now keeps it.
 *
 * @returns whether it was left now.
 */
export function leaveBackfill(table: StateTable, runId: string, owner: string): Promise<boolean> {
  return update(table, 'SET #owner = :nobody, #leaseMs = :none', '#runId = :runId AND #owner = :owner', {
    names: ['runId', 'owner', 'leaseMs'],
    values: { ':runId': runId, ':owner': owner, ':nobody': '', ':none': 0 },
  });
}

/**
 * Keeps what a backfill reads, once an export of its own is there. Idempotent: what is to be is said.
 *
 * @returns false when somebody else works on it, or it is no longer under way.
 */
export function keepSources(
  table: StateTable,
  { runId, owner, sources }: Pick<BackfillRun, 'runId' | 'owner' | 'sources'>,
): Promise<boolean> {
  return update(table, 'SET #sources = :sources', '#runId = :runId AND #owner = :owner AND #status = :recording', {
    names: ['runId', 'owner', 'status', 'sources'],
    values: { ':runId': runId, ':owner': owner, ':sources': sources, ':recording': 'recording' },
  });
}

/**
 * Ends a backfill. Idempotent: one that has ended stays as it ended.
 *
 * @param swept deletes that were made again.
 * @returns whether it ended now.
 */
export function endBackfill(
  table: StateTable,
  runId: string,
  status: 'done' | 'aborted',
  endedMs: number,
  swept = 0,
): Promise<boolean> {
  return update(
    table,
    'SET #status = :status, #endedMs = :endedMs, #swept = :swept',
    '#runId = :runId AND #status = :recording',
    {
      names: ['runId', 'status', 'endedMs', 'swept'],
      values: {
        ...{ ':runId': runId, ':status': status, ':endedMs': endedMs, ':swept': swept, ':recording': 'recording' },
      },
    },
  );
}

/** Changes the item of the backfill by condition. @returns whether the condition held. */
function update(
  { name, dynamodb }: StateTable,
  UpdateExpression: string,
  ConditionExpression: string,
  { names, values }: { readonly names: readonly string[]; readonly values: Readonly<Record<string, unknown>> },
): Promise<boolean> {
  return unlessConditionFails(() =>
    dynamodb.send(
      new UpdateItemCommand({
        ...{ TableName: name, Key: { pk: { S: BACKFILL_KEY } }, UpdateExpression, ConditionExpression },
        ExpressionAttributeNames: Object.fromEntries(names.map((it) => [`#${it}`, it])),
        ExpressionAttributeValues: marshall(values),
      }),
    ),
  );
}
