import { DeleteObjectCommand, GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { listKeys } from '../calls/list-keys.ts';
import { FAILED_BATCHES_PREFIX, QUARANTINE_PREFIX } from './bucket.ts';

/** Stream records that wait to be put right: one object of the quarantine bucket. */
export interface WaitingObject {
  readonly key: string;
  /** `quarantine`: a record that was wrong; `failed-batch`: a batch that Lambda gave up on. */
  readonly source: 'quarantine' | 'failed-batch';
  /** One sentence on why it waits. */
  readonly reason: string;
  /** Stream records as they came. */
  readonly records: readonly unknown[];
}

/** The objects of the quarantine bucket. Deleting one is idempotent: it is done again without effect. */
export function waitingObjects(bucket: string, featureGroup: string, s3: Pick<S3Client, 'send'>) {
  return {
    /** Keys of everything that waits, quarantine first, at most `limit`. */
    async keys(limit: number): Promise<string[]> {
      const keys: string[] = [];
      for (const prefix of [`${QUARANTINE_PREFIX}${featureGroup}/`, FAILED_BATCHES_PREFIX]) {
        for await (const key of listKeys(s3, bucket, prefix)) {
          if (keys.length >= limit) return keys;
          keys.push(key);
        }
      }
      return keys;
    },

    /** @throws Error when the object is not one that ingest or Lambda writes. */
    async read(key: string): Promise<WaitingObject> {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return parseWaiting(key, (await Body?.transformToString()) ?? '');
    },

    async remove(key: string): Promise<void> {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
  };
}

/** Reads a quarantined record, or Lambda's record of a discarded batch, whose `payload` is the event that failed. */
export function parseWaiting(key: string, text: string): WaitingObject {
  let content: {
    reason?: string;
    path?: string;
    message?: string;
    record?: unknown;
    payload?: unknown;
    requestContext?: { condition?: string };
  };
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${key} is not JSON: it is left where it is`, { cause });
  }
  if (key.startsWith(QUARANTINE_PREFIX) && content.record !== undefined) {
    const { reason, path, message, record } = content;
    return { key, source: 'quarantine', reason: `${reason} at ${path}: ${message}`, records: [record] };
  }
  const payload = typeof content.payload === 'string' ? JSON.parse(content.payload) : content.payload;
  const records = (payload as { Records?: unknown } | undefined)?.Records;
  if (!Array.isArray(records)) throw new Error(`${key} holds no stream records: it is left where it is`);
  return { key, source: 'failed-batch', reason: `Lambda gave up: ${content.requestContext?.condition}`, records };
}
