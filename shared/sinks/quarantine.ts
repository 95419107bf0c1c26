import { createHash } from 'node:crypto';
import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { describeError, errorCode, isThrottling } from '../calls/failure.ts';
import { type Pace, retryUntilDeadline, withAdaptiveConcurrency } from '../calls/pace.ts';
import type { Rejection } from '../changes/change.ts';
import { QUARANTINE_PREFIX } from '../quarantine/bucket.ts';

/** Objects written at once. */
const CONCURRENCY_MAX = 16;

/** PutObject of S3. Errors are those that the SDK throws. */
export type PutObject = (input: PutObjectCommandInput) => Promise<unknown>;

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
  const errors = new Map<Rejection, string>();
  const left = await retryUntilDeadline(rejections, pace, async (pending) => {
    const again: Rejection[] = [];
    await withAdaptiveConcurrency(pending, CONCURRENCY_MAX, async (rejection) => {
      if (pace.now() >= pace.deadline) {
        again.push(rejection);
        return 'ok';
      }
      try {
        await putObject({
          Bucket: bucket,
          Key: quarantineKey(featureGroup, rejection),
          Body: JSON.stringify(rejection),
          ContentType: 'application/json',
        });
        return 'ok';
      } catch (error) {
        errors.set(rejection, describeError(error));
        again.push(rejection);
        return isThrottling(errorCode(error)) ? 'throttled' : 'ok';
      }
    });
    return again;
  });
  return left.map((rejection) => ({ rejection, message: `quarantine: ${errors.get(rejection) ?? 'no time left'}` }));
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
