import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Pace } from '../../calls/pace.ts';
import { toEventImage } from '../../changes/attribute-value.ts';
import type { Change, Rejection, TimedChange } from '../../changes/change.ts';
import { isChange, isRejection, isSkipped } from '../../changes/decode.ts';
import { type ItemTest, itemTest } from '../../changes/items.ts';
import { isDelete, isKept, keepsRemoved } from '../../changes/last-change.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import { type Item, readSourceItems } from '../../delivery/source-items.ts';
import type { Sink } from '../../sinks/sink.ts';
import type { StateTable } from '../../state/table.ts';
import { readTombstones, type Tombstone, tombstoneWriter } from '../../state/tombstones.ts';
import { READING_MARGIN_SECONDS, statementTime } from '../dating.ts';
import type { Statement } from '../statements.ts';

/** Where the statements of a backfill go. */
export interface BackfillDestinations {
  /** The online store itself: the deletes of a backfill leave no tombstones. */
  readonly onlineStore: Sink;
  readonly labelLedger: Sink;
  readonly table: StateTable;
  readonly source: Pick<DynamoDBClient, 'send'>;
  /** Keeps rejections, whole. @returns those it could not keep. */
  quarantine(rejections: readonly Rejection[], pace: Pace): Promise<readonly { readonly message: string }[]>;
}

/** The key attributes of a change's item. */
type KeysOf = (change: Change) => Item;

/** What became of a chunk. */
export interface ChunkCounts {
  readonly rows: number;
  readonly rejected: number;
  /** Items that are no records, by the definition. */
  readonly skipped: number;
  /** Deleted since the statement was made, or stated as gone. */
  readonly deleted: number;
  readonly labels: number;
  /** Rows that are written but for their label, which is none: it waits in quarantine. */
  readonly wrongLabels: number;
}

/** What became of the statements of both. */
export function sumOfCounts(one: ChunkCounts, other: ChunkCounts): ChunkCounts {
  return {
    rows: one.rows + other.rows,
    rejected: one.rejected + other.rejected,
    skipped: one.skipped + other.skipped,
    deleted: one.deleted + other.deleted,
    labels: one.labels + other.labels,
    wrongLabels: one.wrongLabels + other.wrongLabels,
  };
}

/**
 * Makes the writer of chunks: of some statements to every place but the change log.
 *
 * The order is what makes it right. Records are put, and only then it is looked whether they were deleted meanwhile: a
 * delete that came before the put has left a tombstone by then, and one that comes later finds the record. Rows that a
 * tombstone is later than are deleted, not passed over, as a chunk that is done again may have put them before.
 *
 * A statement that is older than the recording may be of an item whose delete left no tombstone: the table itself then
 * tells whether the item is still there, and a delete that is found so leaves one for the sweep.
 *
 * Idempotent: event times are the statement's, and the same chunk is the same writes.
 *
 * @param marginSeconds how far clocks may differ; of a reading, {@link READING_MARGIN_SECONDS} at most.
 * @throws Error in one sentence when something could not be written in time: then the chunk is to be done again.
 */
export function chunkWriter(group: FeatureGroup, destinations: BackfillDestinations, marginSeconds: number) {
  const { onlineStore, labelLedger, table } = destinations;
  const writeTombstones = tombstoneWriter(table);
  const isRecord = itemTest(group);

  /** Whatever the world refuses is an error, whatever Feature Store refuses a rejection. */
  async function write(changes: readonly TimedChange[], pace: Pace, keysOf?: KeysOf): Promise<Rejection[]> {
    if (changes.length === 0) return [];
    const { failures, rejections } = await onlineStore.write(changes, pace);
    if (failures.length > 0) throw new Error(`${failures.length} records were not written: ${failures[0]?.message}`);
    return rejections.map(({ change, message, detail }) => ({
      sequenceNumber: change.sequenceNumber,
      ...{ reason: 'refused-by-feature-store', path: 'dynamodb.NewImage', message, detail },
      record: recordOf(change, keysOf?.(change)),
    }));
  }

  /** Deletes those of the records that were deleted after their statement. @returns how many were. */
  async function deleteGone(put: readonly TimedChange[], keysOf: KeysOf | undefined, pace: Pace): Promise<number> {
    const ids = put.map(({ recordIdentifier }) => recordIdentifier);
    const tombstones = await readTombstones(table, ids, pace);
    const gone = put.flatMap((change) => {
      const tombstone = tombstones.get(change.recordIdentifier);
      return tombstone && tombstone.eventTimeMs > change.eventTimeMs ? deleteOf(change, tombstone) : [];
    });
    if (keysOf) {
      const unremembered = await absent(put, keysOf, pace);
      if (unremembered.length > 0) await writeTombstones(unremembered, pace);
      gone.push(...unremembered);
    }
    await write([...new Map(gone.map((it) => [it.recordIdentifier, it])).values()], pace);
    return new Set(gone.map((it) => it.recordIdentifier)).size;
  }

  /** Deletes of the records whose items are not in the table, dated just before that was read. */
  async function absent(put: readonly TimedChange[], keysOf: KeysOf, pace: Pace): Promise<TimedChange[]> {
    const eventTimeMs = statementTime(pace.now(), Math.min(READING_MARGIN_SECONDS, marginSeconds));
    if (put.some((change) => change.eventTimeMs >= eventTimeMs)) {
      throw new Error('the export is only a moment old: take the backfill up again in a minute');
    }
    const keys = new Map(put.map((change) => [change.recordIdentifier, keysOf(change)]));
    const { found, unread } = await readSourceItems(group, destinations.source, keys, pace);
    const [why] = unread.values();
    if (why !== undefined) throw new Error(`${unread.size} items were not looked for: ${why}`);
    return put.flatMap((change) => {
      const item = found.get(change.recordIdentifier);
      const isThere =
        item !== undefined && (isRecord === undefined || isRecord(toEventImage(item) as Parameters<ItemTest>[0]));
      return isThere ? [] : deleteOf(change, { ...change, eventTimeMs });
    });
  }

  return async (statements: readonly Statement[], looksAtTable: boolean, pace: Pace): Promise<ChunkCounts> => {
    const rejections: Rejection[] = [];
    const keys = new Map<Change, Item>();
    for (const it of statements) {
      if (isRejection(it.decoded)) rejections.push(it.decoded);
      else if (isChange(it.decoded)) keys.set(it.decoded, it.keys as Item);
    }
    const keysOf: KeysOf = (change) => keys.get(change) as Item;
    const changes = [...keys.keys()] as TimedChange[];
    const effective = changes.filter((it) => !isKept(group, it));
    const removes = effective.filter((it) => isDelete(group, it));
    // A put that is still under way from before a crash may come after the delete: the sweep finds it by the tombstone.
    if (removes.length > 0) await writeTombstones(removes, pace);
    rejections.push(...(await write(effective, pace, keysOf)));
    const refused = new Set(rejections.map(({ sequenceNumber }) => sequenceNumber));
    const put = effective.filter((it) => !isDelete(group, it) && !refused.has(it.sequenceNumber));
    const looksFor = looksAtTable && !keepsRemoved(group) ? keysOf : undefined;
    const deleted = put.length > 0 ? await deleteGone(put, looksFor, pace) : 0;

    const labeled = changes.filter((it) => it.newLabel !== undefined && !refused.has(it.sequenceNumber));
    const counted = await labelLedger.write(labeled.map(asLedgerEntry), pace);
    if (counted.failures.length > 0) throw new Error(`labels were not counted: ${counted.failures[0]?.message}`);
    const wrongLabels = changes.flatMap(({ wrongLabel }) => wrongLabel ?? []);
    const apart = wrongLabels.filter(({ sequenceNumber = '' }) => !refused.has(sequenceNumber));
    const [unkept] = await destinations.quarantine([...rejections, ...apart], pace);
    if (unkept) throw new Error(`rejected rows were not kept: ${unkept.message}`);
    return {
      rows: statements.length,
      rejected: rejections.length,
      skipped: statements.filter(({ decoded }) => isSkipped(decoded)).length,
      deleted: deleted + removes.length,
      labels: labeled.length,
      wrongLabels: apart.length,
    };
  };
}

/** What is kept of a record that Feature Store refused: enough for a redrive, which reads the item. */
function recordOf({ sequenceNumber: SequenceNumber, second }: TimedChange, Keys: Item | undefined): object {
  return { eventName: 'INSERT', dynamodb: { ApproximateCreationDateTime: second, Keys, SequenceNumber } };
}

function deleteOf(change: TimedChange, { eventTimeMs, sequenceNumber }: Tombstone): TimedChange {
  return { ...change, eventName: 'REPAIR_REMOVE', sequenceNumber, values: undefined, newLabel: undefined, eventTimeMs };
}

/** A label of history is counted only if none of the record ever was, and loses against every label of the stream. */
function asLedgerEntry(change: TimedChange): TimedChange {
  return { ...change, sequenceNumber: '0', streamSecond: 0 };
}
