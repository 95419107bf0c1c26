import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import type { WireRequest, WireResponse } from '../protocol/service.ts';
import { element, textElement, textsOf, xmlText } from '../protocol/xml.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { s3Document } from './document.ts';
import { payloadOf } from './payload.ts';

/** Headers of a PutObject that come back with the object, besides x-amz-meta-*. */
const KEPT_HEADERS = ['content-type', 'content-disposition', 'content-language', 'cache-control', 'expires'];
/** Source: DeleteObjects. */
const DELETED_KEYS_MAX = 1_000;

/** `If-None-Match: *` makes it create only, `If-Match` overwrite only what the caller has read. */
export async function putObject(
  objects: ObjectStore,
  bucket: string,
  key: string,
  request: WireRequest,
): Promise<WireResponse> {
  const condition = request.headers['if-none-match'];
  if (condition !== undefined && condition !== '*')
    throw notImplemented('s3', `If-None-Match: ${condition} of PutObject`);
  const content = payloadOf(request);
  const headers = keptHeaders(request.headers);
  const stored = await objects.put(bucket, key, content, {
    headers,
    isNew: condition === '*',
    ifMatch: request.headers['if-match'],
  });
  return { status: 200, headers: { etag: stored.etag } };
}

/** GetObject, and HeadObject, which answers the same headers without the content. */
export async function getObject(
  objects: ObjectStore,
  bucket: string,
  key: string,
  request: WireRequest,
): Promise<WireResponse> {
  const stored = await objects.head(bucket, key);
  const headers = {
    'content-type': 'binary/octet-stream',
    ...(await objects.headers(bucket, key)),
    'accept-ranges': 'bytes',
    etag: stored.etag,
    'last-modified': stored.lastModified.toUTCString(),
  };
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match !== undefined && match !== '*' && match !== stored.etag) {
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
  }
  if (noneMatch === '*' || noneMatch === stored.etag) return { status: 304, headers };
  const range = rangeOf(request.headers.range, stored.size);
  const from = range?.from ?? 0;
  const to = range?.to ?? stored.size - 1;
  const body = request.method === 'HEAD' ? undefined : (await objects.get(bucket, key)).subarray(from, to + 1);
  return {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      'content-length': String(to - from + 1),
      ...(range && { 'content-range': `bytes ${from}-${to}/${stored.size}` }),
    },
    ...(body && { body }),
  };
}

export async function deleteObjects(objects: ObjectStore, bucket: string, request: WireRequest): Promise<WireResponse> {
  const xml = xmlText(payloadOf(request));
  const keys = textsOf(xml, 'Key');
  if (keys.length < 1 || keys.length > DELETED_KEYS_MAX) {
    throw new AwsError('MalformedXML', `The XML you provided names ${keys.length} keys, and must name 1 to 1000`);
  }
  if (textsOf(xml, 'VersionId').length > 0) throw notImplemented('s3', 'VersionId of DeleteObjects');
  const isQuiet = textsOf(xml, 'Quiet')[0] === 'true';
  const results = await Promise.all(
    keys.map(async (key) => {
      try {
        await objects.delete(bucket, key);
        return isQuiet ? '' : element('Deleted', [textElement('Key', key)]);
      } catch (error) {
        // A bucket that is not there fails the call; a key that cannot be deleted is answered beside the others.
        if (!(error instanceof AwsError) || error.code === 'NoSuchBucket') throw error;
        return element('Error', [
          textElement('Key', key),
          textElement('Code', error.code),
          textElement('Message', error.message),
        ]);
      }
    }),
  );
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: s3Document('DeleteResult', results) };
}

/** Headers that come back with the object that a request writes. */
export function keptHeaders(headers: WireRequest['headers']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && (KEPT_HEADERS.includes(name) || name.startsWith('x-amz-meta-'))) kept[name] = value;
  }
  const encoding = (headers['content-encoding'] ?? '')
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '' && it !== 'aws-chunked');
  if (encoding.length > 0) kept['content-encoding'] = encoding.join(',');
  return kept;
}

/** One range of bytes; anything else is ignored, as RFC 9110 has it. */
function rangeOf(header: string | undefined, size: number): { from: number; to: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  const from = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (from >= size || from > to) {
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416, { ActualObjectSize: size });
  }
  return { from, to };
}
