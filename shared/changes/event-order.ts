import { type Change, streamSecondOf, type TimedChange } from './change.ts';
import { eventTimeAfter, secondAfter } from './event-time.ts';
import { compareSequenceNumbers } from './sequence-number.ts';

/** Where a change stands in its record's history. */
export interface Place {
  readonly sequenceNumber: string;
  readonly eventTimeMs: number;
  /** Epoch second by the stream's clock. Unknown of fences that version 0.1.0 has left. */
  readonly streamSecond?: number | undefined;
  /** Whether the change has taken the record away. */
  readonly removed?: boolean;
}

/**
 * Fences carry a record's clock from one batch to the next. Within a batch the ordinals of a record's changes in one
 * second are known; across two batches they are not. So the last change of each record in the last seconds of a batch
 * leaves a fence, and a record in the first seconds of a batch looks for one.
 *
 * Fences are written after every sink has taken the changes they speak of, and nothing that was written is taken back.
 * They remember earlier changes too, so that a batch delivered again from its beginning finds what it found the first
 * time, and gives the same event times.
 */
export interface Fence extends Place {
  /** Other changes of the record that are known, none of them with a later event time. */
  readonly earlier: readonly Place[];
  /**
   * The record's last change that took effect online, where that is another: this one is a removal that the definition
   * keeps, or one whose repair is under way.
   */
  readonly effective?: Place | undefined;
}

/** A fence to be left: that of a change, which has taken effect online itself unless another is named. */
export interface FenceOf {
  readonly change: TimedChange;
  readonly effective?: Place | undefined;
}

/** What is known of a record. @param places at least one, in any order. */
export function fenceOfPlaces(places: readonly Place[]): Fence {
  const last = places.reduce((latest, it) => (isAhead(it, latest) ? it : latest));
  return { ...last, earlier: places.filter((it) => it !== last) };
}

const isAhead = (one: Place, other: Place): boolean =>
  one.eventTimeMs === other.eventTimeMs
    ? compareSequenceNumbers(one.sequenceNumber, other.sequenceNumber) > 0
    : one.eventTimeMs > other.eventTimeMs;

/** Where a change stands. */
export const placeOf = (change: TimedChange): Place => ({
  sequenceNumber: change.sequenceNumber,
  eventTimeMs: change.eventTimeMs,
  streamSecond: streamSecondOf(change),
  removed: change.values === undefined,
});

/** No change of the record has taken effect online, as far as is known. */
export const NEVER: Place = { sequenceNumber: '0', eventTimeMs: 0 };

/** The record's last change that is known to have taken effect online. */
export const effectiveOf = (fence: Fence | undefined): Place => fence?.effective ?? fence ?? NEVER;

/**
 * Whether a change came after another of its record. Seconds decide as far as the stream's clock can be relied upon, and
 * numbers below that: those of another shard, or of a stream that was made anew, may begin anywhere.
 *
 * @param hazardSeconds how far two records of a shard may be out of step in their seconds.
 */
export function isLater(
  change: Pick<Change, 'sequenceNumber' | 'second' | 'streamSecond'>,
  than: Place,
  hazardSeconds: number,
): boolean {
  const second = streamSecondOf(change);
  const seconds = second - (than.streamSecond ?? second);
  if (Math.abs(seconds) > hazardSeconds) return seconds > 0;
  return compareSequenceNumbers(change.sequenceNumber, than.sequenceNumber) > 0;
}

/**
 * Seconds by which a record's clock may be ahead of its changes: it gives a second's changes a millisecond each. One
 * item takes some 1,000 writes a second, of which burst capacity makes a multiple for a while.
 */
export const AHEAD_SECONDS_MAX = 2;

/**
 * The place that orders `change`: of the record's last change known to come before it, or of the change itself.
 *
 * @param hazardSeconds how far two records of a shard may be out of step in their seconds.
 */
export function predecessor(
  fence: Fence | undefined,
  change: Pick<Change, 'sequenceNumber' | 'second' | 'streamSecond'>,
  hazardSeconds: number,
): Place | undefined {
  if (!fence) return undefined;
  const isBehind = (place: Place) =>
    isLater(change, place, hazardSeconds) ||
    compareSequenceNumbers(change.sequenceNumber, place.sequenceNumber) === 0 ||
    change.second * 1_000 > place.eventTimeMs;
  let last: Place | undefined;
  for (const place of [fence, ...fence.earlier]) if (isBehind(place) && (!last || isAhead(place, last))) last = place;
  return last;
}

/**
 * Gives each change its event time, in stream order: one millisecond after the record's previous change, or its own
 * second if that is later. A change that a fence already knows gets the event time it had.
 */
export function assignEventTimes(
  changes: readonly Change[],
  fences: ReadonlyMap<string, Fence>,
  hazardSeconds: number,
): TimedChange[] {
  const previous = new Map<string, Place>();
  return changes.map((change) => {
    const { recordIdentifier } = change;
    const fenced = predecessor(fences.get(recordIdentifier), change, hazardSeconds);
    const inBatch = previous.get(recordIdentifier);
    const last = fenced && (!inBatch || fenced.eventTimeMs > inBatch.eventTimeMs) ? fenced : inBatch;
    const timed = timedChange(change, last === undefined ? change.second * 1_000 : eventTimeOf(change, last));
    previous.set(recordIdentifier, timed);
    return timed;
  });
}

function eventTimeOf({ second, sequenceNumber }: Change, last: Place): number {
  // As numbers: what an emulator pads with zeros is kept without them.
  const order = compareSequenceNumbers(sequenceNumber, last.sequenceNumber);
  if (order === 0) return last.eventTimeMs;
  // Rows of one second are told by their numbers, so a number that began anew needs a second of its own.
  const previousMs = order < 0 ? secondAfter(last.eventTimeMs) - 1 : last.eventTimeMs;
  return eventTimeAfter(second, previousMs);
}

/** Written out: an object copied and then given one member more takes the engine several times as long. */
function timedChange(change: Change, eventTimeMs: number): TimedChange {
  const { eventName, sequenceNumber, recordIdentifier, second, streamSecond, ttlExpired, values, newLabel } = change;
  return {
    eventName,
    sequenceNumber,
    recordIdentifier,
    second,
    streamSecond,
    ttlExpired,
    values,
    newLabel,
    eventTimeMs,
  };
}
