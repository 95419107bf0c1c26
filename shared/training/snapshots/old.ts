import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { listObjects } from '../../calls/list-keys.ts';
import { SNAPSHOTS_PREFIX } from '../snapshot.ts';

/** Days that a snapshot is kept after a newer one was written: whoever reads it has long done so then. */
export const SNAPSHOT_DAYS = 7;

const DAY_MS = 86_400_000;

/**
 * Removes the snapshots that a newer one has replaced days ago, and whatever of one a failed query has left. Idempotent:
 * what is gone is not listed again.
 *
 * @param named snapshots to keep whatever their age.
 * @returns how many objects were removed.
 */
export async function deleteOldSnapshots(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  named: ReadonlySet<string | null | undefined>,
  nowMs: number,
): Promise<number> {
  const snapshots = new Map<string, { name: string; keys: string[]; writtenMs: number }>();
  for await (const { key, modifiedMs } of listObjects(s3, bucket, SNAPSHOTS_PREFIX)) {
    const [, name = ''] = key.split('/');
    const found = snapshots.get(name) ?? { name, keys: [], writtenMs: 0 };
    snapshots.set(name, found);
    found.keys.push(key);
    found.writtenMs = Math.max(found.writtenMs, modifiedMs);
  }
  const newestFirst = [...snapshots.values()].sort((a, b) => b.writtenMs - a.writtenMs);
  const old = newestFirst.filter(({ name }, index) => {
    const next = newestFirst[index - 1];
    return next && nowMs - next.writtenMs > SNAPSHOT_DAYS * DAY_MS && !named.has(name);
  });
  const keys = old.flatMap((it) => it.keys);
  for (const Key of keys) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  return keys.length;
}
