import { AwsError } from '../protocol/aws-error.ts';
import { element, textElement } from '../protocol/xml.ts';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';
import { s3Document } from './document.ts';

/** Source: ListObjectsV2, MaxKeys. */
const KEYS_MAX = 1_000;

/** One page of a listing: objects, and the common prefixes that stand for all keys with them. */
interface Page {
  readonly contents: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  /** Last key or common prefix of the page, when more follow. */
  readonly next: string | undefined;
}

/** ListObjectsV2, and ListObjects (which boto3's resources and older tools use). */
export async function listObjects(objects: ObjectStore, bucket: string, query: URLSearchParams): Promise<string> {
  const isV2 = query.get('list-type') === '2';
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = parseMaxKeys(query.get('max-keys'));
  const token = query.get('continuation-token');
  const startAfter = isV2 ? (query.get('start-after') ?? '') : (query.get('marker') ?? '');
  const after = token === null ? startAfter : Buffer.from(token, 'base64url').toString('utf8');
  const page = pageOf(await objects.list(bucket, prefix), prefix, delimiter, after, maxKeys);

  const isUrl = query.get('encoding-type') === 'url';
  const text = (name: string, value: string) => textElement(name, isUrl ? encodeUrl(value) : value);
  const common = [
    textElement('Name', bucket),
    text('Prefix', prefix),
    textElement('MaxKeys', maxKeys),
    textElement('IsTruncated', page.next !== undefined),
    ...(delimiter ? [text('Delimiter', delimiter)] : []),
    ...(isUrl ? [textElement('EncodingType', 'url')] : []),
    ...page.contents.map((object) => contents(object, text)),
    ...page.commonPrefixes.map((it) => element('CommonPrefixes', [text('Prefix', it)])),
  ];
  if (!isV2) {
    const next = page.next === undefined ? [] : [text('NextMarker', page.next)];
    return s3Document('ListBucketResult', [text('Marker', startAfter), ...next, ...common]);
  }
  return s3Document('ListBucketResult', [
    ...common,
    textElement('KeyCount', page.contents.length + page.commonPrefixes.length),
    ...(startAfter ? [text('StartAfter', startAfter)] : []),
    ...(token === null ? [] : [textElement('ContinuationToken', token)]),
    ...(page.next === undefined
      ? []
      : [textElement('NextContinuationToken', Buffer.from(page.next).toString('base64url'))]),
  ]);
}

function pageOf(all: readonly StoredObject[], prefix: string, delimiter: string, after: string, max: number): Page {
  const contents: StoredObject[] = [];
  const commonPrefixes: string[] = [];
  let last = '';
  for (const object of all) {
    const end = delimiter ? object.key.indexOf(delimiter, prefix.length) : -1;
    const name = end < 0 ? object.key : object.key.slice(0, end + delimiter.length);
    // A common prefix that ended the page before covers all its keys, which compare greater than it.
    const isPast = Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0;
    if (!isPast || name === last) continue;
    if (contents.length + commonPrefixes.length === max) return { contents, commonPrefixes, next: last || undefined };
    if (end < 0) contents.push(object);
    else commonPrefixes.push(name);
    last = name;
  }
  return { contents, commonPrefixes, next: undefined };
}

function contents(object: StoredObject, text: (name: string, value: string) => string): string {
  return element('Contents', [
    text('Key', object.key),
    textElement('LastModified', object.lastModified.toISOString()),
    textElement('ETag', object.etag),
    textElement('Size', object.size),
    textElement('StorageClass', 'STANDARD'),
  ]);
}

function parseMaxKeys(text: string | null): number {
  if (text === null) return KEYS_MAX;
  if (!/^\d+$/.test(text)) throw new AwsError('InvalidArgument', `max-keys is ${text}, and must be a whole number`);
  return Math.min(Number(text), KEYS_MAX);
}

/** `encoding-type=url`: slashes stay readable. */
function encodeUrl(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/');
}
