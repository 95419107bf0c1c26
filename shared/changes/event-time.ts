/**
 * Event time: what Feature Store orders an online record's versions by.
 *
 * Stream records carry whole seconds, and a put counts online only if its event time is later (one AWS page says: or
 * equal), so two changes of one item in one second would lose one. The rule: the change's second, and in the
 * milliseconds its ordinal among the changes of that record in that second. Written as a clock that never goes back:
 * the later of the second itself and one millisecond after the record's previous change. This also holds when a second
 * has more than a thousand changes, and when the stream's clock steps back between two changes.
 */

/** @returns epoch milliseconds. `previousMs`: event time of the record's previous change, if it is known. */
export function eventTimeAfter(second: number, previousMs: number | undefined): number {
  const ownMs = second * 1_000;
  return previousMs === undefined ? ownMs : Math.max(ownMs, previousMs + 1);
}

/** The next full second after an event time, in epoch milliseconds. */
export function secondAfter(eventTimeMs: number): number {
  return Math.ceil((eventTimeMs + 1) / 1_000) * 1_000;
}

/** `YYYY-MM-DDTHH:MM:SS.mmmZ`. Source: CreateFeatureGroup, EventTimeFeatureName of type String. */
export function formatEventTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Above this, a number is milliseconds: as seconds it would be the year 5138. */
const SECONDS_MAX = 100_000_000_000;
/** Latest second of a four-digit year, the last that Feature Store takes. */
const YEAR_9999 = 253_402_300_799;
/**
 * Latest second that a change is dated to. `9999-12-31T23:59:59Z` is many tables' word for "for ever", and each of a
 * record's changes after it is one millisecond later: the last day of that year is left for them.
 */
const LATEST_SECOND = YEAR_9999 - 86_400;

/**
 * The epoch second of a time as tools and services write it: seconds (AWS), fractional seconds, milliseconds, or an
 * ISO 8601 text with a time zone. Rounded down, as DynamoDB does.
 *
 * @returns undefined when it is none of these.
 */
export function epochSecond(value: unknown): number | undefined {
  let seconds: number;
  if (typeof value === 'number') seconds = Math.abs(value) >= SECONDS_MAX ? value / 1_000 : value;
  else if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return epochSecond(Number(value));
  else if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(value))
    seconds = Date.parse(value) / 1_000;
  else return undefined;
  const second = Math.floor(seconds);
  return second >= 0 && second <= YEAR_9999 ? Math.min(second, LATEST_SECOND) : undefined;
}
