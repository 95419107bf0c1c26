import { expect, test } from 'vitest';
import { epochSecond, eventTimeAfter, formatEventTime, secondAfter } from '../../../shared/changes/event-time.ts';

const SECOND = 1_760_000_000;

test.each([
  ['seconds', SECOND],
  ['seconds with a fraction', SECOND + 0.9],
  ['milliseconds', SECOND * 1_000 + 999],
  ['seconds as a text', String(SECOND)],
  ['seconds with a fraction as a text', `${SECOND}.9`],
  ['ISO 8601 at Greenwich', '2025-10-09T08:53:20Z'],
  ['ISO 8601 with a fraction', '2025-10-09T08:53:20.999Z'],
  ['ISO 8601 east of it', '2025-10-09T10:53:20+02:00'],
  ['ISO 8601 west of it, without a colon', '2025-10-09T03:23:20-0530'],
])('%s is an epoch second, rounded down', (_, value) => {
  expect(epochSecond(value)).toBe(SECOND);
});

test.each([
  ...[
    '',
    'soon',
    '2025-10-09',
    '2025-10-09T08:53:20',
    '2025-10-09 08:53:20Z',
    '2025-13-09T08:53:20Z',
    '1e9',
    ' 1',
    '1 ',
  ],
  ...['12025-10-09T08:53:20Z', '2025-10-09T08:53:20Z!', '2025-10-09T08:53:20+0a:00', '1x5', '1.', null, {}, Number.NaN],
  ...[-1, -0.5, '-1', '10000-01-01T00:00:00Z'],
])('%j is no time', (value) => {
  expect(epochSecond(value)).toBeUndefined();
});

test('the first second is one, and the last day of year 9999 is left for the changes after it', () => {
  expect([epochSecond(0), epochSecond('1970-01-01T00:00:00Z')]).toEqual([0, 0]);
  expect(epochSecond(253_402_300_799_999)).toBe(253_402_300_799 - 86_400);
  expect(epochSecond(253_402_300_800_000)).toBeUndefined();
  expect(epochSecond('9999-12-31T23:59:59Z')).toBe(253_402_300_799 - 86_400);
});

test('100,000,000,000 is milliseconds, and one less is seconds', () => {
  expect(epochSecond(100_000_000_000)).toBe(100_000_000);
  expect(epochSecond(99_999_999_999)).toBe(99_999_999_999);
});

test('an event time is the later of the second and a millisecond after the one before', () => {
  expect([eventTimeAfter(5, undefined), eventTimeAfter(5, 4_000), eventTimeAfter(5, 5_000)]).toEqual([
    5_000, 5_000, 5_001,
  ]);
  expect([secondAfter(4_999), secondAfter(5_000), secondAfter(5_998)]).toEqual([5_000, 6_000, 6_000]);
  expect(formatEventTime(5_001)).toBe('1970-01-01T00:00:05.001Z');
});
