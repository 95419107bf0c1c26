import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCOUNT, REGION } from '../protocol/arn.ts';
import { AwsError } from '../protocol/aws-error.ts';
import type { WireRequest, WireResponse } from '../protocol/service.ts';
import { element, textElement, textsOf, xmlText } from '../protocol/xml.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { s3Document } from './document.ts';

/** Names of buckets. Source: S3, bucket naming rules: 3 to 63 of a-z, 0-9, dots and hyphens. */
const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const ADDRESS = /^\d{1,3}(?:\.\d{1,3}){3}$/;

const OWNER = element('Owner', [textElement('ID', ACCOUNT), textElement('DisplayName', 'local')]);

export function xml(body: string): WireResponse {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

export async function listBuckets(objects: ObjectStore): Promise<WireResponse> {
  const names = await objects.buckets();
  const list = await Promise.all(
    names.map(async (name) => {
      const created = textElement('CreationDate', (await stat(join(objects.root, name))).birthtime.toISOString());
      return element('Bucket', [textElement('Name', name), created]);
    }),
  );
  return xml(s3Document('ListAllMyBucketsResult', [OWNER, element('Buckets', list)]));
}

/** Idempotent, as in us-east-1: one's own bucket may be made again. */
export async function createBucket(objects: ObjectStore, bucket: string, request: WireRequest): Promise<WireResponse> {
  if (!NAME.test(bucket) || bucket.includes('..') || ADDRESS.test(bucket)) {
    throw new AwsError('InvalidBucketName', `The specified bucket is not valid: ${bucket.slice(0, 100)}`);
  }
  const [region] = textsOf(xmlText(request.body), 'LocationConstraint');
  if (region !== undefined && region !== REGION) {
    throw new AwsError(
      'IllegalLocationConstraintException',
      `The local cloud is ${REGION} and has no ${region.slice(0, 40)}.`,
    );
  }
  await mkdir(join(objects.root, bucket), { recursive: true });
  return { status: 200, headers: { location: `/${bucket}` } };
}

export async function deleteBucket(objects: ObjectStore, bucket: string): Promise<WireResponse> {
  await existing(objects, bucket);
  const folder = join(objects.root, bucket);
  if ((await readdir(folder)).length > 0) {
    throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409, { BucketName: bucket });
  }
  await rm(folder, { recursive: true });
  return { status: 204 };
}

export async function headBucket(objects: ObjectStore, bucket: string): Promise<WireResponse> {
  await existing(objects, bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': REGION, 'content-type': 'application/xml' } };
}

/** What is asked of a bucket by a query parameter, and the document that answers it. */
const SETTINGS: Readonly<Record<string, () => string>> = {
  location: () => s3Document('LocationConstraint', []),
  versioning: () => s3Document('VersioningConfiguration', []),
  requestPayment: () => s3Document('RequestPaymentConfiguration', [textElement('Payer', 'BucketOwner')]),
  // S3 encrypts by itself since 2023; here the disk does, or nothing.
  encryption: () => {
    const byDefault = element('ApplyServerSideEncryptionByDefault', [textElement('SSEAlgorithm', 'AES256')]);
    const rule = element('Rule', [byDefault, textElement('BucketKeyEnabled', false)]);
    return s3Document('ServerSideEncryptionConfiguration', [rule]);
  },
  acl: () => {
    const grantee = element(
      'Grantee',
      [textElement('ID', ACCOUNT)],
      ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"',
    );
    const grant = element('Grant', [grantee, textElement('Permission', 'FULL_CONTROL')]);
    return s3Document('AccessControlPolicy', [OWNER, element('AccessControlList', [grant])]);
  },
};

/** What a bucket may have and none has here, with the error that S3 answers then. */
const ABSENT: Readonly<Record<string, string>> = {
  tagging: 'NoSuchTagSet',
  lifecycle: 'NoSuchLifecycleConfiguration',
  policy: 'NoSuchBucketPolicy',
  cors: 'NoSuchCORSConfiguration',
  website: 'NoSuchWebsiteConfiguration',
  replication: 'ReplicationConfigurationNotFoundError',
  'object-lock': 'ObjectLockConfigurationNotFoundError',
};

/** Settings by the query parameter that asks for them. */
export const SETTING_NAMES: readonly string[] = [...Object.keys(SETTINGS), ...Object.keys(ABSENT)];

export async function bucketSetting(objects: ObjectStore, bucket: string, setting: string): Promise<WireResponse> {
  await existing(objects, bucket);
  const absent = Object.hasOwn(ABSENT, setting) ? ABSENT[setting] : undefined;
  if (absent) throw new AwsError(absent, `The bucket has no ${setting}`, 404, { BucketName: bucket });
  return xml(SETTINGS[setting]?.() ?? '');
}

async function existing(objects: ObjectStore, bucket: string): Promise<void> {
  if (await objects.hasBucket(bucket)) return;
  throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: bucket });
}
