import type { Pace } from '../calls/pace.ts';
import { type Change, streamSecondOf, type TimedChange } from '../changes/change.ts';
import { AHEAD_SECONDS_MAX, effectiveOf, type Fence, isLater } from '../changes/event-order.ts';
import { eventTimeAfter, secondAfter } from '../changes/event-time.ts';
import { compareSequenceNumbers } from '../changes/sequence-number.ts';
import type { Fences, Sought } from '../state/fences/fences.ts';

/**
 * How long a record must have waited, in seconds, and how far before the reading of the item the repair is dated. The
 * repair must lose against every change that the reading has not seen. Those carry the second of the reading or a later
 * one, by a clock that may differ from ours by less than this.
 */
export const REDRIVE_MARGIN_SECONDS = 10;

/** An item of which records wait. */
export interface WaitingItem {
  /** Its changes among them, in stream order, as they are logged. */
  readonly rows: readonly TimedChange[];
  /** Its last waiting record, and that as if it said that the item is gone. */
  readonly record: unknown;
  readonly removal: Change;
  /** How many records wait, and the latest of their seconds by the stream's clock. */
  readonly records: number;
  readonly lastSecond: number;
  /** Latest event time with which ingest may have written one of the changes, before Lambda gave their batch up. */
  readonly writtenMs: number;
}

/** When a repair is dated, and the record's fence as it was known then. */
export interface Dated {
  readonly item: WaitingItem;
  readonly eventTimeMs: number;
  readonly fence: Fence | undefined;
}

/** Says of an item why it has to wait. */
export type Wait = (item: WaitingItem, reason: string) => void;

/**
 * Fences that bear on a waiting change by the stream's clock. Those around its own second order its row, and are of all
 * changes before it that may be dated later than the repair. Those from the repair's second on tell whether the record
 * has a later date already, or a greater number in that second.
 */
export function soughtForRepair(waiting: readonly Change[], hazardSeconds: number, pace: Pace): Sought[] {
  const now = Math.floor(pace.now() / 1_000);
  return waiting.flatMap(({ recordIdentifier, second }) => [
    { recordIdentifier, from: second - hazardSeconds, to: second + hazardSeconds + AHEAD_SECONDS_MAX },
    { recordIdentifier, from: now - REDRIVE_MARGIN_SECONDS - 1, to: now + AHEAD_SECONDS_MAX },
  ]);
}

/** Event times come from the stream's clock: the repair is dated just before what the reading cannot have seen. */
export function datedByClock(
  items: readonly WaitingItem[],
  found: ReadonlyMap<string, Fence>,
  pace: Pace,
  wait: Wait,
): Dated[] {
  const second = Math.floor(pace.now() / 1_000) - REDRIVE_MARGIN_SECONDS;
  const eventTimeMs = second * 1_000 - 1;
  return items.flatMap((item) => {
    const fence = found.get(item.removal.recordIdentifier);
    const knownMs = Math.max(fence?.eventTimeMs ?? 0, item.writtenMs);
    if (item.lastSecond >= second)
      wait(item, `it is younger than ${REDRIVE_MARGIN_SECONDS} seconds: try again shortly`);
    else if (eventTimeMs <= knownMs) wait(item, 'its record has a later event time: try again shortly');
    else return [{ item, eventTimeMs, fence }];
    return [];
  });
}

/**
 * Event times come from the items, so no clock of ours can date the repair. The record's fence can: it is moved on
 * before the reading, so that a change which the reading has not seen finds it, and comes after. It is moved past what
 * a discarded batch may have written: one millisecond for each of the record's changes.
 */
export async function datedByFence(
  items: readonly WaitingItem[],
  { fences, keeps, hazardSeconds, pace }: { fences: Fences; keeps: boolean; hazardSeconds: number; pace: Pace },
  wait: Wait,
): Promise<Dated[]> {
  const sought = items.map(({ removal: { recordIdentifier, second } }) => ({
    ...{ recordIdentifier, from: second, to: second },
  }));
  try {
    const found = await fences.read(sought, pace);
    const moved = items.map(({ removal, records, writtenMs }) => {
      const fence = found.get(removal.recordIdentifier);
      const last = latestOf(removal, fence, hazardSeconds);
      const afterMs = Math.max(fence?.eventTimeMs ?? 0, writtenMs) + records;
      // Rows of one second are told by their numbers, so one that began anew needs a second of its own.
      const isAnew = last.sequenceNumber !== later(removal.sequenceNumber, fence);
      const eventTimeMs = eventTimeAfter(removal.second, isAnew ? secondAfter(afterMs) : afterMs);
      const change = { ...removal, ...last, eventTimeMs };
      return keeps ? { change, effective: effectiveOf(fence) } : { change };
    });
    await fences.write(moved, found, pace);
    const written = await fences.read(sought, pace);
    return items.flatMap((item, index) => {
      const fence = written.get(item.removal.recordIdentifier);
      const eventTimeMs = moved[index]?.change.eventTimeMs;
      if (fence?.eventTimeMs === eventTimeMs && fence !== undefined)
        return [{ item, eventTimeMs: fence.eventTimeMs, fence }];
      wait(item, 'the record is changing just now: try again shortly');
      return [];
    });
  } catch (error) {
    for (const item of items) wait(item, (error as Error).message);
    return [];
  }
}

/** The later of a change and a fence of its record. */
export function latestOf(change: Change, fence: Fence | undefined, hazardSeconds: number) {
  const own = { sequenceNumber: change.sequenceNumber, streamSecond: streamSecondOf(change) };
  if (!fence || isLater(change, fence, hazardSeconds)) return own;
  return { sequenceNumber: fence.sequenceNumber, streamSecond: fence.streamSecond ?? own.streamSecond };
}

/** The greater of two numbers of a record: what comes after the repair has one that is later than both. */
export function later(sequenceNumber: string, other: { readonly sequenceNumber: string } | undefined): string {
  return other && compareSequenceNumbers(other.sequenceNumber, sequenceNumber) > 0
    ? other.sequenceNumber
    : sequenceNumber;
}
