import { expect, test } from 'vitest';
import { secondsOfNumber, secondsOfText } from '../../../shared/definition/timestamp.ts';

test.each([
  ['seconds', '1764144000', '1764144000'],
  ['seconds before 1970', '-86400', '-86400'],
  ['parts of a second', '1764144000.250', '1764144000.25'],
  ['milliseconds', '1764144000123', '1764144000.123'],
  ['an exponent', '1.764144E9', '1764144000'],
  ['a number beyond the years 1 to 9999', '253402300800000', undefined],
  ['a number that is none', 'soon', undefined],
])('%s are taken exactly, or not at all', (_, text, seconds) => {
  expect(secondsOfNumber(text)).toBe(seconds);
});

test.each([
  ['2025-11-26T08:00:00Z', '1764144000'],
  ['2025-11-26T09:00:00+01:00', '1764144000'],
  ['2025-11-26T09:00+0100', '1764144000'],
  ['2025-11-26T08:00:00.123456789Z', '1764144000.123456789'],
  ['2025-11-26', '1764115200'],
  ['1969-12-31T23:59:59.5Z', '-0.5'],
  ['2024-02-29', '1709164800'],
  ['2025-02-29', undefined],
  ['2025-11-31T08:00:00Z', undefined],
  ['2025-13-01', undefined],
  ['2025-11-26T24:00:00Z', undefined],
  ['2025-11-26T08:00:60Z', undefined],
  ['2025-11-26T08:00:00', undefined],
  ['2025-11-26T08:00:00+24:00', undefined],
  ['26.11.2025', undefined],
])('%s is %s', (text, seconds) => {
  expect(secondsOfText(text)).toBe(seconds);
});
