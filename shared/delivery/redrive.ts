import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Pace } from '../calls/pace.ts';
import { toEventImage } from '../changes/attribute-value.ts';
import type { Change, Rejection, TimedChange } from '../changes/change.ts';
import { type Decoder, isRejection, makeDecoder } from '../changes/decode.ts';
import { assignEventTimes, type Fence } from '../changes/event-order.ts';
import { eventTimeAfter } from '../changes/event-time.ts';
import { labelDecoder } from '../changes/feature-decoder.ts';
import { compareSequenceNumbers } from '../changes/sequence-number.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { Sink } from '../sinks/sink.ts';

/**
 * Redrive puts right what ingest could not deliver, and takes the table as truth: the online store gets what the item
 * is now, whatever the waiting record says, so that a stale record never wins. Every step may be done again, in any
 * order, any number of times.
 */

/**
 * How long a record must have waited, in seconds, and how far before the reading of the item the repair is dated. The
 * repair must lose against every change that the reading has not seen. Those carry the second of the reading or a later
 * one, by a clock that may differ from ours by less than this.
 */
export const REDRIVE_MARGIN_SECONDS = 10;

/** What a person asks of redrive. */
export interface RedriveRequest {
  /** `list` says what waits and why; `redrive` puts it right. Default: list. */
  readonly action?: 'list' | 'redrive';
  /** Most objects to look at. Default: 1,000. */
  readonly limit?: number;
}

/** What has become of the objects that waited. */
export interface RedriveAnswer {
  /** Objects put right and taken away. */
  readonly redriven: readonly string[];
  /** Objects that still wait, with the number of their records and the reason. */
  readonly waiting: readonly { readonly key: string; readonly records: number; readonly reason: string }[];
}

/** What has become of the records of one object. */
export type RedriveResult =
  | { readonly status: 'redriven' }
  /** Still to be put right, and what by: the application, or another redrive. */
  | { readonly status: 'waiting'; readonly reason: string };

export interface RedriveDestinations {
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
  readonly featureStore: Sink;
  readonly changeLog: Sink;
  readonly labelLedger: Sink;
  readonly fences: {
    read(recordIdentifiers: Iterable<string>, pace: Pace): Promise<Map<string, Fence>>;
    write(
      changes: readonly TimedChange[],
      found: ReadonlyMap<string, Fence>,
      pace: Pace,
    ): Promise<readonly { message: string }[]>;
  };
}

/** Puts stream records right. What cannot be put right yet says why; nothing is thrown away. */
export async function redriveRecords(
  group: FeatureGroup,
  records: readonly unknown[],
  destinations: RedriveDestinations,
  pace: Pace,
): Promise<RedriveResult> {
  const decode = makeDecoder(group);
  const decoded = records.map((record) => ({ record, decoded: decode(record) }));
  const changes = decoded.map((it) => it.decoded).filter((it): it is Change => !isRejection(it));

  // A change that ingest could not deliver is still a change: its row is owed. Its fence, too: it orders the rows that
  // are redriven after this one, and the repair where no clock can.
  const { fences } = destinations;
  const found = await fences.read(
    changes.map(({ recordIdentifier }) => recordIdentifier),
    pace,
  );
  const rows = assignEventTimes(changes, found);
  const logged = await destinations.changeLog.write(rows, pace);
  const last = new Map(rows.map((change) => [change.recordIdentifier, change]));
  const unfenced = await fences.write([...last.values()], found, pace);

  // One item that is still wrong must not keep the others of its batch waiting.
  const waiting = new Map<string, string>();
  for (const [key, ofItem] of Map.groupBy(records, (record) => JSON.stringify(keysOf(record)))) {
    const result = await repairOnline(group, decode, ofItem, destinations, pace);
    if (result.status === 'waiting') waiting.set(key, result.reason);
  }
  // In the stream's order, as of several labels of a record the last one is counted.
  const rowOf = new Map(rows.map((change) => [change.sequenceNumber, change]));
  const labels = decoded.flatMap(({ record, decoded: it }) => {
    if (!isRejection(it)) return rowOf.get(it.sequenceNumber) ?? [];
    return waiting.has(JSON.stringify(keysOf(record))) ? [] : labelOfRejected(group, decode, record, it);
  });
  const counted = await destinations.labelLedger.write(labels, pace);
  const reason = [...logged.failures, ...unfenced, ...counted.failures][0]?.message ?? [...waiting.values()][0];
  return reason === undefined ? { status: 'redriven' } : { status: 'waiting', reason };
}

/** Makes the online record what the item is now. */
async function repairOnline(
  group: FeatureGroup,
  decode: Decoder,
  records: readonly unknown[],
  { dynamodb, featureStore, fences }: RedriveDestinations,
  pace: Pace,
): Promise<RedriveResult> {
  const record = records.at(-1);
  const removal = decode({ ...(record as object), eventName: 'REMOVE' });
  if (isRejection(removal))
    return { status: 'waiting', reason: `${removal.reason} at ${removal.path}: ${removal.message}` };
  const found =
    group.eventTime.attribute === undefined
      ? datedByClock(removal, pace)
      : await datedByFence(removal, records.length, fences, pace);
  if ('status' in found) return found;

  // Read only now: whatever the reading has not seen comes after the date that was just fixed.
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: group.table, Key: keysOf(record), ConsistentRead: true }),
  );
  const current = Item ? decode(asInsert(record, Item)) : removal;
  if (isRejection(current)) {
    return {
      status: 'waiting',
      reason: `the item is still wrong: ${current.reason} at ${current.path}: ${current.message}`,
    };
  }
  const { failures, rejections } = await featureStore.write([{ ...current, eventTimeMs: found.eventTimeMs }], pace);
  const problem = failures[0] ?? rejections[0];
  return problem ? { status: 'waiting', reason: problem.message } : { status: 'redriven' };
}

/** Event times come from the stream's clock: the repair is dated just before what the reading cannot have seen. */
function datedByClock(change: Change, pace: Pace): { eventTimeMs: number } | RedriveResult {
  const second = Math.floor(pace.now() / 1_000) - REDRIVE_MARGIN_SECONDS;
  if (change.second >= second) {
    return { status: 'waiting', reason: `it is younger than ${REDRIVE_MARGIN_SECONDS} seconds: try again shortly` };
  }
  return { eventTimeMs: second * 1_000 - 1 };
}

/**
 * Event times come from the items, so no clock of ours can date the repair. The record's fence can: it is moved on
 * before the reading, so that a change which the reading has not seen finds it, and comes after.
 *
 * @param ahead milliseconds by which the discarded batch may have been ahead of the fence: its changes of the record.
 */
async function datedByFence(
  change: Change,
  ahead: number,
  fences: RedriveDestinations['fences'],
  pace: Pace,
): Promise<{ eventTimeMs: number } | RedriveResult> {
  const found = await fences.read([change.recordIdentifier], pace);
  const fence = found.get(change.recordIdentifier);
  const eventTimeMs = eventTimeAfter(change.second, fence && fence.eventTimeMs + ahead);
  const sequenceNumber =
    fence && compareSequenceNumbers(fence.sequenceNumber, change.sequenceNumber) > 0
      ? fence.sequenceNumber
      : change.sequenceNumber;
  const failures = await fences.write([{ ...change, sequenceNumber, eventTimeMs }], found, pace);
  if (failures[0]) return { status: 'waiting', reason: failures[0].message };
  const written = (await fences.read([change.recordIdentifier], pace)).get(change.recordIdentifier);
  if (written?.eventTimeMs !== eventTimeMs) {
    return { status: 'waiting', reason: 'the record is changing just now: try again shortly' };
  }
  return { eventTimeMs };
}

/**
 * The label that a record brought which is wrong in another place: the change that mends the item later keeps the
 * label, so it is no label event, and this one must be counted.
 */
function labelOfRejected(
  group: FeatureGroup,
  decode: Decoder,
  record: unknown,
  decoded: Change | Rejection,
): TimedChange[] {
  if (!isRejection(decoded)) return [];
  const removal = decode({ ...(record as object), eventName: 'REMOVE' });
  if (isRejection(removal)) return [];
  const { NewImage, OldImage } = imagesOf(record);
  const after = labelDecoder.judge(NewImage?.[group.label.attribute]);
  const before = labelDecoder.judge(OldImage?.[group.label.attribute]);
  if ((after !== '0' && after !== '1') || after === before) return [];
  return [{ ...removal, newLabel: after, eventTimeMs: eventTimeAfter(removal.second, undefined) }];
}

function imagesOf(record: unknown) {
  return ((record as { dynamodb?: object })?.dynamodb ?? {}) as {
    Keys?: Record<string, AttributeValue>;
    NewImage?: Record<string, Record<string, unknown>>;
    OldImage?: Record<string, Record<string, unknown>>;
  };
}

function keysOf(record: unknown): Record<string, AttributeValue> | undefined {
  return imagesOf(record).Keys;
}

/** The item as it is, in the clothes of a stream record. */
function asInsert(record: unknown, item: Record<string, AttributeValue>): unknown {
  const { dynamodb } = record as { dynamodb: object };
  return { ...(record as object), eventName: 'INSERT', dynamodb: { ...dynamodb, NewImage: toEventImage(item) } };
}
