import type { S3Client } from '@aws-sdk/client-s3';
import type { Item } from '../customers/item.ts';
import { textsUnder } from './change-log.ts';

/** Prefix of rejected records in the quarantine bucket, where a batch's are one object, a line of JSON each. */
const QUARANTINE_PREFIX = 'quarantine/';

/** A record in quarantine: which, and why. */
export interface Quarantined {
  readonly recordIdentifier: string;
  readonly sequenceNumber: string | undefined;
  readonly reason: string;
  /** Where in the stream record, such as `dynamodb.NewImage.age`. */
  readonly path: string;
  readonly message: string;
}

interface Rejection extends Omit<Quarantined, 'recordIdentifier'> {
  readonly record?: { readonly dynamodb?: { readonly Keys?: Item } };
}

/** What lies in quarantine, in the order of its keys. */
export async function readQuarantine(
  s3: S3Client,
  bucket: string,
  idOf: (key: Item) => string,
): Promise<Quarantined[]> {
  return (await readRejections(s3, bucket)).map((text) => {
    const { record, sequenceNumber, reason, path, message } = JSON.parse(text) as Rejection;
    return { recordIdentifier: idOf(record?.dynamodb?.Keys ?? {}), sequenceNumber, reason, path, message };
  });
}

/** The rejections as they lie in quarantine: a line of JSON each, in the order of their keys. */
export async function readRejections(s3: S3Client, bucket: string): Promise<string[]> {
  const rejections: string[] = [];
  for await (const { text } of textsUnder(s3, bucket, QUARANTINE_PREFIX)) {
    rejections.push(...text.split('\n').filter(Boolean));
  }
  return rejections;
}
