import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { s3 } from '../../../infra/local/s3/s3.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { served } from '../../given/served.ts';

const faults = new Faults();
let dir: string;
let objects: ObjectStore;
let cloud: Awaited<ReturnType<typeof served>>;
let client: S3Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-s3-'));
  objects = new ObjectStore(dir);
  cloud = await served([s3({ objects }).service], faults);
  client = new S3Client(cloud.client);
});
beforeEach(async () => {
  await rm(join(dir, 'data'), { recursive: true, force: true });
  await objects.createBucket('data');
});
afterAll(async () => {
  await cloud.close();
  await rm(dir, { recursive: true });
});

const put = (Key: string, Body: string | Readable = 'x', more = {}) =>
  client.send(new PutObjectCommand({ Bucket: 'data', Key, Body, ...more }));
const read = async (Key: string, more = {}) =>
  (await client.send(new GetObjectCommand({ Bucket: 'data', Key, ...more }))).Body?.transformToString();

describe('objects', () => {
  test('an object is read back as it was put, with its type and metadata', async () => {
    const { ETag } = await put('a/b.csv', 'x,ü\n', { ContentType: 'text/csv', Metadata: { epoch: '3' } });
    expect(await read('a/b.csv')).toBe('x,ü\n');
    const head = await client.send(new HeadObjectCommand({ Bucket: 'data', Key: 'a/b.csv' }));
    expect(head).toMatchObject({ ETag, ContentLength: 5, ContentType: 'text/csv', Metadata: { epoch: '3' } });
    expect(await readFile(join(dir, 'data/a/b.csv'), 'utf8')).toBe('x,ü\n');
  });

  test('a streamed body, sent in chunks with a trailing checksum, arrives unchanged', async () => {
    const content = 'line of text\r\n0\r\n'.repeat(20_000);
    const body = Readable.from([content.slice(0, 70_001), content.slice(70_001)]);
    await put('streamed', body, { ContentLength: content.length });
    expect(await read('streamed')).toBe(content);
  });

  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'the checksum %s is checked',
    async (ChecksumAlgorithm) => {
      const header = `Checksum${ChecksumAlgorithm}`;
      const known = {
        CRC32: 'y/Q5Jg==',
        CRC32C: '4waSgw==',
        CRC64NVME: 'rosUhgp5mIg=',
        SHA1: '98O8HYCOBHMq32eZZczDTKeuNEE=',
        SHA256: 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=',
      }[ChecksumAlgorithm];
      await put('checked', '123456789', { [header]: known });
      await expect(put('checked', '123456780', { [header]: known })).rejects.toMatchObject({ name: 'BadDigest' });
      expect(await read('checked')).toBe('123456789');
    },
  );

  test('a range of bytes is answered with 206, one outside the object with InvalidRange', async () => {
    await put('r', '0123456789');
    expect(await read('r', { Range: 'bytes=2-4' })).toBe('234');
    expect(await read('r', { Range: 'bytes=7-' })).toBe('789');
    expect(await read('r', { Range: 'bytes=-2' })).toBe('89');
    const partial = await client.send(new GetObjectCommand({ Bucket: 'data', Key: 'r', Range: 'bytes=0-0' }));
    expect(partial).toMatchObject({ ContentRange: 'bytes 0-0/10', $metadata: { httpStatusCode: 206 } });
    await expect(read('r', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  test('If-None-Match * creates and does not overwrite', async () => {
    await put('once', 'first', { IfNoneMatch: '*' });
    await expect(put('once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await read('once')).toBe('first');
  });

  test('what is not there is NoSuchKey, NotFound for a HEAD, and may be deleted', async () => {
    await expect(read('none')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(client.send(new HeadObjectCommand({ Bucket: 'data', Key: 'none' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    await client.send(new DeleteObjectCommand({ Bucket: 'data', Key: 'none' }));
  });

  test('DeleteObjects deletes every key it names', async () => {
    await put('d/1&<>"', 'x');
    await put('d/2', 'x');
    const Objects = [{ Key: 'd/1&<>"' }, { Key: 'd/2' }, { Key: 'd/none' }];
    const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects } }));
    expect(Deleted).toEqual(Objects);
    expect(await objects.list('data', 'd/')).toEqual([]);
  });

  test('a folder that lost its last object does not stand in the way of an object of its name', async () => {
    await put('f/g/h');
    await client.send(new DeleteObjectCommand({ Bucket: 'data', Key: 'f/g/h' }));
    await put('f', 'file');
    expect(await read('f')).toBe('file');
  });

  test('a key that would leave the bucket is refused', async () => {
    await expect(put('a//b')).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(objects.put('data', '../x', 'x')).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});

describe('listings', () => {
  test('pages hold every key once, in the order of their bytes', async () => {
    const keys = ['a', 'b/1', 'b/2', 'b/ü +%', 'c', '\u{ff5e}', '\u{1f600}'];
    for (const key of keys) await put(key);
    const seen: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket: 'data' })) {
      seen.push(...(page.Contents ?? []).map((it) => it.Key));
    }
    expect(seen).toEqual(keys);
  });

  test('a delimiter folds keys into common prefixes, also across pages', async () => {
    for (const key of ['p/a', 'p/dt=1/x', 'p/dt=1/y', 'p/dt=2/x', 'q']) await put(key);
    const folded: (string | undefined)[] = [];
    const input = { Bucket: 'data', Prefix: 'p/', Delimiter: '/' };
    for await (const page of paginateListObjectsV2({ client, pageSize: 1 }, { ...input })) {
      folded.push(...(page.Contents ?? []).map((it) => it.Key), ...(page.CommonPrefixes ?? []).map((it) => it.Prefix));
    }
    expect(folded).toEqual(['p/a', 'p/dt=1/', 'p/dt=2/']);
    const { KeyCount, CommonPrefixes } = await client.send(new ListObjectsV2Command(input));
    expect(CommonPrefixes).toEqual([{ Prefix: 'p/dt=1/' }, { Prefix: 'p/dt=2/' }]);
    expect(KeyCount).toBe(3);
  });

  test('buckets are listed and asked for; an unknown one is NoSuchBucket', async () => {
    expect((await client.send(new ListBucketsCommand({}))).Buckets?.map((it) => it.Name)).toEqual(['data']);
    await client.send(new HeadBucketCommand({ Bucket: 'data' }));
    await expect(client.send(new ListObjectsV2Command({ Bucket: 'nope' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  test('the host may name the bucket', async () => {
    await put('k', 'by host');
    const { hostname, port } = new URL(cloud.endpoint);
    const answer = await new Promise<string>((resolve, reject) => {
      get({ hostname, port, path: '/k', headers: { host: `data.localhost:${port}` } }, (response) => {
        response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject);
      }).on('error', reject);
    });
    expect(answer).toBe('by host');
  });
});

describe('refusals', () => {
  test('what the local cloud does not do is refused, not ignored', async () => {
    await expect(put('k', 'x', { ACL: 'public-read' })).rejects.toMatchObject({ name: 'NotImplementedException' });
  });

  test('an injected fault has the shape of an S3 error', async () => {
    faults.inject({ service: 's3', operation: 'PutObject', kind: 'before', code: 'SlowDown', status: 503 });
    await expect(put('k')).rejects.toMatchObject({ name: 'SlowDown', $metadata: { httpStatusCode: 503 } });
  });
});
