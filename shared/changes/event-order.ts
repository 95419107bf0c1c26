import type { Change, TimedChange } from './change.ts';
import { eventTimeAfter } from './event-time.ts';
import { compareSequenceNumbers } from './sequence-number.ts';

/**
 * Fences carry a record's clock from one batch to the next. Within a batch the ordinals of a record's changes in one
 * second are known; across two batches they are not. So the last change of each record in the last seconds of a batch
 * leaves a fence, and a record in the first seconds of a batch looks for one.
 *
 * Fences are written after every sink has taken the changes they speak of, and only ever forward. Each keeps the one it
 * replaced, so that a batch delivered again from its beginning finds what it found the first time, and gives the same
 * event times.
 */
export interface Fence {
  readonly sequenceNumber: string;
  readonly eventTimeMs: number;
  /** The record's fence as the batch that wrote this one found it. */
  readonly before?: { readonly sequenceNumber: string; readonly eventTimeMs: number } | undefined;
}

/** The fence that orders `change`: the record's last change known to come before it, or the change itself. */
export function predecessor(
  fence: Fence | undefined,
  change: Pick<Change, 'sequenceNumber' | 'second'>,
): { sequenceNumber: string; eventTimeMs: number } | undefined {
  if (!fence) return undefined;
  const isAfter = ({ sequenceNumber, eventTimeMs }: { sequenceNumber: string; eventTimeMs: number }) =>
    compareSequenceNumbers(change.sequenceNumber, sequenceNumber) >= 0 ||
    // No AWS page promises that sequence numbers of different shards compare; a later second settles it.
    change.second * 1_000 > eventTimeMs;
  if (isAfter(fence)) return fence;
  return fence.before && isAfter(fence.before) ? fence.before : undefined;
}

/**
 * Gives each change its event time, in stream order: one millisecond after the record's previous change, or its own
 * second if that is later. A change that a fence already knows gets the event time it had.
 */
export function assignEventTimes(changes: readonly Change[], fences: ReadonlyMap<string, Fence>): TimedChange[] {
  const previous = new Map<string, { sequenceNumber: string; eventTimeMs: number }>();
  return changes.map((change) => {
    const { recordIdentifier, sequenceNumber } = change;
    const fenced = predecessor(fences.get(recordIdentifier), change);
    const inBatch = previous.get(recordIdentifier);
    const last = fenced && (!inBatch || fenced.eventTimeMs > inBatch.eventTimeMs) ? fenced : inBatch;
    const eventTimeMs =
      last?.sequenceNumber === sequenceNumber ? last.eventTimeMs : eventTimeAfter(change.second, last?.eventTimeMs);
    const timed = timedChange(change, eventTimeMs);
    previous.set(recordIdentifier, timed);
    return timed;
  });
}

/** Written out: an object copied and then given one member more takes the engine several times as long. */
function timedChange(change: Change, eventTimeMs: number): TimedChange {
  const { eventName, sequenceNumber, recordIdentifier, second, ttlExpired, values, newLabel } = change;
  return { eventName, sequenceNumber, recordIdentifier, second, ttlExpired, values, newLabel, eventTimeMs };
}
