import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import { decodePath, signatureOf } from '../protocol/request.ts';
import type { Service, WireRequest, WireResponse } from '../protocol/service.ts';
import { element, textElement } from '../protocol/xml.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { s3Document } from './document.ts';
import { listObjects } from './list-objects.ts';
import { deleteObjects, getObject, putObject } from './objects.ts';

/** Query parameters that any request may carry: the SDK's operation name, and a presigned URL's signature. */
const COMMON_QUERY =
  /^(x-id|x-amz-(algorithm|credential|date|expires|signature|signedheaders|security-token|content-sha256|user-agent|checksum-mode|sdk-checksum-algorithm)|awsaccesskeyid|signature|expires)$/i;
const LIST_QUERY =
  /^(list-type|prefix|delimiter|max-keys|continuation-token|start-after|marker|encoding-type|fetch-owner)$/;
/** x-amz- headers that are honoured, or that change nothing here. The others are refused: they would be ignored. */
const KNOWN_HEADER_PREFIXES = ['x-amz-meta-', 'x-amz-checksum-'];
const KNOWN_HEADERS = new Set(
  [
    ...['content-sha256', 'date', 'decoded-content-length', 'expected-bucket-owner', 'request-payer'],
    ...['sdk-checksum-algorithm', 'security-token', 'trailer', 'user-agent'],
  ].map((name) => `x-amz-${name}`),
);

interface Target {
  readonly bucket: string;
  readonly key: string;
}

/**
 * The S3 protocol over an {@link ObjectStore}: objects and listings, by path (`/bucket/key`) or by host
 * (`bucket.localhost`). Buckets are made by the stack, not over the wire. There is one version of each object, no
 * multipart upload (so an upload ends at the server's body limit), and no ACL, tag or lifecycle.
 */
export function s3({ objects }: { objects: ObjectStore }): { service: Service } {
  const service: Service = {
    name: 's3',
    raw(request) {
      // What is signed for another service is that service's, even when its path is one that no route knows.
      if ((signatureOf(request)?.service ?? 's3') !== 's3') return undefined;
      const target = targetOf(request);
      const operation = operationOf(request, target);
      const input = { Bucket: target.bucket, Key: target.key };
      return { operation, input, run: () => run(objects, operation, target, request) };
    },
    renderError,
  };
  return { service };
}

async function run(
  objects: ObjectStore,
  operation: string,
  target: Target,
  request: WireRequest,
): Promise<WireResponse> {
  refuseUnknownParts(operation, request);
  const { bucket, key } = target;
  switch (operation) {
    case 'ListBuckets':
      return xml(await listBuckets(objects));
    case 'HeadBucket':
      if (!(await objects.hasBucket(bucket))) throw new AwsError('NoSuchBucket', 'The bucket does not exist', 404);
      return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1', 'content-type': 'application/xml' } };
    case 'ListObjects':
    case 'ListObjectsV2':
      return xml(await listObjects(objects, bucket, request.query));
    case 'DeleteObjects':
      return deleteObjects(objects, bucket, request);
    case 'PutObject':
      return putObject(objects, bucket, key, request);
    case 'GetObject':
    case 'HeadObject':
      return getObject(objects, bucket, key, request);
    case 'DeleteObject':
      await objects.delete(bucket, key);
      return { status: 204 };
    default:
      throw notImplemented('s3', operation);
  }
}

function targetOf(request: WireRequest): Target {
  if (request.path.startsWith('//')) throw new AwsError('InvalidURI', 'The path begins with two slashes');
  const path = request.path.replace(/^\//, '').split('/').map(decodePath);
  const host = /^(.+)\.localhost(?::\d+)?$/.exec(request.headers.host ?? '')?.[1];
  if (host !== undefined) return { bucket: host, key: path.join('/') };
  return { bucket: path[0] ?? '', key: path.slice(1).join('/') };
}

function operationOf({ method, query, headers }: WireRequest, { bucket, key }: Target): string {
  const unknown = [...query.keys()].find((name) => !COMMON_QUERY.test(name) && !LIST_QUERY.test(name));
  if (bucket === '') return method === 'GET' && !unknown ? 'ListBuckets' : `${method} /`;
  if (key === '') {
    if (method === 'POST' && unknown === 'delete') return 'DeleteObjects';
    if (method === 'HEAD' && !unknown) return 'HeadBucket';
    if (method === 'GET' && !unknown) return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
  } else if (!unknown && headers['x-amz-copy-source'] === undefined) {
    const byMethod: Record<string, string> = { PUT: 'Put', GET: 'Get', HEAD: 'Head', DELETE: 'Delete' };
    if (byMethod[method]) return `${byMethod[method]}Object`;
  }
  return `${method} ${key === '' ? 'on a bucket' : 'on an object'}${unknown ? ` with ?${unknown}` : ''}`;
}

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

async function listBuckets(objects: ObjectStore): Promise<string> {
  const buckets = await objects.buckets();
  const owner = element('Owner', [textElement('ID', '000000000000')]);
  // The store keeps no creation dates; clients require one.
  const created = textElement('CreationDate', new Date(0).toISOString());
  const list = buckets.map((name) => element('Bucket', [textElement('Name', name), created]));
  return s3Document('ListAllMyBucketsResult', [owner, element('Buckets', list)]);
}

function xml(body: string): WireResponse {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
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
