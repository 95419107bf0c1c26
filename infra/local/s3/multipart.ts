import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsError } from '../protocol/aws-error.ts';
import type { WireRequest, WireResponse } from '../protocol/service.ts';
import { element, textElement, textsOf, xmlText } from '../protocol/xml.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { xml } from './buckets.ts';
import { readSource, sourceOf } from './copy.ts';
import { s3Document } from './document.ts';
import { keptHeaders } from './objects.ts';
import { payloadOf } from './payload.ts';

/** Source: S3 multipart upload limits: parts of an upload, and the least size of all but the last, in bytes. */
const PARTS_MAX = 10_000;
const PART_BYTES_MIN = 5 * 1024 * 1024;

/** Folder of uploads under way. Names beginning with a dot are no buckets. */
const UPLOADS = '.multipart';
const UPLOAD_ID = /^[0-9a-f-]{36}$/;
const MANIFEST = 'upload.json';

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Uploads in parts: each a folder of files until it is completed, which writes the object whole, or aborted. A part
 * that is sent again replaces the one before. The object's ETag is that of its content, not S3's hash of hashes.
 */
export class MultipartUploads {
  readonly #objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  async create(bucket: string, key: string, request: WireRequest): Promise<WireResponse> {
    // Fails for a bucket or key that cannot be, before anything is sent.
    await this.#objects.head(bucket, key).catch((error: AwsError) => {
      if (error.code !== 'NoSuchKey') throw error;
    });
    const id = randomUUID();
    const upload: Upload = { bucket, key, headers: keptHeaders(request.headers) };
    await mkdir(this.#folder(id), { recursive: true });
    await writeFile(join(this.#folder(id), MANIFEST), JSON.stringify(upload));
    return xml(
      s3Document('InitiateMultipartUploadResult', [
        textElement('Bucket', bucket),
        textElement('Key', key),
        textElement('UploadId', id),
      ]),
    );
  }

  async uploadPart(bucket: string, key: string, request: WireRequest): Promise<WireResponse> {
    const id = await this.#existing(bucket, key, request);
    const number = partNumber(request.query.get('partNumber'));
    const isCopy = request.headers['x-amz-copy-source'] !== undefined;
    const content = isCopy ? await this.#copied(request) : payloadOf(request);
    const file = join(this.#folder(id), String(number));
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
    const etag = etagOf(content);
    if (!isCopy) return { status: 200, headers: { etag } };
    const modified = textElement('LastModified', new Date().toISOString());
    return xml(s3Document('CopyPartResult', [modified, textElement('ETag', etag)]));
  }

  async complete(bucket: string, key: string, request: WireRequest): Promise<WireResponse> {
    const id = await this.#existing(bucket, key, request);
    const document = xmlText(request.body);
    const numbers = textsOf(document, 'PartNumber').map(partNumber);
    const etags = textsOf(document, 'ETag');
    if (numbers.length === 0 || etags.length !== numbers.length) {
      throw new AwsError('MalformedXML', 'The XML you provided must name each part by its PartNumber and ETag');
    }
    if (numbers.some((number, index) => index > 0 && number <= (numbers[index - 1] ?? 0))) {
      throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order');
    }
    const parts = await Promise.all(numbers.map((number) => this.#part(id, number)));
    parts.forEach((part, index) => {
      if (!part || etagOf(part).replaceAll('"', '') !== etags[index]?.replaceAll('"', '')) {
        throw new AwsError(
          'InvalidPart',
          `One or more of the specified parts could not be found: part ${numbers[index]}`,
        );
      }
      if (index < parts.length - 1 && part.length < PART_BYTES_MIN) {
        throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', 400, {
          PartNumber: numbers[index],
        });
      }
    });
    const { headers } = await this.#upload(id);
    const stored = await this.#objects.put(bucket, key, Buffer.concat(parts.filter((part) => part !== undefined)), {
      headers,
    });
    await rm(this.#folder(id), { recursive: true, force: true });
    const named = [
      textElement('Location', `/${bucket}/${key}`),
      textElement('Bucket', bucket),
      textElement('Key', key),
    ];
    return xml(s3Document('CompleteMultipartUploadResult', [...named, textElement('ETag', stored.etag)]));
  }

  async abort(bucket: string, key: string, request: WireRequest): Promise<WireResponse> {
    await rm(this.#folder(await this.#existing(bucket, key, request)), { recursive: true, force: true });
    return { status: 204 };
  }

  async listParts(bucket: string, key: string, request: WireRequest): Promise<WireResponse> {
    const id = await this.#existing(bucket, key, request);
    const numbers = (await readdir(this.#folder(id))).filter((name) => /^\d+$/.test(name)).map(Number);
    const parts = await Promise.all(
      numbers
        .sort((a, b) => a - b)
        .map(async (number) => {
          const content = (await this.#part(id, number)) ?? Buffer.alloc(0);
          const { mtime } = await stat(join(this.#folder(id), String(number)));
          const modified = textElement('LastModified', mtime.toISOString());
          return element('Part', [
            textElement('PartNumber', number),
            modified,
            textElement('ETag', etagOf(content)),
            textElement('Size', content.length),
          ]);
        }),
    );
    const named = [textElement('Bucket', bucket), textElement('Key', key), textElement('UploadId', id)];
    return xml(s3Document('ListPartsResult', [...named, textElement('IsTruncated', false), ...parts]));
  }

  async list(bucket: string): Promise<WireResponse> {
    const ids = await readdir(join(this.#objects.root, UPLOADS)).catch(() => []);
    const uploads = await Promise.all(
      ids.map(async (id) => ({ id, ...(await this.#upload(id)), made: await stat(this.#folder(id)) })),
    );
    const shown = uploads
      .filter((it) => it.bucket === bucket)
      .map(({ id, key, made }) =>
        element('Upload', [
          textElement('Key', key),
          textElement('UploadId', id),
          textElement('Initiated', made.birthtime.toISOString()),
        ]),
      );
    return xml(
      s3Document('ListMultipartUploadsResult', [
        textElement('Bucket', bucket),
        textElement('IsTruncated', false),
        ...shown,
      ]),
    );
  }

  async #copied(request: WireRequest): Promise<Buffer> {
    const content = await readSource(this.#objects, sourceOf(request), request);
    const range = request.headers['x-amz-copy-source-range'];
    if (range === undefined) return content;
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    if (first === undefined || Number(first) > Number(last) || Number(last) >= content.length) {
      throw new AwsError(
        'InvalidArgument',
        `Range specified is not valid for source object of size: ${content.length}`,
      );
    }
    return content.subarray(Number(first), Number(last) + 1);
  }

  #folder(id: string): string {
    return join(this.#objects.root, UPLOADS, id);
  }

  async #upload(id: string): Promise<Upload> {
    return JSON.parse(await readFile(join(this.#folder(id), MANIFEST), 'utf8'));
  }

  async #existing(bucket: string, key: string, { query }: WireRequest): Promise<string> {
    const id = query.get('uploadId') ?? '';
    const upload = UPLOAD_ID.test(id) ? await this.#upload(id).catch(() => undefined) : undefined;
    if (upload?.bucket === bucket && upload.key === key) return id;
    throw new AwsError(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      404,
    );
  }

  #part(id: string, number: number): Promise<Buffer | undefined> {
    return readFile(join(this.#folder(id), String(number))).catch(() => undefined);
  }
}

function partNumber(text: string | null): number {
  const number = /^[1-9]\d{0,4}$/.test(text ?? '') ? Number(text) : 0;
  if (number >= 1 && number <= PARTS_MAX) return number;
  throw new AwsError('InvalidArgument', `Part number must be an integer between 1 and ${PARTS_MAX}, inclusive`);
}

function etagOf(content: Uint8Array): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}
