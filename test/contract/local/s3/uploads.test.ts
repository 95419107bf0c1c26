import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { s3 } from '../../../../infra/local/s3/s3.ts';
import { ObjectStore } from '../../../../infra/local/storage/object-store.ts';
import { served } from '../../../given/served.ts';

const PART_BYTES = 5 * 1024 * 1024;

let dir: string;
let cloud: Awaited<ReturnType<typeof served>>;
let client: S3Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-uploads-'));
  cloud = await served([s3({ objects: new ObjectStore(dir) }).service]);
  client = new S3Client(cloud.client);
});
beforeEach(async () => {
  await rm(join(dir, 'data'), { recursive: true, force: true });
  await client.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(async () => {
  client.destroy();
  await cloud.close();
  await rm(dir, { recursive: true });
});

const at = (Key: string) => ({ Bucket: 'data', Key });
const read = async (Key: string) => (await client.send(new GetObjectCommand(at(Key)))).Body?.transformToString();

describe('an upload in parts', () => {
  const begin = async (Key: string) => {
    const { UploadId = '' } = await client.send(
      new CreateMultipartUploadCommand({ ...at(Key), ContentType: 'text/csv', Metadata: { epoch: '3' } }),
    );
    return UploadId;
  };
  const send = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer | string) => {
    const { ETag } = await client.send(new UploadPartCommand({ ...at(Key), UploadId, PartNumber, Body }));
    return { ETag, PartNumber };
  };
  const complete = (Key: string, UploadId: string, Parts: object[]) =>
    client.send(new CompleteMultipartUploadCommand({ ...at(Key), UploadId, MultipartUpload: { Parts } }));

  test('is the object of its parts in order, with the headers that it began with', async () => {
    const UploadId = await begin('big');
    const second = await send('big', UploadId, 2, 'end');
    const first = await send('big', UploadId, 1, Buffer.alloc(PART_BYTES, 'a'));
    expect((await client.send(new ListPartsCommand({ ...at('big'), UploadId }))).Parts).toMatchObject([
      { PartNumber: 1, Size: PART_BYTES },
      { PartNumber: 2, Size: 3 },
    ]);
    await expect(read('big')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await complete('big', UploadId, [first, second]);
    const head = await client.send(new HeadObjectCommand(at('big')));
    expect(head).toMatchObject({ ContentLength: PART_BYTES + 3, ContentType: 'text/csv', Metadata: { epoch: '3' } });
    expect((await read('big'))?.slice(-5)).toBe('aaend');
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket: 'data' }))).Uploads).toBeUndefined();
    await expect(send('big', UploadId, 3, 'late')).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('takes a part that is sent again in place of the one before', async () => {
    const UploadId = await begin('again');
    const before = await send('again', UploadId, 1, 'before');
    const after = await send('again', UploadId, 1, 'after');
    await expect(complete('again', UploadId, [before])).rejects.toMatchObject({ name: 'InvalidPart' });
    await complete('again', UploadId, [after]);
    expect(await read('again')).toBe('after');
  });

  test('is refused with parts out of order, missing, or too small', async () => {
    const UploadId = await begin('wrong');
    const parts = [await send('wrong', UploadId, 1, 'small'), await send('wrong', UploadId, 2, 'end')];
    await expect(complete('wrong', UploadId, parts)).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await expect(complete('wrong', UploadId, [...parts].reverse())).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete('wrong', UploadId, [{ ETag: '"0"', PartNumber: 9 }])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    await expect(send('wrong', UploadId, 10_001, 'x')).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(send('other', UploadId, 1, 'x')).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(send('wrong', '../../data', 1, 'x')).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('that is aborted leaves nothing', async () => {
    const UploadId = await begin('gone');
    await send('gone', UploadId, 1, 'x');
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'data' }));
    expect(Uploads).toContainEqual(expect.objectContaining({ Key: 'gone', UploadId }));
    await client.send(new AbortMultipartUploadCommand({ ...at('gone'), UploadId }));
    await expect(read('gone')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(client.send(new ListPartsCommand({ ...at('gone'), UploadId }))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
  });

  test('takes a part from a range of another object', async () => {
    await client.send(new PutObjectCommand({ ...at('source'), Body: '0123456789' }));
    const UploadId = await begin('copied');
    const copy = { ...at('copied'), UploadId, PartNumber: 1, CopySource: 'data/source', CopySourceRange: 'bytes=2-4' };
    const { CopyPartResult } = await client.send(new UploadPartCopyCommand(copy));
    await complete('copied', UploadId, [{ ETag: CopyPartResult?.ETag, PartNumber: 1 }]);
    expect(await read('copied')).toBe('234');
  });
});

describe('a copy', () => {
  beforeEach(async () => {
    await client.send(
      new PutObjectCommand({ ...at('from ü'), Body: 'x', ContentType: 'text/csv', Metadata: { a: '1' } }),
    );
  });

  test('has the content and the headers of its source, or headers of its own', async () => {
    const CopySource = `/data/${encodeURIComponent('from ü')}`;
    await client.send(new CopyObjectCommand({ ...at('to'), CopySource }));
    expect(await client.send(new HeadObjectCommand(at('to')))).toMatchObject({
      ContentType: 'text/csv',
      Metadata: { a: '1' },
    });
    await client.send(
      new CopyObjectCommand({ ...at('to'), CopySource, MetadataDirective: 'REPLACE', Metadata: { b: '2' } }),
    );
    expect((await client.send(new HeadObjectCommand(at('to')))).Metadata).toEqual({ b: '2' });
    expect(await read('to')).toBe('x');
  });

  test('of nothing, of another version, or onto itself is refused', async () => {
    const copy = (CopySource: string, Key = 'to') => client.send(new CopyObjectCommand({ ...at(Key), CopySource }));
    await expect(copy('data/none')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(copy('none/none')).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(copy('nothing')).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(copy('data/from%20%C3%BC?versionId=7')).rejects.toMatchObject({ name: 'NotImplementedException' });
    const changed = { ...at('to'), CopySource: 'data/from%20%C3%BC', CopySourceIfMatch: '"0"' };
    await expect(client.send(new CopyObjectCommand(changed))).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(copy('data/from%20%C3%BC', 'from ü')).rejects.toMatchObject({ name: 'InvalidRequest' });
  });
});

describe('a bucket', () => {
  test('is made, found with the time it was made, and deleted when it is empty', async () => {
    const Bucket = 'made-by-a-user';
    const before = Date.now();
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new CreateBucketCommand({ Bucket }));
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    const made = Buckets.find(({ Name }) => Name === Bucket)?.CreationDate?.getTime() ?? 0;
    expect(Math.abs(made - before)).toBeLessThan(60_000);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'x' }));
    await expect(client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await rm(join(dir, Bucket, 'a'), { recursive: true });
    await client.send(new DeleteBucketCommand({ Bucket }));
    await expect(client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test.each(['UPPER', 'a', 'a..b', '192.168.0.1', 'under_score', '-dash'])('%s is not made', async (Bucket) => {
    const answer = await fetch(`${cloud.endpoint}/${Bucket}`, { method: 'PUT' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('InvalidBucketName');
  });

  test('says where it is, that it has no versions, and how it is encrypted', async () => {
    const Bucket = 'data';
    expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
    expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
    const { ServerSideEncryptionConfiguration: encryption } = await client.send(
      new GetBucketEncryptionCommand({ Bucket }),
    );
    expect(encryption?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).toBe('AES256');
    await expect(client.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
    });
  });
});
