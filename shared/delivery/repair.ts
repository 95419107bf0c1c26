import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Pace } from '../calls/pace.ts';
import { toEventImage } from '../changes/attribute-value.ts';
import type { Change, Rejection, TimedChange } from '../changes/change.ts';
import { type Decoder, isRejection, isSkipped } from '../changes/decode.ts';
import { effectiveOf, type Fence, type FenceOf, isLater, placeOf } from '../changes/event-order.ts';
import { isDelete, isKept, keepsRemoved } from '../changes/last-change.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import type { Sink } from '../sinks/sink.ts';
import type { Fences } from '../state/fences/fences.ts';
import { type Dated, datedByClock, datedByFence, later, latestOf, type Wait, type WaitingItem } from './dating.ts';
import { type Item, readSourceItems } from './source-items.ts';

export interface RedriveDestinations {
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
  readonly featureStore: Sink;
  readonly changeLog: Sink;
  readonly labelLedger: Sink;
  readonly fences: Fences;
}

/** Makes records what their items are now; answers, by record identifier, why others still wait. */
type Repairer = (
  items: readonly WaitingItem[],
  found: ReadonlyMap<string, Fence>,
  pace: Pace,
) => Promise<ReadonlyMap<string, string>>;

/**
 * Makes the repairs of a feature group. A repair states that as of a moment the item was this, or was not there: the
 * online store takes it as a write, the change log as a row, both with one event time, so that both have one history.
 *
 * It is dated later than all that is known of the record when the item is read, and earlier than anything that the reading
 * may not have seen. Whatever is in neither of these is still in the stream or waits elsewhere, and comes later.
 *
 * @param onRepaired told what was written everywhere.
 */
export function repairer(
  group: FeatureGroup,
  decode: Decoder,
  { dynamodb, featureStore, changeLog, fences }: RedriveDestinations,
  hazardSeconds: number,
  onRepaired: (repairs: readonly TimedChange[]) => void = () => {},
): Repairer {
  const byClock = group.eventTime.attribute === undefined;
  const keeps = keepsRemoved(group);

  return async (items, found, pace) => {
    const waiting = new Map<string, string>();
    const wait = (item: WaitingItem, reason: string) => waiting.set(item.removal.recordIdentifier, reason);
    const dated = byClock
      ? datedByClock(items, found, pace, wait)
      : await datedByFence(items, { fences, keeps, hazardSeconds, pace }, wait);

    // Read only now: whatever the reading has not seen comes after the date that was just fixed.
    const keys = new Map(dated.map(({ item }) => [item.removal.recordIdentifier, keysOf(item.record)]));
    const source = await readSourceItems(group, dynamodb, keys, pace);
    const repairs = new Map<TimedChange, Dated>();
    const gone = new Set<string>();
    for (const it of dated) {
      const id = it.item.removal.recordIdentifier;
      if (!source.found.has(id)) {
        wait(it.item, source.unread.get(id) ?? 'its item was not read');
        continue;
      }
      const state = stateOf(it.item, source.found.get(id));
      if (!state) gone.add(id);
      const repair = repairOf(it, state);
      if (typeof repair === 'string') wait(it.item, repair);
      else if (repair) repairs.set(repair, it);
    }
    const online = await featureStore.write([...repairs.keys()], pace);
    for (const { change, message } of online.rejections) {
      const it = repairs.get(change);
      repairs.delete(change);
      // An item that is gone is mended by nobody any more: its row is logged, and its record remains what it was.
      if (it && !gone.has(change.recordIdentifier)) wait(it.item, message);
    }
    const unwritten = new Map(online.failures.map((it) => [it.sequenceNumber, it.message]));
    for (const [repair, { item }] of repairs) {
      const message = unwritten.get(repair.sequenceNumber);
      if (message !== undefined) wait(item, message);
    }
    const done = [...repairs].filter(([repair]) => !waiting.has(repair.recordIdentifier));
    await record(done, wait, pace);
    onRepaired(done.flatMap(([repair]) => (waiting.has(repair.recordIdentifier) ? [] : repair)));
    for (const [{ wrongLabel }, { item }] of done) {
      if (wrongLabel) wait(item, `its label is still wrong: ${wrongLabel.path}: ${wrongLabel.message}`);
    }
    return waiting;
  };

  /** What the repair did online it also does to the change log; and where removals are kept, a fence says that it did. */
  async function record(done: readonly (readonly [TimedChange, Dated])[], wait: Wait, pace: Pace): Promise<void> {
    const logged = await changeLog.write(
      done.map(([repair]) => repair),
      pace,
    );
    const left = keeps ? done.map(([repair, it]) => fenceOfRepair(repair, it, hazardSeconds)) : [];
    const unfenced = await fences.write(left, new Map(), pace);
    const failures = new Map([...logged.failures, ...unfenced].map((it) => [it.sequenceNumber, it.message]));
    for (const [{ sequenceNumber }, { item }] of done) {
      const message = failures.get(sequenceNumber);
      if (message !== undefined) wait(item, message);
    }
  }

  /** What the item is now; undefined when it is gone, or no record: that is one to the stores. */
  function stateOf({ record }: WaitingItem, found: Item | undefined): Change | Rejection | undefined {
    const decoded = found && decode(asInsert(record, found));
    return decoded && !isSkipped(decoded) ? decoded : undefined;
  }

  /** @returns the repair; why it has to wait; or undefined when there is nothing to repair. */
  function repairOf(dated: Dated, state: Change | Rejection | undefined): TimedChange | string | undefined {
    if (!state && keeps) return lastEffective(dated);
    const { item, eventTimeMs, fence } = dated;
    const { removal } = item;
    const current = state ?? removal;
    if (isRejection(current)) {
      return `the item is still wrong: ${current.reason} at ${current.path}: ${current.message}`;
    }
    const sequenceNumber = byClock ? later(removal.sequenceNumber, fence) : (fence as Fence).sequenceNumber;
    return repairAs(state ? 'REPAIR' : 'REPAIR_REMOVE', current, sequenceNumber, eventTimeMs);
  }

  /**
   * An item that is gone does not say how it went, so whether its record was to stay. What the waiting changes say is
   * made true instead; or, where the record is known to have gone past them, that it was taken away by then: a discarded
   * batch may have written it all the same. Whatever removed the item, delivered or waiting, does the rest.
   *
   * By the stream's clock the repair is dated right behind what it follows, as the removal may still be in the stream,
   * with a time that is older than ours.
   */
  function lastEffective({ item, eventTimeMs, fence }: Dated): TimedChange | undefined {
    const known = effectiveOf(fence);
    const last = item.rows.findLast((row) => !isKept(group, row));
    if (last && isLater(last, known, hazardSeconds)) {
      const ms = byClock ? Math.max(last.eventTimeMs, known.eventTimeMs + 1) : eventTimeMs;
      const sequenceNumber = byClock ? last.sequenceNumber : (fence?.sequenceNumber ?? last.sequenceNumber);
      return repairAs(isDelete(group, last) ? 'REPAIR_REMOVE' : 'REPAIR', last, sequenceNumber, ms);
    }
    if (!known.removed || item.writtenMs < known.eventTimeMs) return undefined;
    const ms = byClock ? item.writtenMs + 1 : eventTimeMs;
    return repairAs('REPAIR_REMOVE', item.removal, later(item.removal.sequenceNumber, known), ms);
  }
}

function repairAs(
  eventName: 'REPAIR' | 'REPAIR_REMOVE',
  state: Change,
  sequenceNumber: string,
  eventTimeMs: number,
): TimedChange {
  return { ...state, eventName, sequenceNumber, ttlExpired: false, newLabel: undefined, eventTimeMs };
}

/** It stands behind both the fence that was known and the repair, so that the clock never goes back. */
function fenceOfRepair(repair: TimedChange, { item: { rows, removal }, fence }: Dated, hazardSeconds: number): FenceOf {
  const { eventTimeMs } = repair;
  const change = {
    ...repair,
    ...latestOf(removal, fence, hazardSeconds),
    eventTimeMs: Math.max(eventTimeMs, fence?.eventTimeMs ?? 0, ...rows.map((row) => row.eventTimeMs)) + 1,
  };
  return { change, effective: placeOf(repair) };
}

function keysOf(record: unknown): Item {
  return (record as { dynamodb: { Keys: Item } }).dynamodb.Keys;
}

/** The item as it is, in the clothes of a stream record. */
function asInsert(record: unknown, item: Item): unknown {
  const { dynamodb } = record as { dynamodb: object };
  return {
    ...(record as object),
    eventName: 'INSERT',
    dynamodb: { ...dynamodb, NewImage: toEventImage(item), OldImage: undefined },
  };
}
