import { type AttributeValue, GetItemCommand, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { chunksOf } from '../calls/chunks.ts';
import { type Pace, untilDeadline } from '../calls/pace.ts';
import { conditionalPuts, PUTS_PER_CALL_MAX } from './conditional-puts.ts';
import { BACKFILL_KEY, TOMBSTONES, tombstoneKey } from './keys.ts';
import { readItems, type StateTable } from './table.ts';

/**
 * Tombstones: which records were deleted while a backfill is under way, and when. A backfill may put a record just after
 * its delete, which found nothing to delete, and of which Feature Store may remember nothing. So whoever deletes says so
 * here first, and the backfill looks here after it has put.
 */

/** The last delete of a record. */
export interface Tombstone {
  readonly recordIdentifier: string;
  readonly eventTimeMs: number;
  readonly sequenceNumber: string;
}

/** Longer than a backfill goes on, by which time tombstones are of no use any more. */
export const TOMBSTONE_DAYS = 60;

/** Calls to the state table in flight at once. */
const CONCURRENCY_MAX = 16;

const DAY_SECONDS = 86_400;

/** Whether deletes have to leave tombstones (consistent read). */
export async function isRecording({ name, dynamodb }: StateTable, abortSignal: AbortSignal): Promise<boolean> {
  const get = new GetItemCommand({ TableName: name, Key: { pk: { S: BACKFILL_KEY } }, ConsistentRead: true });
  const { Item } = await dynamodb.send(get, { abortSignal });
  return Item?.status?.S === 'recording';
}

/**
 * Makes the writer of tombstones. Idempotent by condition: of two deletes of a record the later one stays.
 *
 * @throws Error when some could not be written in time: then nothing may be deleted.
 */
export function tombstoneWriter(table: StateTable) {
  const put = conditionalPuts(table, 'eventTimeMs < :eventTimeMs');
  return async (tombstones: readonly Tombstone[], pace: Pace): Promise<void> => {
    const expiresAt = { N: String(Math.floor(pace.now() / 1_000) + TOMBSTONE_DAYS * DAY_SECONDS) };
    const puts = tombstones.map(({ recordIdentifier, eventTimeMs, sequenceNumber }) => {
      const eventTime = { N: String(eventTimeMs) };
      const item = { pk: { S: tombstoneKey(recordIdentifier) }, recordIdentifier: { S: recordIdentifier } };
      return {
        item: { ...item, eventTimeMs: eventTime, sequenceNumber: { S: sequenceNumber }, expiresAt },
        values: { ':eventTimeMs': eventTime },
      };
    });
    const rounds = { pace, concurrencyMax: CONCURRENCY_MAX };
    const left = await untilDeadline(chunksOf(puts, PUTS_PER_CALL_MAX), rounds, (call) => put(call, pace.signal));
    if (left.length > 0) throw new Error(`tombstones were not written: ${left[0]?.message}`);
  };
}

/** The tombstones of records that have one (consistent reads). @throws Error when they could not be read in time. */
export async function readTombstones(
  table: StateTable,
  recordIdentifiers: readonly string[],
  pace: Pace,
): Promise<Map<string, Tombstone>> {
  const found = new Map<string, Tombstone>();
  await readItems(table, recordIdentifiers.map(tombstoneKey), pace, (item) => {
    const tombstone = tombstoneOf(item);
    found.set(tombstone.recordIdentifier, tombstone);
  });
  return found;
}

/** A page of the state table: the tombstones on it, and the key that the page after it begins behind, if there is one. */
export interface TombstonePage {
  readonly tombstones: readonly Tombstone[];
  readonly next: string | undefined;
}

/**
 * All tombstones of deletes after a moment, page by page. The whole state table is read for them, consistently: an index
 * would lag behind.
 *
 * @param behind the key behind which to begin: what a page named as next.
 */
export async function* allTombstones(
  table: StateTable,
  afterMs: number,
  behind?: string,
): AsyncGenerator<TombstonePage, void> {
  let next = behind;
  do {
    const page: ScanCommandOutput = await table.dynamodb.send(
      new ScanCommand({
        TableName: table.name,
        ConsistentRead: true,
        FilterExpression: 'begins_with(pk, :tombstones) AND eventTimeMs > :after',
        ExpressionAttributeValues: { ':tombstones': { S: TOMBSTONES }, ':after': { N: String(afterMs) } },
        ...(next !== undefined && { ExclusiveStartKey: { pk: { S: next } } }),
      }),
    );
    next = page.LastEvaluatedKey?.pk?.S;
    yield { tombstones: (page.Items ?? []).map(tombstoneOf), next };
  } while (next !== undefined);
}

const tombstoneOf = (item: Record<string, AttributeValue>): Tombstone => ({
  recordIdentifier: item.recordIdentifier?.S ?? '',
  eventTimeMs: Number(item.eventTimeMs?.N),
  sequenceNumber: item.sequenceNumber?.S ?? '',
});
