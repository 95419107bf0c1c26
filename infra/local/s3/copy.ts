import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import { decodePath } from '../protocol/request.ts';
import type { WireRequest, WireResponse } from '../protocol/service.ts';
import { textElement } from '../protocol/xml.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { xml } from './buckets.ts';
import { s3Document } from './document.ts';
import { keptHeaders } from './objects.ts';

const DIRECTIVES = ['COPY', 'REPLACE'];
const TIME_CONDITIONS = ['if-modified-since', 'if-unmodified-since'];

/** An object that a copy is made of. */
export interface Source {
  readonly bucket: string;
  readonly key: string;
}

/** The source that a request names: `/bucket/key`, percent-encoded. There is one version of each object. */
export function sourceOf({ headers }: WireRequest): Source {
  const text = headers['x-amz-copy-source'] ?? '';
  const [path = '', version] = text.replace(/^\//, '').split('?versionId=');
  if (version !== undefined && version !== 'null') throw notImplemented('s3', 'versions of a copy’s source');
  for (const condition of TIME_CONDITIONS) {
    if (headers[`x-amz-copy-source-${condition}`] !== undefined)
      throw notImplemented('s3', `x-amz-copy-source-${condition}`);
  }
  const slash = path.indexOf('/');
  if (slash < 1)
    throw new AwsError('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  return { bucket: decodePath(path.slice(0, slash)), key: decodePath(path.slice(slash + 1)) };
}

/**
 * The content of a copy's source, if it is as the request wants it.
 *
 * @throws AwsError NoSuchKey, PreconditionFailed
 */
export async function readSource(
  objects: ObjectStore,
  { bucket, key }: Source,
  { headers }: WireRequest,
): Promise<Buffer> {
  const { etag } = await objects.head(bucket, key);
  const { 'x-amz-copy-source-if-match': match, 'x-amz-copy-source-if-none-match': noneMatch } = headers;
  const same = (wanted: string) => wanted.replaceAll('"', '') === etag.replaceAll('"', '');
  if ((match !== undefined && !same(match)) || (noneMatch !== undefined && same(noneMatch))) {
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
  }
  return objects.get(bucket, key);
}

/** CopyObject. Headers go along, unless the request says that it brings its own. */
export async function copyObject(
  objects: ObjectStore,
  bucket: string,
  key: string,
  request: WireRequest,
): Promise<WireResponse> {
  const source = sourceOf(request);
  const directive = request.headers['x-amz-metadata-directive'] ?? 'COPY';
  if (!DIRECTIVES.includes(directive))
    throw new AwsError('InvalidArgument', `Unknown metadata directive: ${directive.slice(0, 40)}`);
  if (directive === 'COPY' && source.bucket === bucket && source.key === key) {
    throw new AwsError(
      'InvalidRequest',
      'This copy request is illegal because it is trying to copy an object to itself without changing the object’s metadata.',
    );
  }
  const content = await readSource(objects, source, request);
  const headers =
    directive === 'COPY' ? await objects.headers(source.bucket, source.key) : keptHeaders(request.headers);
  const stored = await objects.put(bucket, key, content, { headers });
  const modified = textElement('LastModified', stored.lastModified.toISOString());
  return xml(s3Document('CopyObjectResult', [modified, textElement('ETag', stored.etag)]));
}
