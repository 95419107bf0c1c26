import { randomBytes } from 'node:crypto';
import { AwsError, notImplemented } from '../protocol/aws-error.ts';

const EXPRESSION = /!\{([^:{}]*):([^{}]*)\}/g;

/** Appended to a prefix that says nothing about time. Source: Firehose, custom prefixes for S3 objects. */
const DEFAULT_TIMESTAMP = '!{timestamp:yyyy/MM/dd/HH/}';

/** Characters of `!{firehose:random-string}`. Source: the same page, "11 characters in length". */
const RANDOM_STRING_LENGTH = 11;

/**
 * Refuses prefixes that CreateDeliveryStream refuses, and expressions the local cloud does not evaluate.
 *
 * @throws AwsError InvalidArgumentException or NotImplementedException
 */
export function checkPrefixes(prefix: string, errorPrefix: string): void {
  if (prefix.includes('!{') && errorPrefix === '') {
    throw new AwsError('InvalidArgumentException', 'ErrorOutputPrefix is required when Prefix contains expressions.');
  }
  if (prefix.includes('!{firehose:error-output-type}')) {
    throw new AwsError('InvalidArgumentException', 'Prefix cannot contain !{firehose:error-output-type}.');
  }
  if (errorPrefix.includes('!{') && !errorPrefix.includes('!{firehose:error-output-type}')) {
    throw new AwsError('InvalidArgumentException', 'ErrorOutputPrefix must contain !{firehose:error-output-type}.');
  }
  evaluatePrefix(prefix, new Date(0));
  evaluatePrefix(errorPrefix.replaceAll('!{firehose:error-output-type}', ''), new Date(0));
}

/**
 * The prefix of an object, with its expressions evaluated.
 *
 * @param arrival approximate arrival of the oldest record in the object; its UTC time fills the timestamps.
 */
export function evaluatePrefix(prefix: string, arrival: Date): string {
  const complete = prefix.includes('!{timestamp:') ? prefix : prefix + DEFAULT_TIMESTAMP;
  return complete.replace(EXPRESSION, (expression, namespace: string, value: string) => {
    if (namespace === 'timestamp') return formatTimestamp(value, arrival);
    if (namespace === 'firehose' && value === 'random-string') return randomString();
    throw notImplemented('firehose', `the prefix expression ${expression}`);
  });
}

/** Key of an object. Source: Firehose, "Amazon S3 object name format"; the 1 is the stream's version. */
export function objectKey(prefix: string, stream: string, arrival: Date, suffix: string): string {
  return `${evaluatePrefix(prefix, arrival)}${stream}-1-${formatTimestamp('yyyy-MM-dd-HH-mm-ss', arrival)}-${suffix}`;
}

/** Java's DateTimeFormatter in UTC, for the letters below and quoted text. */
function formatTimestamp(pattern: string, time: Date): string {
  const iso = time.toISOString();
  const fields: Record<string, string> = {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
  };
  return pattern.replace(/'([^']*)'|([a-zA-Z])\2*/g, (letters, quoted?: string) => {
    if (quoted !== undefined) return quoted === '' ? "'" : quoted;
    const field = fields[letters];
    if (field === undefined) throw notImplemented('firehose', `the letters ${letters} in a timestamp of a prefix`);
    return field;
  });
}

function randomString(): string {
  return randomBytes(RANDOM_STRING_LENGTH).toString('base64').replace(/[+/]/g, 'x').slice(0, RANDOM_STRING_LENGTH);
}
