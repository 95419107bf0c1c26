import { createHash } from 'node:crypto';
import { type Pace, untilDeadline } from '../calls/pace.ts';
import type { Rejection } from '../changes/change.ts';
import { QUARANTINE_PREFIX } from '../quarantine/bucket.ts';
import type { PutObject } from '../quarantine/object-writer.ts';

/**
 * Keeps the rejected records of a batch whole, with the reason and the place, until somebody puts them right: one object,
 * a line of JSON for each. One object for each record would cost a request for each, and more time than an invocation has.
 *
 * Idempotent by key: the same records rejected again are the same object again. A batch that comes again with other cuts
 * leaves some of them in two objects, each of which is put right by itself.
 *
 * @returns the rejections that could not be written in time, each with the last error.
 */
export async function quarantine(
  rejections: readonly Rejection[],
  { bucket, featureGroup, putObject }: { bucket: string; featureGroup: string; putObject: PutObject },
  pace: Pace,
): Promise<{ rejection: Rejection; message: string }[]> {
  if (rejections.length === 0) return [];
  const left = await untilDeadline([rejections], { pace, concurrencyMax: 1 }, async () => {
    const body = rejections.map((rejection) => `${JSON.stringify(rejection)}\n`).join('');
    await putObject(
      {
        Bucket: bucket,
        Key: quarantineKey(featureGroup, rejections, body),
        Body: body,
        ContentType: 'application/x-ndjson',
      },
      pace.signal,
    );
    return undefined;
  });
  return left.flatMap(({ item, message }) =>
    item.map((rejection) => ({ rejection, message: `quarantine: ${message}` })),
  );
}

/** Hexadecimal digits of the content's hash in a key: enough to tell the few batches that begin with the same number. */
const HASH_DIGITS = 12;

/**
 * The object's key: the first sequence number, so that a listing is roughly in the stream's order, and the hash of the
 * content, since two streams (a table's before and after it was re-enabled, recorded events) may number alike.
 */
function quarantineKey(featureGroup: string, rejections: readonly Rejection[], body: string): string {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, HASH_DIGITS);
  return `${QUARANTINE_PREFIX}${featureGroup}/${rejections[0]?.sequenceNumber ?? 'none'}-${hash}.jsonl`;
}
