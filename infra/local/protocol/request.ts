import type { IncomingMessage } from 'node:http';
import { AwsError } from './aws-error.ts';
import type { WireRequest } from './service.ts';

/** Largest request body taken, in bytes. Above every limit of the services served (DynamoDB 16 MB, Invoke 6 MB). */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads a request whole.
 *
 * @param check looks at the headers before the body is read.
 * @throws AwsError RequestEntityTooLarge; BadRequest for a path that is none.
 */
export async function readRequest(
  message: IncomingMessage,
  check: (headers: WireRequest['headers']) => void,
): Promise<WireRequest> {
  const headers = message.headers as WireRequest['headers'];
  check(headers);
  const target = message.url ?? '/';
  const [path = '/'] = target.split('?');
  decodePath(path);
  return {
    ...{ method: message.method ?? 'GET', path, headers, body: await readBody(message) },
    // Not by URL: it takes `//name` for a host.
    query: new URLSearchParams(target.slice(path.length)),
  };
}

/** The body, by events: an async iterator takes as long as all else that is done with a small request. */
function readBody(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
      else message.destroy(new AwsError('RequestEntityTooLarge', `Body exceeds ${BODY_BYTES_MAX} bytes`, 413));
    });
    message.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    message.once('error', reject);
    message.once('close', () => reject(new Error('The connection was closed before the whole request was there')));
  });
}

/** A path, or a part of one, without its percent signs. @throws AwsError BadRequest */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new AwsError(
      'BadRequest',
      `The path ${JSON.stringify(path.slice(0, 100))} has a percent sign that escapes nothing`,
    );
  }
}

/** The JSON of a body as an object; empty for no body. @throws AwsError SerializationException */
export function parseJson(text: string): Record<string, unknown> {
  if (text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON');
  }
  if (parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new AwsError('SerializationException', 'The request body is JSON, and no object');
}

/** Longest Authorization header that is looked at, in characters; Node takes 16 kB of headers in all. */
const AUTHORIZATION_LENGTH_MAX = 4_096;

/** Who signed a request, and for which service. Nothing is verified: there is no secret to verify it with. */
export interface Signature {
  readonly accessKeyId: string;
  readonly service: string;
}

/** The credential scope of a signature, in the header or in a presigned URL; undefined for an unsigned request. */
export function signatureOf({ headers, query }: Pick<WireRequest, 'headers' | 'query'>): Signature | undefined {
  const authorization = headers.authorization ?? '';
  const start = authorization.indexOf('Credential=');
  const credential =
    start >= 0 && authorization.length <= AUTHORIZATION_LENGTH_MAX
      ? authorization.slice(start + 'Credential='.length).split(/[,\s]/, 1)[0]
      : query.get('X-Amz-Credential');
  // <key id>/<day>/<region>/<service>/aws4_request
  const [accessKeyId, day, , service] = (credential ?? '').split('/');
  return accessKeyId && service && /^\d{8}$/.test(day ?? '') ? { accessKeyId, service } : undefined;
}
