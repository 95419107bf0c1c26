import { type AttributeValue, BatchGetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { chunksOf } from '../calls/chunks.ts';
import { type Pace, untilDeadline } from '../calls/pace.ts';
import { type Fence, type FenceOf, type Place, placeOf } from '../changes/event-order.ts';
import { paddedSequenceNumber } from '../changes/sequence-number.ts';
import { fenceKey } from './keys.ts';
import { type StateTable, unlessConditionFails } from './table.ts';

/** Most keys of one call. Source: BatchGetItem. */
const KEYS_PER_CALL_MAX = 100;
/** State table calls in flight at once. */
const CONCURRENCY_MAX = 32;
/** A fence is needed as long as a batch may be delivered again: the stream's 24 hours, and one to spare. */
const FENCE_LIFETIME_SECONDS = 25 * 3_600;

/** Fences in the state table. `keepForever`: every record has one, of whatever age (see `fencesEveryRecord`). */
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
      const calls = chunksOf(keys, KEYS_PER_CALL_MAX);
      const left = await untilDeadline(calls, { pace, concurrencyMax: CONCURRENCY_MAX }, async (call) => {
        const { items, unprocessed } = await readFences(table, call, pace.signal);
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
     * Leaves fences, one per record.
     *
     * Idempotent: a fence is only ever moved to a newer change, so a second or a late writer changes nothing.
     *
     * @returns the changes whose fence could not be written in time, with the last error.
     */
    async write(
      fences: readonly FenceOf[],
      found: ReadonlyMap<string, Fence>,
      pace: Pace,
    ): Promise<{ sequenceNumber: string; message: string }[]> {
      const left = await untilDeadline(fences, { pace, concurrencyMax: CONCURRENCY_MAX }, async (fence) => {
        const expiresAt = keepForever ? undefined : Math.floor(pace.now() / 1_000) + FENCE_LIFETIME_SECONDS;
        const put = putFence(table.name, fence, found.get(fence.change.recordIdentifier), expiresAt);
        await unlessConditionFails(() => table.dynamodb.send(put, { abortSignal: pace.signal }));
        return undefined;
      });
      return left.map(({ item, message }) => ({
        sequenceNumber: item.change.sequenceNumber,
        message: `fence: ${message}`,
      }));
    },
  };
}

type FenceKeys = { pk: { S: string } }[];

/** One BatchGetItem. 200 does not mean that all was read: what is left is answered, if anything is. */
async function readFences({ name, dynamodb }: StateTable, keys: FenceKeys, abortSignal: AbortSignal) {
  const answer = await dynamodb.send(
    new BatchGetItemCommand({ RequestItems: { [name]: { Keys: keys, ConsistentRead: true } } }),
    { abortSignal },
  );
  const unprocessed = answer.UnprocessedKeys?.[name]?.Keys ?? [];
  return {
    items: answer.Responses?.[name] ?? [],
    unprocessed: unprocessed.length > 0 ? (unprocessed as FenceKeys) : undefined,
  };
}

function putFence(
  tableName: string,
  { change, effective }: FenceOf,
  found: Fence | undefined,
  expiresAt: number | undefined,
): PutItemCommand {
  return new PutItemCommand({
    TableName: tableName,
    Item: {
      pk: { S: fenceKey(change.recordIdentifier) },
      record: { S: change.recordIdentifier },
      ...placeItem(OWN, placeOf(change)),
      ...placeItem(BEFORE, predecessorOf(found, change)),
      ...placeItem(EFFECTIVE, effective),
      ...(expiresAt !== undefined && { expiresAt: { N: String(expiresAt) } }),
    },
    // The event time counts too: sequence numbers of two shards may not compare, and the clock never goes back.
    ConditionExpression: 'attribute_not_exists(pk) OR eventTimeMs < :eventTimeMs',
    ExpressionAttributeValues: { ':eventTimeMs': { N: String(change.eventTimeMs) } },
  });
}

/** What the new fence remembers: the one the batch began with, as long as it is not the new one itself. */
function predecessorOf(found: Fence | undefined, change: Place): Place | undefined {
  if (!found) return undefined;
  return found.eventTimeMs < change.eventTimeMs ? found : found.before;
}

/** Attributes of a fence's places: sequence number, event time, second by the stream's clock, whether it was a removal. */
type PlaceAttributes = readonly [string, string, string, string];
const OWN: PlaceAttributes = ['sequenceNumber', 'eventTimeMs', 'streamSecond', 'removed'];
const BEFORE: PlaceAttributes = ['beforeSequenceNumber', 'beforeEventTimeMs', 'beforeStreamSecond', 'beforeRemoved'];
const EFFECTIVE: PlaceAttributes = [
  'effectiveSequenceNumber',
  'effectiveEventTimeMs',
  'effectiveStreamSecond',
  'effectiveRemoved',
];

function placeItem(
  [number, time, second, removed]: PlaceAttributes,
  place: Place | undefined,
): Record<string, AttributeValue> {
  if (!place) return {};
  return {
    [number]: { S: paddedSequenceNumber(place.sequenceNumber) },
    [time]: { N: String(place.eventTimeMs) },
    ...(place.streamSecond !== undefined && { [second]: { N: String(place.streamSecond) } }),
    ...(place.removed && { [removed]: { BOOL: true } }),
  };
}

function readPlace(
  item: Record<string, AttributeValue>,
  [number, time, second, removed]: PlaceAttributes,
): Place | undefined {
  const text = item[number]?.S;
  if (text === undefined) return undefined;
  return {
    sequenceNumber: text.replace(/^0+(?=\d)/, ''),
    eventTimeMs: Number(item[time]?.N),
    streamSecond: item[second] && Number(item[second].N),
    removed: item[removed]?.BOOL === true,
  };
}

function fenceOf(item: Record<string, AttributeValue>): Fence {
  return {
    ...(readPlace(item, OWN) as Place),
    before: readPlace(item, BEFORE),
    effective: readPlace(item, EFFECTIVE),
  };
}
