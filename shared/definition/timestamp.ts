import { canonicalDecimal, plainDecimal } from './decimal.ts';

/** Times of items as one exact number: seconds since 1970, in plain decimal text. */

/** At and above this, a number is milliseconds: as seconds it would be the year 5138. */
const SECONDS_MAX = 100_000_000_000;

/** First and last second of the years that ISO 8601 writes with four digits, 1 to 9999. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

const NANOS_PER_SECOND = 1_000_000_000n;

/** A date, or a time with its zone: `2026-11-26`, `2026-11-26T07:53:51.5Z`, `2026-11-26T08:53+01:00`. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d))?$/;

/** Seconds since 1970 of a number of seconds or milliseconds; undefined when it is none, or beyond the years 1 to 9999. */
export function secondsOfNumber(text: string): string | undefined {
  const plain = plainDecimal(text);
  if (plain === undefined) return undefined;
  const isMillis = Math.abs(Number(plain)) >= SECONDS_MAX;
  const seconds = canonicalDecimal(isMillis ? `${plain}E-3` : plain);
  return seconds !== undefined && isWithinYears(Math.floor(Number(seconds))) ? seconds : undefined;
}

/** Seconds since 1970 of a date or time in ISO 8601; undefined for one that no calendar has. A date begins in UTC. */
export function secondsOfText(text: string): string | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, years, months, days, hours = '0', minutes = '0', seconds = '0', fraction = '', zone = 'Z'] = match;
  const [year, month, day] = [Number(years), Number(months), Number(days)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [hour, minute, second] = [Number(hours), Number(minutes), Number(seconds)];
  const offset = offsetOf(zone);
  if (!isDate || hour > 23 || minute > 59 || second > 59 || offset === undefined) return undefined;
  const whole = date.getTime() / 1_000 + hour * 3_600 + minute * 60 + second - offset;
  if (!isWithinYears(whole)) return undefined;
  const nanos = BigInt(whole) * NANOS_PER_SECOND + BigInt(fraction.padEnd(9, '0'));
  return canonicalDecimal(`${nanos}E-9`);
}

/** Seconds that a zone is ahead of UTC. */
function offsetOf(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3_600 + minutes * 60);
}

const isWithinYears = (seconds: number): boolean => seconds >= FIRST_SECOND && seconds <= LAST_SECOND;
