import { createHash, randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { AwsError } from '../protocol/aws-error.ts';

/** An S3 object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** Quoted hexadecimal MD5 of the content. */
  readonly etag: string;
  readonly lastModified: Date;
}

export interface PutOptions {
  /** Headers given back with the object, such as content-type and x-amz-meta-*. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Refuses to overwrite: `If-None-Match: *`. */
  readonly isNew?: boolean;
  /** Overwrites only the object of this ETag: `If-Match`. */
  readonly ifMatch?: string | undefined;
}

/** Source: S3, object key names. */
const KEY_BYTES_MAX = 1_024;
/** Longest name in a folder on Linux and macOS. */
const NAME_BYTES_MAX = 255;
const PLACE_ATTEMPTS_MAX = 5;
/** Names beginning with a dot are not buckets: S3 allows none, and the store keeps its own things there. */
const UPLOADS = '.uploads';
const HEADERS = '.headers';

/**
 * S3's objects as files: `<root>/<bucket>/<key>`. Firehose, Athena and training write and read them here directly;
 * `s3.ts` serves them over the wire. A write is atomic (a temporary file renamed), as a PutObject is.
 */
export class ObjectStore {
  readonly root: string;
  /** ETags by the file they were computed from, so that a listing does not read every object again. */
  readonly #etags = new Map<string, { version: string; etag: string }>();

  constructor(root: string) {
    this.root = root;
  }

  async createBucket(bucket: string): Promise<void> {
    await mkdir(join(this.root, bucket), { recursive: true });
  }

  async hasBucket(bucket: string): Promise<boolean> {
    if (bucket === '' || bucket.startsWith('.') || bucket.includes('/') || bucket.includes(sep)) return false;
    return stat(join(this.root, bucket)).then(
      (it) => it.isDirectory(),
      () => false,
    );
  }

  async buckets(): Promise<string[]> {
    return (await readdir(this.root).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
  }

  /** @throws AwsError NoSuchBucket; PreconditionFailed for an existing object when a new one is asked for. */
  async put(bucket: string, key: string, body: string | Uint8Array, options: PutOptions = {}): Promise<StoredObject> {
    const file = await this.#file(bucket, key);
    const temporary = join(this.root, UPLOADS, randomUUID());
    await mkdir(dirname(temporary), { recursive: true });
    await writeFile(temporary, body);
    const written = await stat(temporary);
    try {
      if (options.ifMatch !== undefined) await this.#requireMatch(bucket, key, options.ifMatch);
      await place(temporary, file, options.isNew ? link : rename);
    } catch (error) {
      if (error instanceof AwsError) throw error;
      throw writeError(error as NodeJS.ErrnoException, key);
    } finally {
      await rm(temporary, { force: true });
    }
    this.#etags.set(file, { version: versionOf(written), etag: etagOf(body) });
    await this.#putHeaders(bucket, key, options.headers ?? {});
    return this.head(bucket, key);
  }

  /** @throws AwsError NoSuchKey; PreconditionFailed when the object is another. */
  async #requireMatch(bucket: string, key: string, etag: string): Promise<void> {
    const stored = await this.#describe(bucket, key);
    if (!stored) throw noSuchKey(bucket, key);
    if (etag === '*' || etag === stored.etag) return;
    throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);
  }

  /** @throws AwsError NoSuchKey */
  async get(bucket: string, key: string): Promise<Buffer> {
    const file = await this.#file(bucket, key);
    return readFile(file).catch(() => {
      throw noSuchKey(bucket, key);
    });
  }

  /** @throws AwsError NoSuchKey */
  async head(bucket: string, key: string): Promise<StoredObject> {
    await this.#file(bucket, key);
    const stored = await this.#describe(bucket, key);
    if (!stored) throw noSuchKey(bucket, key);
    return stored;
  }

  /** Headers an object was put with. */
  async headers(bucket: string, key: string): Promise<Record<string, string>> {
    const text = await readFile(this.#headersFile(bucket, key), 'utf8').catch(() => '{}');
    return JSON.parse(text);
  }

  async delete(bucket: string, key: string): Promise<void> {
    const file = await this.#file(bucket, key);
    const isObject = await stat(file).then(
      (it) => it.isFile(),
      () => false,
    );
    if (!isObject) return;
    await rm(file, { force: true });
    await rm(this.#headersFile(bucket, key), { force: true });
    this.#etags.delete(file);
    // S3 has no folders: one left empty would stand in the way of an object of its name.
    const root = join(this.root, bucket);
    for (let folder = dirname(file); folder !== root; folder = dirname(folder)) {
      const isRemoved = await rmdir(folder).then(
        () => true,
        () => false,
      );
      if (!isRemoved) return;
    }
  }

  /** Every object under a prefix, in the order of the keys' bytes. */
  async list(bucket: string, prefix = ''): Promise<StoredObject[]> {
    const root = await this.#bucketFolder(bucket);
    const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    // A prefix no key can have; it must not lead out of the bucket's folder either.
    if (parent !== '' && problemOf(parent.slice(0, -1))) return [];
    const entries = await readdir(join(root, parent), { recursive: true, withFileTypes: true }).catch(() => []);
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(root.length + 1)
          .split(sep)
          .join('/'),
      )
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const objects = await Promise.all(keys.map((key) => this.#describe(bucket, key)));
    return objects.filter((object) => object !== undefined);
  }

  /** Path of an object's file, for readers that take files. */
  path(bucket: string, key: string): string {
    return join(this.root, bucket, key);
  }

  /** `undefined` when there is no such object, as when it was deleted during a listing. */
  async #describe(bucket: string, key: string): Promise<StoredObject | undefined> {
    const file = this.path(bucket, key);
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    const version = versionOf(found);
    let known = this.#etags.get(file);
    if (known?.version !== version) {
      const content = await readFile(file).catch(() => undefined);
      if (!content) return undefined;
      known = { version, etag: etagOf(content) };
      this.#etags.set(file, known);
    }
    return { key, size: found.size, etag: known.etag, lastModified: found.mtime };
  }

  async #putHeaders(bucket: string, key: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const file = this.#headersFile(bucket, key);
    if (Object.keys(headers).length === 0) return rm(file, { force: true });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(headers));
  }

  #headersFile(bucket: string, key: string): string {
    return join(this.root, HEADERS, bucket, createHash('sha256').update(key).digest('hex'));
  }

  async #bucketFolder(bucket: string): Promise<string> {
    if (await this.hasBucket(bucket)) return resolve(this.root, bucket);
    throw new AwsError('NoSuchBucket', `The specified bucket does not exist: ${bucket}`, 404, { BucketName: bucket });
  }

  async #file(bucket: string, key: string): Promise<string> {
    const folder = await this.#bucketFolder(bucket);
    const problem = problemOf(key);
    if (problem) throw new AwsError('InvalidArgument', `The local cloud does not take the key ${key}: ${problem}`);
    return join(folder, key);
  }
}

/** Moves a finished file to its place. A deletion meanwhile may take away the folder it goes to: then once more. */
async function place(from: string, to: string, move: (from: string, to: string) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(dirname(to), { recursive: true });
    try {
      return await move(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === PLACE_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Tells contents of a file apart without reading them: every put makes a new file, which a rename keeps. */
function versionOf(file: Stats): string {
  return `${file.ino} ${file.size} ${file.mtimeMs}`;
}

function etagOf(content: string | Uint8Array): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}

/** Why a key that S3 would take cannot be a file. `undefined` when it can. */
function problemOf(key: string): string | undefined {
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `it exceeds ${KEY_BYTES_MAX} bytes`;
  if (key.includes('\0')) return 'it has a zero byte';
  for (const name of key.split('/')) {
    if (name === '') return 'a part of it between slashes is empty';
    if (name === '.' || name === '..') return `"${name}" would be another folder`;
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `a part of it exceeds ${NAME_BYTES_MAX} bytes`;
  }
  return undefined;
}

function writeError(error: NodeJS.ErrnoException, key: string): Error {
  if (error.code === 'EEXIST') {
    return new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
      Condition: 'If-None-Match',
    });
  }
  if (error.code === 'ENOTDIR' || error.code === 'EISDIR' || error.code === 'ENOTEMPTY') {
    return new AwsError(
      'InvalidArgument',
      `The local cloud keeps objects as files, and ${key} would be file and folder`,
    );
  }
  return error;
}

function noSuchKey(bucket: string, key: string): AwsError {
  return new AwsError('NoSuchKey', `The specified key does not exist: s3://${bucket}/${key}`, 404, { Key: key });
}
