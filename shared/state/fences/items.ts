import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { chunksOf } from '../../calls/chunks.ts';
import { untilDeadline } from '../../calls/pace.ts';
import { type Fence, type FenceOf, fenceOfPlaces, NEVER, type Place, placeOf } from '../../changes/event-order.ts';
import { paddedSequenceNumber } from '../../changes/sequence-number.ts';
import { type ConditionalPut, conditionalPuts, PUTS_PER_CALL_MAX } from '../conditional-puts.ts';
import { fenceKey } from '../keys.ts';
import { readItems, type StateTable } from '../table.ts';
import { type Fences, fenceFailure } from './fences.ts';

/** The event time counts: sequence numbers of two shards may not compare, and the clock never goes back. */
const IS_FORWARD = 'eventTimeMs < :eventTimeMs';
/** An attribute that a fence does not have. */
const NONE: AttributeValue = { NULL: true };
/** State table calls in flight at once. */
const CONCURRENCY_MAX = 32;
/** A fence is needed as long as a batch may be delivered again: the stream's 24 hours, and one to spare. */
const FENCE_LIFETIME_SECONDS = 25 * 3_600;

/**
 * Fences as items, one per record, which are only ever moved to a newer change: by a condition on the event time. Each
 * keeps the one it replaced.
 *
 * @param keepForever every record has one, of whatever age (see `fencesEveryRecord`).
 */
export function fenceItems(table: StateTable, keepForever: boolean): Fences {
  const put = conditionalPuts(table, IS_FORWARD);
  return {
    async read(sought, pace) {
      const keys = new Set(sought.map(({ recordIdentifier }) => fenceKey(recordIdentifier)));
      const fences = new Map<string, Fence>();
      await readItems(table, [...keys], pace, (item) => {
        if (item.record?.S !== undefined) fences.set(item.record.S, fenceOf(item));
      });
      return fences;
    },

    async write(fences, found, pace) {
      const expiresAt = keepForever ? NONE : { N: String(Math.floor(pace.now() / 1_000) + FENCE_LIFETIME_SECONDS) };
      const puts = fences.map((fence) => ({
        fence,
        ...putOf(fence, found.get(fence.change.recordIdentifier), expiresAt),
      }));
      const left = await untilDeadline(
        chunksOf(puts, PUTS_PER_CALL_MAX),
        { pace, concurrencyMax: CONCURRENCY_MAX },
        (call) => put(call, pace.signal),
      );
      return left.flatMap(({ item, message }) => item.map(({ fence }) => fenceFailure(fence, message)));
    },
  };
}

function putOf({ change, effective }: FenceOf, found: Fence | undefined, expiresAt: AttributeValue): ConditionalPut {
  return {
    // Version 0.1.0 takes any attribute of the one before for a number: where there is none, it is one that precedes all.
    item: {
      pk: { S: fenceKey(change.recordIdentifier) },
      record: { S: change.recordIdentifier },
      ...placeItem(OWN, placeOf(change)),
      ...placeItem(BEFORE, predecessorOf(found, change) ?? NEVER),
      ...placeItem(EFFECTIVE, effective),
      expiresAt,
    },
    values: { ':eventTimeMs': { N: String(change.eventTimeMs) } },
    isThere: found !== undefined,
  };
}

/** What the new fence remembers: the one the batch began with, as long as it is not the new one itself. */
function predecessorOf(found: Fence | undefined, change: Place): Place | undefined {
  if (!found) return undefined;
  const before = [found, ...found.earlier].filter((it) => it.eventTimeMs < change.eventTimeMs);
  return before.length > 0 ? fenceOfPlaces(before) : undefined;
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
  if (!place) return { [number]: NONE, [time]: NONE, [second]: NONE, [removed]: NONE };
  return {
    [number]: { S: paddedSequenceNumber(place.sequenceNumber) },
    [time]: { N: String(place.eventTimeMs) },
    [second]: place.streamSecond === undefined ? NONE : { N: String(place.streamSecond) },
    [removed]: { BOOL: place.removed === true },
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
    streamSecond: item[second]?.N === undefined ? undefined : Number(item[second].N),
    removed: item[removed]?.BOOL === true,
  };
}

function fenceOf(item: Record<string, AttributeValue>): Fence {
  const before = readPlace(item, BEFORE);
  return {
    ...(readPlace(item, OWN) as Place),
    earlier: before ? [before] : [],
    effective: readPlace(item, EFFECTIVE),
  };
}
