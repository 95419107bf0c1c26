import { type AttributeValue, BatchGetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { type Pace, untilDeadline } from '../calls/pace.ts';
import type { TimedChange } from '../changes/change.ts';
import type { Fence } from '../changes/event-order.ts';
import { paddedSequenceNumber } from '../changes/sequence-number.ts';
import { fenceKey } from './keys.ts';
import { type StateTable, unlessConditionFails } from './table.ts';

/** Most keys of one call. Source: BatchGetItem. */
const KEYS_PER_CALL_MAX = 100;
/** State table calls in flight at once. */
const CONCURRENCY_MAX = 32;
/** A fence is needed as long as a batch may be delivered again: the stream's 24 hours, and one to spare. */
const FENCE_LIFETIME_SECONDS = 25 * 3_600;

/** Fences in the state table. `keepForever` where event times come from the items, which may be of any age. */
export function fenceStore(table: StateTable, keepForever: boolean) {
  return {
    /**
     * The fences of records, by record identifier (consistent reads).
     *
     * @throws Error when some could not be read in time: without them no event time can be given.
     */
    async read(recordIdentifiers: Iterable<string>, pace: Pace): Promise<Map<string, Fence>> {
      const keys = [...new Set(recordIdentifiers)].map((it) => ({ pk: { S: fenceKey(it) } }));
      const fences = new Map<string, Fence>();
      const calls = chunk(keys, KEYS_PER_CALL_MAX);
      const left = await untilDeadline(calls, { pace, concurrencyMax: CONCURRENCY_MAX }, async (call) => {
        const { items, unprocessed } = await readFences(table, call);
        for (const item of items) if (item.record?.S !== undefined) fences.set(item.record.S, fenceOf(item));
        return unprocessed;
      });
      const unread = left.reduce((sum, { item }) => sum + item.length, 0);
      if (unread > 0) {
        throw new Error(`${unread} of ${keys.length} fences could not be read: ${left.at(-1)?.message}`);
      }
      return fences;
    },

    /**
     * Leaves the fences of changes, one per record.
     *
     * Idempotent: a fence is only ever moved to a newer change, so a second or a late writer changes nothing.
     *
     * @returns the changes whose fence could not be written in time, with the last error.
     */
    async write(
      changes: readonly TimedChange[],
      found: ReadonlyMap<string, Fence>,
      pace: Pace,
    ): Promise<{ sequenceNumber: string; message: string }[]> {
      const left = await untilDeadline(changes, { pace, concurrencyMax: CONCURRENCY_MAX }, async (change) => {
        const expiresAt = keepForever ? undefined : Math.floor(pace.now() / 1_000) + FENCE_LIFETIME_SECONDS;
        const put = putFence(table.name, change, found.get(change.recordIdentifier), expiresAt);
        await unlessConditionFails(() => table.dynamodb.send(put));
        return undefined;
      });
      return left.map(({ item, message }) => ({ sequenceNumber: item.sequenceNumber, message: `fence: ${message}` }));
    },
  };
}

type FenceKeys = { pk: { S: string } }[];

/** One BatchGetItem. 200 does not mean that all was read: what is left is answered, if anything is. */
async function readFences({ name, dynamodb }: StateTable, keys: FenceKeys) {
  const answer = await dynamodb.send(
    new BatchGetItemCommand({ RequestItems: { [name]: { Keys: keys, ConsistentRead: true } } }),
  );
  const unprocessed = answer.UnprocessedKeys?.[name]?.Keys ?? [];
  return {
    items: answer.Responses?.[name] ?? [],
    unprocessed: unprocessed.length > 0 ? (unprocessed as FenceKeys) : undefined,
  };
}

function putFence(
  tableName: string,
  change: TimedChange,
  found: Fence | undefined,
  expiresAt: number | undefined,
): PutItemCommand {
  const before = predecessorOf(found, change);
  return new PutItemCommand({
    TableName: tableName,
    Item: {
      pk: { S: fenceKey(change.recordIdentifier) },
      record: { S: change.recordIdentifier },
      sequenceNumber: { S: paddedSequenceNumber(change.sequenceNumber) },
      eventTimeMs: { N: String(change.eventTimeMs) },
      ...(before && {
        beforeSequenceNumber: { S: paddedSequenceNumber(before.sequenceNumber) },
        beforeEventTimeMs: { N: String(before.eventTimeMs) },
      }),
      ...(expiresAt !== undefined && { expiresAt: { N: String(expiresAt) } }),
    },
    // The event time counts too: sequence numbers of two shards may not compare, and the clock never goes back.
    ConditionExpression: 'attribute_not_exists(pk) OR eventTimeMs < :eventTimeMs',
    ExpressionAttributeValues: { ':eventTimeMs': { N: String(change.eventTimeMs) } },
  });
}

/** What the new fence remembers: the one the batch began with, as long as it is not the new one itself. */
function predecessorOf(found: Fence | undefined, change: TimedChange) {
  if (!found) return undefined;
  return found.eventTimeMs < change.eventTimeMs ? found : found.before;
}

function fenceOf(item: Record<string, AttributeValue>): Fence {
  const unpad = (text: string | undefined) => (text ?? '').replace(/^0+(?=\d)/, '');
  const { beforeSequenceNumber, beforeEventTimeMs } = item;
  return {
    sequenceNumber: unpad(item.sequenceNumber?.S),
    eventTimeMs: Number(item.eventTimeMs?.N),
    before: beforeSequenceNumber && {
      sequenceNumber: unpad(beforeSequenceNumber.S),
      eventTimeMs: Number(beforeEventTimeMs?.N),
    },
  };
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}
