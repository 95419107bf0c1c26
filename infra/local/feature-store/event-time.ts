import { AwsError } from '../protocol/aws-error.ts';

/** ISO 8601 in UTC with whole seconds, milliseconds or nanoseconds. Source: Feature Store quotas, event time formats. */
const EVENT_TIME_TEXT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{3}|\d{9}))?Z$/;

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
/** A double holds about a quarter of a microsecond at today's Unix time, so finer digits are noise. */
const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * An event time as nanoseconds since 1970, to be compared.
 *
 * @param type Feature type of the event time: String (ISO 8601) or Fractional (Unix time in seconds).
 * @throws AwsError ValidationError when the text is neither.
 */
export function eventTimeNs(text: string, type: 'String' | 'Fractional'): bigint {
  return type === 'String' ? fromText(text) : fromSeconds(text);
}

function fromText(text: string): bigint {
  const match = EVENT_TIME_TEXT.exec(text);
  const ms = Date.parse(`${text.slice(0, 19)}Z`);
  // Date rolls 31 February over into March; Feature Store's formatter does not.
  if (!match || Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw new AwsError(
      'ValidationError',
      `Validation Error: event time ${text} is not in the format yyyy-MM-dd'T'HH:mm:ssZ, ...ss.SSSZ or ...ss.SSSSSSSSSZ`,
    );
  }
  return BigInt(ms) * NANOSECONDS_PER_MILLISECOND + BigInt((match[1] ?? '').padEnd(9, '0'));
}

function fromSeconds(text: string): bigint {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds)) {
    throw new AwsError('ValidationError', `Validation Error: event time ${text} is not a Unix time in seconds`);
  }
  return BigInt(Math.round(seconds * MICROSECONDS_PER_SECOND)) * 1_000n;
}
