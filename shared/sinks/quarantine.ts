import { createHash } from 'node:crypto';
import { type Pace, untilDeadline } from '../calls/pace.ts';
import type { Rejection } from '../changes/change.ts';
import { QUARANTINE_PREFIX } from '../quarantine/bucket.ts';
import type { PutObject } from '../quarantine/object-writer.ts';

/** Objects written at once. */
const CONCURRENCY_MAX = 16;

/**
 * Keeps rejected records whole, with the reason and the place, until somebody puts them right.
 *
 * Idempotent by key: a record rejected again is the same object again.
 *
 * @returns the rejections that could not be written in time, each with the last error.
 */
export async function quarantine(
  rejections: readonly Rejection[],
  { bucket, featureGroup, putObject }: { bucket: string; featureGroup: string; putObject: PutObject },
  pace: Pace,
): Promise<{ rejection: Rejection; message: string }[]> {
  const left = await untilDeadline(rejections, { pace, concurrencyMax: CONCURRENCY_MAX }, async (rejection) => {
    await putObject({
      Bucket: bucket,
      Key: quarantineKey(featureGroup, rejection),
      Body: JSON.stringify(rejection),
      ContentType: 'application/json',
    });
    return undefined;
  });
  return left.map(({ item, message }) => ({ rejection: item, message: `quarantine: ${message}` }));
}

/** Hexadecimal digits of the content's hash in a key: enough to tell the few records that share a sequence number. */
const HASH_DIGITS = 12;

/**
 * The object's key: the sequence number, so that a listing is in the stream's order, and the hash of the content, since
 * two streams (a table's before and after it was re-enabled, recorded events) may number alike.
 */
export function quarantineKey(featureGroup: string, { sequenceNumber = 'none', record }: Rejection): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(record) ?? '')
    .digest('hex')
    .slice(0, HASH_DIGITS);
  return `${QUARANTINE_PREFIX}${featureGroup}/${sequenceNumber}-${hash}.json`;
}
