import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import type { WireRequest } from '../protocol/service.ts';
import { crc32c, crc64nvme } from './crc.ts';

/** Checksums by the end of their header's name, `x-amz-checksum-`. */
const CHECKSUMS: Readonly<Record<string, (data: Uint8Array) => Buffer>> = {
  crc32: (data) => {
    const result = Buffer.alloc(4);
    result.writeUInt32BE(crc32(data));
    return result;
  },
  crc32c,
  crc64nvme,
  sha1: (data) => createHash('sha1').update(data).digest(),
  sha256: (data) => createHash('sha256').update(data).digest(),
};

/** `x-amz-checksum-` headers that are about checksums and hold none. */
const CHECKSUM_SETTINGS = ['mode', 'type', 'algorithm'];

/**
 * The content of an upload: taken out of aws-chunked framing if it is in it, and checked against every checksum that
 * came with it, before or after the content.
 *
 * @throws AwsError BadDigest, XAmzContentSHA256Mismatch, IncompleteBody
 */
export function payloadOf(request: WireRequest): Buffer {
  const sha256 = request.headers['x-amz-content-sha256'];
  const isChunked = sha256?.startsWith('STREAMING-') || request.headers['content-encoding']?.includes('aws-chunked');
  const { content, trailers } = isChunked ? unchunk(request.body) : { content: request.body, trailers: {} };
  const length = request.headers['x-amz-decoded-content-length'];
  if (length !== undefined && Number(length) !== content.byteLength) {
    throw new AwsError('IncompleteBody', `The request announced ${length} bytes and carried ${content.byteLength}`);
  }
  if (sha256 && /^[0-9a-f]{64}$/.test(sha256) && sha256 !== createHash('sha256').update(content).digest('hex')) {
    throw new AwsError(
      'XAmzContentSHA256Mismatch',
      'The provided x-amz-content-sha256 header does not match the content',
    );
  }
  checkDigests({ ...request.headers, ...trailers }, content);
  return content;
}

function checkDigests(headers: Readonly<Record<string, string | undefined>>, content: Buffer): void {
  for (const [name, expected] of Object.entries(headers)) {
    const algorithm = name === 'content-md5' ? 'md5' : /^x-amz-checksum-(.+)$/.exec(name)?.[1];
    if (!algorithm || !expected || CHECKSUM_SETTINGS.includes(algorithm)) continue;
    const checksum = name === 'content-md5' ? md5 : CHECKSUMS[algorithm];
    if (!checksum) throw notImplemented('s3', `the checksum ${name}`);
    const actual = checksum(content).toString('base64');
    if (actual !== expected) {
      throw new AwsError(
        'BadDigest',
        `The ${algorithm} you specified, ${expected}, did not match the calculated ${actual}`,
      );
    }
  }
}

function md5(content: Uint8Array): Buffer {
  return createHash('md5').update(content).digest();
}

/** A chunk's own line: its size in hexadecimal digits, of which eight are more than any body has, and extensions. */
const CHUNK_LINE = /^([0-9a-f]{1,8})(?:;[^\r\n]*)?$/i;
/** Longest line of a chunk, in bytes: a size and a signature of 64 digits. */
const CHUNK_LINE_BYTES_MAX = 1_024;

/** Source: S3, "Signature calculations ... chunked upload": `<hex size>[;extension]CRLF<data>CRLF`, a chunk of 0, trailers. */
function unchunk(body: Buffer): { content: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = body.indexOf('\r\n', position);
    const isLine = lineEnd >= 0 && lineEnd - position <= CHUNK_LINE_BYTES_MAX;
    const digits = isLine ? CHUNK_LINE.exec(body.toString('latin1', position, lineEnd))?.[1] : undefined;
    if (digits === undefined) throw new AwsError('IncompleteBody', 'A chunk does not begin with its size');
    const size = Number.parseInt(digits, 16);
    position = lineEnd + 2;
    if (size === 0) break;
    if (position + size > body.length) throw new AwsError('IncompleteBody', 'The last chunk is cut off');
    chunks.push(body.subarray(position, position + size));
    position += size;
    if (body[position] !== 0x0d || body[position + 1] !== 0x0a) {
      throw new AwsError('IncompleteBody', 'A chunk is longer than its size');
    }
    position += 2;
  }
  const trailers: Record<string, string> = {};
  for (const line of body.toString('latin1', position).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) trailers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { content: Buffer.concat(chunks), trailers };
}
