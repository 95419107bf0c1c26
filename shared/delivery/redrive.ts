import { chunksOf } from '../calls/chunks.ts';
import type { Pace } from '../calls/pace.ts';
import { type Change, streamSecondOf, type TimedChange } from '../changes/change.ts';
import { type Decoded, isChange, isRejection, isSkipped, makeDecoder } from '../changes/decode.ts';
import { assignEventTimes, effectiveOf, type Fence, isLater, type Place } from '../changes/event-order.ts';
import { labelDecoder } from '../changes/feature-decoder.ts';
import { type ItemTest, itemTest } from '../changes/items.ts';
import { keepsRemoved } from '../changes/last-change.ts';
import { compareSequenceNumbers } from '../changes/sequence-number.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { valueAt } from '../definition/item-path.ts';
import { soughtForRepair, type WaitingItem } from './dating.ts';
import { type RedriveDestinations, repairer } from './repair.ts';

/**
 * Redrive puts right what ingest could not deliver, and takes the table as truth: both stores get what the item is now,
 * whatever the waiting record says, so that a stale record never wins. Every step may be done again, in any order, any
 * number of times.
 */

/** What has become of the objects that waited. */
export interface RedriveAnswer {
  /** Objects put right and taken away. */
  readonly redriven: readonly string[];
  /** Objects of which some records still wait: how many, and why the first of them does. */
  readonly waiting: readonly { readonly key: string; readonly records: number; readonly reason: string }[];
  /** There may be more: ask again with this as `after`. */
  readonly next?: string;
}

/** Items put right together: as many as one call reads. */
const ITEMS_PER_ROUND = 100;

/** Of each record why it still waits, in the order of the records; undefined: it is put right. */
export type Redriven = (string | undefined)[];

/** Puts stream records right. What cannot be put right yet says why; nothing is thrown away. */
export type RecordRedriver = (records: readonly unknown[], pace: Pace) => Promise<Redriven>;

/** One waiting record, decoded. */
interface Waiting {
  readonly place: number;
  readonly record: unknown;
  readonly decoded: Decoded;
  /** What the record would be if it said that its item is gone: it tells which item, and when. */
  readonly removal: Change;
}

/** @param hazardSeconds how far two records of a shard may be out of step in their seconds. */
export function recordRedriver(
  group: FeatureGroup,
  destinations: RedriveDestinations,
  hazardSeconds: number,
): RecordRedriver {
  const decode = makeDecoder(group);
  // Which item it is, and when it was: the same of every item, whether it is a record or not.
  const { items: _, ...ofAllItems } = group;
  const decodeRemoval = makeDecoder(ofAllItems);
  const isRecord = itemTest(group) ?? (() => true);
  const repair = repairer(group, decode, destinations, hazardSeconds);
  const keeps = keepsRemoved(group);

  return async (records, pace) => {
    const reasons: Redriven = new Array(records.length).fill(undefined);
    const readable: Waiting[] = [];
    for (const [place, record] of records.entries()) {
      const removal = decodeRemoval({ ...(record as object), eventName: 'REMOVE' });
      const decoded = decode(record);
      // A record of a discarded batch, or of a former definition, to which nothing is owed: it had no effect, and has none.
      if (isSkipped(decoded) || isSkipped(removal)) continue;
      if (isRejection(removal)) reasons[place] = `${removal.reason} at ${removal.path}: ${removal.message}`;
      else readable.push({ place, record, decoded, removal });
    }
    readable.sort(inStreamOrder);
    const items = [...Map.groupBy(readable, ({ removal }) => removal.recordIdentifier).values()];
    for (const round of chunksOf(items, ITEMS_PER_ROUND)) {
      const waiting = pace.now() < pace.deadline ? await putRight(round, pace) : () => 'no time left: it is next';
      for (const it of round.flat()) reasons[it.place] = waiting(it);
    }
    return reasons;
  };

  /** Objects hold what came from several shards, and of streams that were made anew. */
  function inStreamOrder({ removal: one }: Waiting, { removal: other }: Waiting): number {
    const seconds = streamSecondOf(one) - streamSecondOf(other);
    return Math.abs(seconds) > hazardSeconds
      ? seconds
      : compareSequenceNumbers(one.sequenceNumber, other.sequenceNumber);
  }

  /** @returns why a record still waits. */
  async function putRight(items: readonly Waiting[][], pace: Pace): Promise<(record: Waiting) => string | undefined> {
    let found: ReadonlyMap<string, Fence>;
    try {
      const waiting = items.flat().map(({ removal }) => removal);
      found = await destinations.fences.read(soughtForRepair(waiting, hazardSeconds, pace), pace);
    } catch (error) {
      const { message } = error as Error;
      return () => message;
    }
    // A change that ingest could not deliver is still a change: its row is owed. Its fence, too: it orders the rows that
    // are redriven after this one, and the repair where no clock can.
    const changes = items.flat().map(({ decoded }) => decoded);
    const written = assignEventTimes(changes.filter(isChange), found, hazardSeconds);
    const rows = written.map((row) => inPlace(row, found));
    const logged = await destinations.changeLog.write(rows, pace);
    const last = [...new Map(rows.map((change) => [change.recordIdentifier, change])).values()];
    const fences = last.map((change) => {
      // It has not taken effect yet: until its repair has, what did before remains said.
      return keeps ? { change, effective: effectiveOf(found.get(change.recordIdentifier)) } : { change };
    });
    const unfenced = await destinations.fences.write(fences, found, pace);
    const rowsOf = Map.groupBy(rows, ({ recordIdentifier }) => recordIdentifier);
    const writtenMs = new Map(written.map((row) => [row.recordIdentifier, row.eventTimeMs]));
    const waiting = await repair(
      items.map((it) => waitingItem(it, rowsOf.get(identifierOf(it)) ?? [], writtenMs.get(identifierOf(it)) ?? 0)),
      found,
      pace,
    );

    const rowOf = new Map(rows.map((change) => [change.sequenceNumber, change]));
    const labels = items.flat().flatMap((it) => {
      if (isChange(it.decoded)) return rowOf.get(it.decoded.sequenceNumber) ?? [];
      return waiting.has(it.removal.recordIdentifier) ? [] : labelOfRejected(group, isRecord, it);
    });
    const counted = await destinations.labelLedger.write(labels, pace);
    const undone = [...logged.failures, ...unfenced, ...counted.failures];
    const failures = new Map(undone.map(({ sequenceNumber, message }) => [sequenceNumber, message]));
    return ({ removal }) => waiting.get(removal.recordIdentifier) ?? failures.get(removal.sequenceNumber);
  }

  /** A row that the record is known to have gone past is not dated later than that: its own second may err. */
  function inPlace(row: TimedChange, found: ReadonlyMap<string, Fence>): TimedChange {
    const fence = found.get(row.recordIdentifier);
    if (!fence) return row;
    const past = [fence, ...fence.earlier, effectiveOf(fence)].filter(
      (it) => !isLater(row, it, hazardSeconds) && !isSame(row, it),
    );
    const eventTimeMs = Math.min(row.eventTimeMs, ...past.map((it) => it.eventTimeMs));
    return eventTimeMs === row.eventTimeMs ? row : { ...row, eventTimeMs };
  }
}

const isSame = (row: TimedChange, place: Place) =>
  compareSequenceNumbers(row.sequenceNumber, place.sequenceNumber) === 0;

const identifierOf = (records: readonly Waiting[]): string => (records[0] as Waiting).removal.recordIdentifier;

function waitingItem(records: readonly Waiting[], rows: readonly TimedChange[], writtenMs: number): WaitingItem {
  const last = records.at(-1) as Waiting;
  return {
    rows,
    writtenMs,
    removal: last.removal,
    record: last.record,
    records: records.length,
    lastSecond: Math.max(...records.map(({ removal }) => streamSecondOf(removal))),
  };
}

/**
 * The label that a record brought which is wrong in another place: the change that mends the item later keeps the
 * label, so it is no label event, and this one must be counted.
 */
function labelOfRejected(group: FeatureGroup, isRecord: ItemTest, { record, removal }: Waiting): TimedChange[] {
  const { label } = group;
  if (!label) return [];
  const { NewImage, OldImage } = imagesOf(record, isRecord);
  const { judge } = labelDecoder(label);
  const after = judge(NewImage && valueAt(NewImage, label));
  const before = judge(OldImage && valueAt(OldImage, label));
  if (typeof after !== 'string' || after === before) return [];
  return [{ ...removal, newLabel: after, eventTimeMs: removal.second * 1_000 }];
}

type Image = Record<string, Record<string, unknown>>;

function imagesOf(record: unknown, isRecord: ItemTest) {
  const { NewImage, OldImage } = ((record as { dynamodb?: object })?.dynamodb ?? {}) as {
    NewImage?: Image;
    OldImage?: Image;
  };
  const ofRecord = (image: Image | undefined) => (image && isRecord(image) ? image : undefined);
  return { NewImage: ofRecord(NewImage), OldImage: ofRecord(OldImage) };
}
