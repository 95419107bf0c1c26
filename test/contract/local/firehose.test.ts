import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import {
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  ListDeliveryStreamsCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
} from '@aws-sdk/client-firehose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { firehose } from '../../../infra/local/firehose/firehose.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { served } from '../../given/served.ts';

const faults = new Faults();
const slow = { bucket: 'data', prefix: 'log/', bufferSeconds: 900, bufferMB: 1 };
let dir: string;
let objects: ObjectStore;
let local: ReturnType<typeof firehose>;
let cloud: Awaited<ReturnType<typeof served>>;
let client: FirehoseClient;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-firehose-'));
  objects = new ObjectStore(dir);
  local = firehose({ objects, faults });
  cloud = await served([local.service], faults);
  client = new FirehoseClient(cloud.client);
});
beforeEach(async () => {
  await objects.createBucket('data');
});
afterEach(async () => {
  await rm(join(dir, 'data'), { recursive: true, force: true });
});
afterAll(async () => {
  await cloud.close();
  await rm(dir, { recursive: true });
});

const put = (DeliveryStreamName: string, ...texts: string[]) =>
  client.send(
    new PutRecordBatchCommand({ DeliveryStreamName, Records: texts.map((it) => ({ Data: Buffer.from(it) })) }),
  );
const contents = async () => {
  const files = await objects.list('data');
  return Promise.all(files.map(async (file) => (await objects.get('data', file.key)).toString()));
};

describe('delivery', () => {
  test('concatenates records as they are, in the order they were put', async () => {
    await local.createDeliveryStream({ ...slow, name: 'order' });
    await put('order', 'a,1\n', 'b,');
    await client.send(new PutRecordCommand({ DeliveryStreamName: 'order', Record: { Data: Buffer.from('ü') } }));
    await local.flush('order');
    expect(await contents()).toEqual(['a,1\nb,ü']);
    const [object] = await objects.list('data');
    expect(object?.key).toMatch(/^log\/\d{4}\/\d\d\/\d\d\/\d\d\/order-1-\d{4}(-\d\d){5}-[0-9a-f-]{36}$/);
  });

  test('comes when the buffer is old enough', async () => {
    await local.createDeliveryStream({ ...slow, name: 'time', bufferSeconds: 1 });
    await put('time', 'x');
    expect(await contents()).toEqual([]);
    await expect.poll(contents).toEqual(['x']);
  });

  test('comes at once when the buffer may be no seconds old', async () => {
    await local.createDeliveryStream({ ...slow, name: 'now', bufferSeconds: 0 });
    await put('now', 'x');
    await expect.poll(contents).toEqual(['x']);
  });

  test('comes when the buffer is full', async () => {
    await local.createDeliveryStream({ ...slow, name: 'size' });
    const half = 'x'.repeat(512 * 1024);
    await put('size', half);
    expect(await contents()).toEqual([]);
    await put('size', half);
    await expect.poll(async () => (await contents()).join('').length).toBe(1024 * 1024);
  });

  test('is compressed when the stream says so', async () => {
    await local.createDeliveryStream({ ...slow, name: 'gzip', compression: 'GZIP' });
    await put('gzip', 'x\n');
    await local.flush('gzip');
    const [object] = await objects.list('data');
    expect(object?.key).toMatch(/\.gz$/);
    expect(gunzipSync(await objects.get('data', object?.key ?? '')).toString()).toBe('x\n');
  });

  test('that fails loses nothing, and is tried again', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await local.createDeliveryStream({ ...slow, name: 'late', bucket: 'later' });
    await put('late', 'x');
    await expect(local.flush('late')).rejects.toMatchObject({ code: 'NoSuchBucket' });
    await objects.createBucket('later');
    await expect.poll(() => objects.list('later')).toHaveLength(1);
    vi.restoreAllMocks();
  });

  test('of what was buffered happens after a restart', async () => {
    const db = new DatabaseSync(':memory:');
    const before = firehose({ objects, db, faults });
    await before.createDeliveryStream({ ...slow, name: 'kept' });
    const { PutRecord } = before.service.operations ?? {};
    PutRecord?.(
      { DeliveryStreamName: 'kept', Record: { Data: Buffer.from('x').toString('base64') } } as never,
      undefined,
    );
    await before.close();
    expect(await contents()).toEqual([]);
    const after = firehose({ objects, db, faults });
    await after.createDeliveryStream({ ...slow, name: 'kept', bufferSeconds: 0 });
    await expect.poll(contents).toEqual(['x']);
    await after.close();
  });
});

describe('PutRecordBatch', () => {
  beforeEach(() => local.createDeliveryStream({ ...slow, name: 'batch' }));

  test('answers every record in its place', async () => {
    const { FailedPutCount, RequestResponses } = await put('batch', 'a', 'b');
    expect(FailedPutCount).toBe(0);
    expect(RequestResponses).toEqual([{ RecordId: expect.any(String) }, { RecordId: expect.any(String) }]);
    await local.flush('batch');
  });

  test('may fail for some records, with status 200', async () => {
    faults.inject({ service: 'firehose', operation: 'PutRecordBatch', kind: 'partial' });
    const { FailedPutCount, RequestResponses } = await put('batch', 'a', 'b', 'c');
    expect(FailedPutCount).toBe(2);
    expect(RequestResponses?.map((it) => it.ErrorCode)).toEqual([
      'ServiceUnavailableException',
      undefined,
      'ServiceUnavailableException',
    ]);
    await local.flush('batch');
    expect(await contents()).toEqual(['b']);
  });

  test('takes 500 records of 4 MiB in all and 1,000 KiB each, and no more', async () => {
    await put('batch', ...Array.from({ length: 500 }, () => 'x'));
    await put('batch', 'x'.repeat(1_024_000));
    await expect(put('batch', ...Array.from({ length: 501 }, () => 'x'))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(put('batch', 'x'.repeat(1_024_001))).rejects.toMatchObject({ name: 'ValidationException' });
    const fifth = 'x'.repeat(1_000_000);
    await expect(put('batch', fifth, fifth, fifth, fifth, fifth)).rejects.toMatchObject({
      name: 'InvalidArgumentException',
    });
    await expect(put('batch')).rejects.toMatchObject({ name: 'ValidationException' });
    await local.flush('batch');
    expect((await contents()).join('').length).toBe(500 + 1_024_000);
  });

  test('whose answer is lost has put the records', async () => {
    faults.inject({ service: 'firehose', operation: 'PutRecordBatch', kind: 'after' });
    await expect(put('batch', 'x')).rejects.toThrow();
    await local.flush('batch');
    expect(await contents()).toEqual(['x']);
  });
});

describe('streams', () => {
  test('that are not there are not found', async () => {
    await expect(put('none', 'x')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('are described', async () => {
    await local.createDeliveryStream({ ...slow, name: 'described' });
    const command = new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'described' });
    const { DeliveryStreamDescription } = await client.send(command);
    expect(DeliveryStreamDescription).toMatchObject({
      DeliveryStreamStatus: 'ACTIVE',
      Destinations: [{ ExtendedS3DestinationDescription: { Prefix: 'log/', BufferingHints: { SizeInMBs: 1 } } }],
    });
  });

  test('with a buffer outside the limits are refused', async () => {
    const create = (more: object) => local.createDeliveryStream({ ...slow, name: 'limits', ...more });
    await expect(create({ bufferSeconds: 901 })).rejects.toMatchObject({ code: 'InvalidArgumentException' });
    await expect(create({ bufferMB: 129 })).rejects.toMatchObject({ code: 'InvalidArgumentException' });
  });

  test('are listed by name, page by page', async () => {
    const first = await client.send(new ListDeliveryStreamsCommand({ Limit: 2 }));
    expect(first).toMatchObject({ HasMoreDeliveryStreams: true });
    const [, last = ''] = first.DeliveryStreamNames ?? [];
    const rest = await client.send(new ListDeliveryStreamsCommand({ ExclusiveStartDeliveryStreamName: last }));
    const names = [...(first.DeliveryStreamNames ?? []), ...(rest.DeliveryStreamNames ?? [])];
    expect(names).toEqual([...new Set(names)].sort());
    expect(rest.HasMoreDeliveryStreams).toBe(false);
  });
});
