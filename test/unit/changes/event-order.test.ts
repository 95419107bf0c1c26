import { expect, test } from 'vitest';
import {
  assignEventTimes,
  type Fence,
  fenceOfPlaces,
  type Place,
  placeOf,
} from '../../../shared/changes/event-order.ts';
import { change, FIRST_SECOND, timedChange } from '../../given/builders.ts';

const T = FIRST_SECOND * 1_000;
const HAZARD_SECONDS = 1;
const at = (sequence: number, second = FIRST_SECOND, recordIdentifier = 'a-1') =>
  change({ sequenceNumber: String(sequence), second, recordIdentifier });
const times = (changes: ReturnType<typeof at>[], ...places: Place[]) =>
  assignEventTimes(changes, new Map(places[0] ? [['a-1', fenceOfPlaces(places)]] : []), HAZARD_SECONDS).map(
    ({ eventTimeMs }) => eventTimeMs - T,
  );

test('changes of one record in one second are told apart by their ordinal in the milliseconds', () => {
  expect(times([at(1), at(2), at(3), at(4, FIRST_SECOND + 1)])).toEqual([0, 1, 2, 1_000]);
});

test('records do not count each other', () => {
  expect(times([at(1), at(2, FIRST_SECOND, 'a-2'), at(3)])).toEqual([0, 0, 1]);
});

test('a clock that steps back between two changes does not take the event time back', () => {
  expect(times([at(1, FIRST_SECOND + 5), at(2, FIRST_SECOND + 4)])).toEqual([5_000, 5_001]);
});

test('more than a thousand changes in one second go on in order', () => {
  const changes = Array.from({ length: 1_002 }, (_, index) => at(index + 1));
  expect(times([...changes, at(2_000, FIRST_SECOND + 1)]).slice(-2)).toEqual([1_001, 1_002]);
});

test('a fence of the same second is counted on from', () => {
  expect(times([at(11), at(12)], { sequenceNumber: '10', eventTimeMs: T + 4 })).toEqual([5, 6]);
});

test('zeros before a sequence number make no other change of it', () => {
  expect(
    times(
      [at(10), at(11)].map((it) => ({ ...it, sequenceNumber: `000${it.sequenceNumber}` })),
      { sequenceNumber: '10', eventTimeMs: T + 4 },
    ),
  ).toEqual([4, 5]);
});

test('a stream that was made anew goes on behind the old one, in a second of its own', () => {
  const own = { ...at(5), second: FIRST_SECOND - 3_600, streamSecond: FIRST_SECOND + 90 };
  const fence = { sequenceNumber: '900', eventTimeMs: T + 4, streamSecond: FIRST_SECOND };
  expect(times([own], fence)).toEqual([1_000]);
});

test('a fence of an earlier second changes nothing', () => {
  expect(times([at(11)], { sequenceNumber: '10', eventTimeMs: T - 1_000 })).toEqual([0]);
});

test('a change delivered again gets the event time that its fence remembers', () => {
  expect(times([at(10), at(11)], { sequenceNumber: '10', eventTimeMs: T + 4 })).toEqual([4, 5]);
});

test('a batch delivered again after it left its fences gets the event times it had', () => {
  const found: Fence = { sequenceNumber: '9', eventTimeMs: T + 3, earlier: [] };
  const batch = [at(10), at(11), at(12, FIRST_SECOND + 60)];
  const [first, second, third] = assignEventTimes(batch, new Map([['a-1', found]]), HAZARD_SECONDS);
  const left = { sequenceNumber: '12', eventTimeMs: third?.eventTimeMs ?? 0 };
  expect(times(batch, left, found)).toEqual([first, second, third].map((it) => (it?.eventTimeMs ?? 0) - T));
});

test('sequence numbers of another shard that look older do not make a change of a later second stale', () => {
  const fence = { sequenceNumber: '900000000000000000000000', eventTimeMs: T };
  expect(times([at(100, FIRST_SECOND + 1)], fence)).toEqual([1_000]);
});

test('of all that is known of a record, the last change before one orders it', () => {
  const places = [10, 30, 20].map((sequence) => ({ sequenceNumber: String(sequence), eventTimeMs: T + sequence }));
  expect(times([at(25)], ...places)).toEqual([21]);
  expect(times([at(20)], ...places)).toEqual([20]);
  expect(times([at(31)], ...places)).toEqual([31]);
});

test('a place tells whether its change has taken the record away', () => {
  expect([placeOf(timedChange()).removed, placeOf(timedChange({ values: undefined })).removed]).toEqual([false, true]);
});
