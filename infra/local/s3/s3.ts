import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import { decodePath, signatureOf } from '../protocol/request.ts';
import type { Service, WireRequest, WireResponse } from '../protocol/service.ts';
import { element, textElement } from '../protocol/xml.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { bucketSetting, createBucket, deleteBucket, headBucket, listBuckets, SETTING_NAMES, xml } from './buckets.ts';
import { copyObject } from './copy.ts';
import { listObjects } from './list-objects.ts';
import { MultipartUploads } from './multipart.ts';
import { deleteObjects, getObject, putObject } from './objects.ts';

/** Query parameters that any request may carry: the SDK's operation name, and a presigned URL's signature. */
const COMMON_QUERY =
  /^(x-id|x-amz-(algorithm|credential|date|expires|signature|signedheaders|security-token|content-sha256|user-agent|checksum-mode|sdk-checksum-algorithm)|awsaccesskeyid|signature|expires)$/i;
const LIST_QUERY =
  /^(list-type|prefix|delimiter|max-keys|continuation-token|start-after|marker|encoding-type|fetch-owner|max-buckets|bucket-region|key-marker|max-uploads|upload-id-marker|max-parts|part-number-marker)$/;
/** x-amz- headers that are honoured, or that change nothing here. The others are refused: they would be ignored. */
const KNOWN_HEADER_PREFIXES = ['x-amz-meta-', 'x-amz-checksum-'];
const KNOWN_HEADERS = new Set(
  [
    ...['content-sha256', 'date', 'decoded-content-length', 'expected-bucket-owner', 'request-payer'],
    ...['sdk-checksum-algorithm', 'security-token', 'trailer', 'user-agent', 'checksum-type', 'mp-object-size'],
    ...[
      'copy-source',
      'copy-source-range',
      'copy-source-if-match',
      'copy-source-if-none-match',
      'metadata-directive',
      'tagging-directive',
      'bucket-object-lock-enabled',
    ],
  ].map((name) => `x-amz-${name}`),
);

interface Target {
  readonly bucket: string;
  readonly key: string;
}

/**
 * The S3 protocol over an {@link ObjectStore}: objects and listings, by path (`/bucket/key`) or by host
 * (`bucket.localhost`), in one piece or in parts. There is one version of each object, and no tag, policy or lifecycle.
 */
export function s3({ objects }: { objects: ObjectStore }): { service: Service } {
  const deps = { objects, uploads: new MultipartUploads(objects) };
  const service: Service = {
    name: 's3',
    raw(request) {
      // What is signed for another service is that service's, even when its path is one that no route knows.
      if ((signatureOf(request)?.service ?? 's3') !== 's3') return undefined;
      const target = targetOf(request);
      const operation = operationOf(request, target);
      const input = { Bucket: target.bucket, Key: target.key };
      return { operation, input, run: () => run(deps, operation, target, request) };
    },
    renderError,
    // For services that read an object on a role's behalf.
    operations: {
      GetObject: async ({ Bucket, Key }: { Bucket: string; Key: string }) => ({ Body: await objects.get(Bucket, Key) }),
    },
  };
  return { service };
}

/** What an operation works on. */
interface Deps {
  readonly objects: ObjectStore;
  readonly uploads: MultipartUploads;
}

type Run = (deps: Deps, target: Target, request: WireRequest) => Promise<WireResponse>;

const getOrHead: Run = ({ objects }, { bucket, key }, request) => getObject(objects, bucket, key, request);
const list: Run = async ({ objects }, { bucket }, { query }) => xml(await listObjects(objects, bucket, query));

const OPERATIONS: Readonly<Record<string, Run>> = {
  ListBuckets: ({ objects }) => listBuckets(objects),
  CreateBucket: ({ objects }, { bucket }, request) => createBucket(objects, bucket, request),
  DeleteBucket: ({ objects }, { bucket }) => deleteBucket(objects, bucket),
  HeadBucket: ({ objects }, { bucket }) => headBucket(objects, bucket),
  GetBucketSetting: ({ objects }, { bucket }, { query }) =>
    bucketSetting(objects, bucket, SETTING_NAMES.find((name) => query.has(name)) ?? ''),
  ListObjects: list,
  ListObjectsV2: list,
  ListMultipartUploads: ({ uploads }, { bucket }) => uploads.list(bucket),
  DeleteObjects: ({ objects }, { bucket }, request) => deleteObjects(objects, bucket, request),
  PutObject: ({ objects }, { bucket, key }, request) => putObject(objects, bucket, key, request),
  CopyObject: ({ objects }, { bucket, key }, request) => copyObject(objects, bucket, key, request),
  GetObject: getOrHead,
  HeadObject: getOrHead,
  DeleteObject: async ({ objects }, { bucket, key }) => {
    await objects.delete(bucket, key);
    return { status: 204 };
  },
  CreateMultipartUpload: ({ uploads }, { bucket, key }, request) => uploads.create(bucket, key, request),
  UploadPart: ({ uploads }, { bucket, key }, request) => uploads.uploadPart(bucket, key, request),
  CompleteMultipartUpload: ({ uploads }, { bucket, key }, request) => uploads.complete(bucket, key, request),
  AbortMultipartUpload: ({ uploads }, { bucket, key }, request) => uploads.abort(bucket, key, request),
  ListParts: ({ uploads }, { bucket, key }, request) => uploads.listParts(bucket, key, request),
};

async function run(deps: Deps, operation: string, target: Target, request: WireRequest): Promise<WireResponse> {
  const found = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
  if (!found) throw notImplemented('s3', operation, INSTEAD);
  refuseUnknownParts(operation, request);
  return found(deps, target, request);
}

function targetOf(request: WireRequest): Target {
  if (request.path.startsWith('//')) throw new AwsError('InvalidURI', 'The path begins with two slashes');
  const path = request.path.replace(/^\//, '').split('/').map(decodePath);
  const host = /^(.+)\.localhost(?::\d+)?$/.exec(request.headers.host ?? '')?.[1];
  if (host !== undefined) return { bucket: host, key: path.join('/') };
  return { bucket: path[0] ?? '', key: path.slice(1).join('/') };
}

function operationOf(request: WireRequest, { bucket, key }: Target): string {
  const { method, query, headers } = request;
  const asked = [...query.keys()].filter((name) => !COMMON_QUERY.test(name) && !LIST_QUERY.test(name));
  const named = asked
    .map((name) => name.toLowerCase())
    .sort()
    .join('&');
  if (bucket === '') return method === 'GET' && named === '' ? 'ListBuckets' : `${method} /`;
  const place = key === '' ? ON_BUCKET : ON_OBJECT;
  const found = place[`${method} ${named}`];
  if (found === 'ListObjects' && query.get('list-type') === '2') return 'ListObjectsV2';
  if (found === 'PutObject' && headers['x-amz-copy-source'] !== undefined) return 'CopyObject';
  if (found !== undefined) return found;
  const setting = key === '' && method === 'GET' && asked.length === 1 && SETTING_NAMES.includes(asked[0] ?? '');
  if (setting) return 'GetBucketSetting';
  return `${method} ${key === '' ? 'on a bucket' : 'on an object'}${asked[0] === undefined ? '' : ` with ?${asked[0]}`}`;
}

/** Operations by method and the query parameters that tell them, sorted. */
const ON_BUCKET: Readonly<Record<string, string>> = {
  'GET ': 'ListObjects',
  'PUT ': 'CreateBucket',
  'DELETE ': 'DeleteBucket',
  'HEAD ': 'HeadBucket',
  'POST delete': 'DeleteObjects',
  'GET uploads': 'ListMultipartUploads',
};
const ON_OBJECT: Readonly<Record<string, string>> = {
  'GET ': 'GetObject',
  'PUT ': 'PutObject',
  'DELETE ': 'DeleteObject',
  'HEAD ': 'HeadObject',
  'POST uploads': 'CreateMultipartUpload',
  'PUT partnumber&uploadid': 'UploadPart',
  'POST uploadid': 'CompleteMultipartUpload',
  'DELETE uploadid': 'AbortMultipartUpload',
  'GET uploadid': 'ListParts',
};

/** What to do about what S3 has and this has not. */
const INSTEAD =
  'It keeps objects, whole or in parts, copies them and lists them; versions, tags, policies and notifications need real S3.';

function refuseUnknownParts(operation: string, { headers }: WireRequest): void {
  for (const name of Object.keys(headers)) {
    const isConditionOnTime = name === 'if-modified-since' || name === 'if-unmodified-since';
    if (isConditionOnTime || (name.startsWith('x-amz-') && !isKnown(name))) {
      throw notImplemented('s3', `the header ${name} of ${operation}`);
    }
  }
}

function isKnown(header: string): boolean {
  return KNOWN_HEADERS.has(header) || KNOWN_HEADER_PREFIXES.some((prefix) => header.startsWith(prefix));
}

function renderError(error: AwsError): WireResponse {
  const fields = Object.entries(error.fields).map(([name, value]) => textElement(name, String(value)));
  const body = element('Error', [textElement('Code', error.code), textElement('Message', error.message), ...fields]);
  return {
    status: error.status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  };
}
