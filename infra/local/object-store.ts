import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { AwsError } from './aws-error.ts';

/** An S3 object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** Quoted hexadecimal MD5 of the content. */
  readonly etag: string;
  readonly lastModified: Date;
}

/**
 * S3's objects as files: `<root>/<bucket>/<key>`. Firehose, Athena and training write and read them here directly;
 * `s3.ts` serves them over the wire. A write is atomic (a temporary file renamed), as a PutObject is.
 */
export class ObjectStore {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  async createBucket(bucket: string): Promise<void> {
    await mkdir(join(this.root, bucket), { recursive: true });
  }

  async hasBucket(bucket: string): Promise<boolean> {
    return stat(join(this.root, bucket)).then(
      (it) => it.isDirectory(),
      () => false,
    );
  }

  async buckets(): Promise<string[]> {
    return (await readdir(this.root).catch(() => [])).sort();
  }

  async put(bucket: string, key: string, body: string | Uint8Array): Promise<StoredObject> {
    const file = await this.#file(bucket, key);
    const temporary = join(this.root, '.uploads', createHash('sha256').update(`${file}${Math.random()}`).digest('hex'));
    await mkdir(dirname(temporary), { recursive: true });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, body);
    await rename(temporary, file);
    return this.#describe(bucket, key);
  }

  /** @throws AwsError NoSuchKey */
  async get(bucket: string, key: string): Promise<Buffer> {
    const file = await this.#file(bucket, key);
    return readFile(file).catch(() => {
      throw new AwsError('NoSuchKey', `The specified key does not exist: s3://${bucket}/${key}`, 404, { Key: key });
    });
  }

  async delete(bucket: string, key: string): Promise<void> {
    await rm(await this.#file(bucket, key), { force: true });
  }

  /** Every object under a prefix, in key order. */
  async list(bucket: string, prefix = ''): Promise<StoredObject[]> {
    const folder = await this.#file(bucket, '');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(folder.length + 1)
          .split(sep)
          .join('/'),
      )
      .filter((key) => key.startsWith(prefix))
      .sort();
    return Promise.all(keys.map((key) => this.#describe(bucket, key)));
  }

  /** Path of an object's file, for readers that take files (DuckDB). */
  path(bucket: string, key: string): string {
    return join(this.root, bucket, key);
  }

  async #describe(bucket: string, key: string): Promise<StoredObject> {
    const file = await this.#file(bucket, key);
    const [{ size, mtime }, content] = await Promise.all([stat(file), readFile(file)]);
    return { key, size, etag: `"${createHash('md5').update(content).digest('hex')}"`, lastModified: mtime };
  }

  async #file(bucket: string, key: string): Promise<string> {
    if (!(await this.hasBucket(bucket))) {
      throw new AwsError('NoSuchBucket', `The specified bucket does not exist: ${bucket}`, 404, { BucketName: bucket });
    }
    const folder = resolve(this.root, bucket);
    const file = resolve(folder, key);
    // A key such as `../x` is legal in S3 but would leave the bucket's folder here.
    if (file !== folder && !file.startsWith(folder + sep)) {
      throw new AwsError('InvalidArgument', `The local cloud does not take the key ${key}`, 400);
    }
    return file;
  }
}
