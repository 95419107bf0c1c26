import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { errorCode } from '../calls/failure.ts';
import { listKeys } from '../calls/list-keys.ts';

/** Where files of history lie: a bucket, or a folder that one was copied into. Keys have `/` between their parts. */
export interface Place {
  /** A key as messages name it, such as `s3://bucket/key`. */
  nameOf(key: string): string;
  /** The bytes of an object from its beginning; undefined when there is none of that key. */
  open(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Keys that begin with a prefix, in no order that could be relied upon. */
  keys(prefix: string): AsyncIterable<string>;
}

/** A bucket. */
export function bucketPlace(s3: Pick<S3Client, 'send'>, bucket: string): Place {
  return {
    nameOf: (key) => `s3://${bucket}/${key}`,
    async open(key) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Body as Readable | undefined;
      } catch (error) {
        if (errorCode(error) === 'NoSuchKey') return undefined;
        throw error;
      }
    },
    keys: (prefix) => listKeys(s3, bucket, prefix),
  };
}

/** What the file system says of a path that leads to no file. */
const NO_FILE = new Set(['ENOENT', 'ENOTDIR']);

/** A folder, which takes the place of a bucket's root. */
export function folderPlace(folder: string): Place {
  const pathOf = (key: string) => join(folder, ...key.split('/'));
  return {
    nameOf: pathOf,
    async open(key) {
      const stream = createReadStream(pathOf(key), { highWaterMark: 256 * 1024 });
      return new Promise((resolve, reject) => {
        stream.once('ready', () => resolve(stream));
        stream.once('error', (error: NodeJS.ErrnoException) =>
          NO_FILE.has(error.code ?? '') ? resolve(undefined) : reject(error),
        );
      });
    },
    async *keys(prefix) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      for (const entry of entries) {
        const key = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/');
        if (entry.isFile() && key.startsWith(prefix)) yield key;
      }
    },
  };
}

/** All bytes of a small object, such as a manifest; undefined when there is none. */
export async function readWhole(place: Place, key: string): Promise<Buffer | undefined> {
  const bytes = await place.open(key);
  if (bytes === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
