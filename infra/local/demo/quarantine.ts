import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { FeatureGroup } from '../../../shared/feature-groups/define.ts';
import type { Item } from './item.ts';
import { idOf } from './online-store.ts';

/** Prefix of rejected records in the quarantine bucket. */
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
export async function readQuarantine(s3: S3Client, bucket: string, group: FeatureGroup): Promise<Quarantined[]> {
  const found: Quarantined[] = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: QUARANTINE_PREFIX })) {
    for (const { Key } of page.Contents ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const { record, sequenceNumber, reason, path, message } = JSON.parse(
        (await Body?.transformToString()) ?? '{}',
      ) as Rejection;
      found.push({
        recordIdentifier: idOf(record?.dynamodb?.Keys ?? {}, group),
        sequenceNumber,
        reason,
        path,
        message,
      });
    }
  }
  return found;
}
