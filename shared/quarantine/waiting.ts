import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { errorCode } from '../calls/failure.ts';
import { listKeys } from '../calls/list-keys.ts';
import { FAILED_BATCHES_PREFIX, QUARANTINE_PREFIX } from './bucket.ts';

/** A stream record that waits to be put right. */
export interface WaitingRecord {
  /** One sentence on why it waits, without values: kind, place and message. */
  readonly reason: string;
  /** The reason's name, the place in the record, which is empty for a batch that was given up, and the message. */
  readonly kind: string;
  readonly path: string;
  readonly message: string;
  /** As it came. */
  readonly record: unknown;
}

/** One object of the quarantine bucket. */
export interface WaitingObject {
  readonly key: string;
  /** S3's name of this content, which a write of another can be made conditional on. */
  readonly etag: string | undefined;
  readonly records: readonly WaitingRecord[];
  /** The object with some of its records only, by their places. */
  without(done: ReadonlySet<number>): string;
}

/** What S3 answers to a conditional write when the object is another by now, or gone. */
const OVERTAKEN = new Set(['PreconditionFailed', 'NoSuchKey', 'ConditionalRequestConflict']);

/**
 * The objects of the quarantine bucket. Putting one right takes it away, or leaves what is not right of it: idempotent,
 * as the same records are taken away again, and conditional, so that of two at work neither undoes what the other did.
 */
export function waitingObjects(bucket: string, featureGroup: string, s3: Pick<S3Client, 'send'>) {
  // Batches that Lambda gave up on are changes that nobody has, so they come before records that wait for a person.
  const prefixes = [FAILED_BATCHES_PREFIX, `${QUARANTINE_PREFIX}${featureGroup}/`];
  return {
    /** Keys of everything that waits, in order, behind `after`. */
    async *keys(after: string | undefined, abortSignal: AbortSignal): AsyncGenerator<string, void> {
      const first = after === undefined ? 0 : prefixes.findIndex((prefix) => after.startsWith(prefix));
      if (first < 0) throw new Error('after is no key of an object that waits: give one that an answer named as next');
      for (const [index, prefix] of prefixes.slice(first).entries()) {
        yield* listKeys(s3, bucket, prefix, { after: index === 0 ? after : undefined, abortSignal });
      }
    },

    /** @throws Error when the object is not one that ingest or Lambda writes. */
    async read(key: string, abortSignal: AbortSignal): Promise<WaitingObject> {
      const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
      return parseWaiting(key, (await Body?.transformToString()) ?? '', ETag);
    },

    /** Takes records that were put right, by their places, out of their object, and the object away with the last. */
    async remove(object: WaitingObject, done: ReadonlySet<number>, abortSignal: AbortSignal): Promise<void> {
      const { key: Key, etag } = object;
      if (done.size === 0) return;
      if (done.size === object.records.length) {
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }), { abortSignal });
        return;
      }
      try {
        const put = new PutObjectCommand({ Bucket: bucket, Key, Body: object.without(done), IfMatch: etag });
        await s3.send(put, { abortSignal });
      } catch (error) {
        if (!OVERTAKEN.has(errorCode(error))) throw error;
      }
    },
  };
}

/** One rejected record as ingest keeps it. */
interface Kept {
  readonly reason: string;
  readonly path: string;
  readonly message: string;
  readonly record: unknown;
}

/** Reads rejected records, or Lambda's record of a discarded batch, whose `payload` is the event that failed. */
export function parseWaiting(key: string, text: string, etag?: string): WaitingObject {
  return key.startsWith(QUARANTINE_PREFIX) ? rejectedRecords(key, text, etag) : failedBatch(key, text, etag);
}

/** A line for each record. Version 0.1.0 has kept each in an object of its own, which reads as one line. */
function rejectedRecords(key: string, text: string, etag: string | undefined): WaitingObject {
  const lines = text.split('\n').filter(Boolean);
  const kept = lines.map((line) => parsed(key, line) as Kept);
  if (kept.length === 0 || kept.some((it) => it?.record === undefined)) throw holdsNone(key);
  return {
    key,
    etag,
    records: kept.map(({ reason: kind, path, message, record }) => {
      return { reason: `${kind} at ${path}: ${message}`, kind, path, message, record };
    }),
    without: (done) => lines.flatMap((line, index) => (done.has(index) ? [] : `${line}\n`)).join(''),
  };
}

function failedBatch(key: string, text: string, etag: string | undefined): WaitingObject {
  const content = (parsed(key, text) ?? {}) as { payload?: unknown; requestContext?: { condition?: string } };
  const payload = (typeof content.payload === 'string' ? parsed(key, content.payload) : content.payload) as
    | { Records?: unknown }
    | undefined;
  const records = payload?.Records;
  if (!Array.isArray(records)) throw holdsNone(key);
  const condition = `${content.requestContext?.condition}`;
  const why = { reason: `Lambda gave up: ${condition}`, kind: 'lambda-gave-up', path: '', message: condition };
  return {
    key,
    etag,
    records: records.map((record) => ({ ...why, record })),
    without(done) {
      const Records = records.filter((_, index) => !done.has(index));
      return JSON.stringify({ ...content, payload: JSON.stringify({ ...payload, Records }) });
    },
  };
}

const holdsNone = (key: string) => new Error(`${key} holds no stream records: it is left where it is`);

/** The engine's own error would quote the text, which may be personal data. */
function parsed(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${key} is not JSON: it is left where it is`);
  }
}
