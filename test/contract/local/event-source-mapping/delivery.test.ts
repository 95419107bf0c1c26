import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Call } from '../../../../infra/local/protocol/service.ts';
import { items, type LambdaRecord, streamedTable, TableName } from '../../../given/local/streamed-table.ts';

let table: Awaited<ReturnType<typeof streamedTable>>;

beforeEach(async () => {
  table = await streamedTable();
});
afterEach(() => table.close());

describe('an event source mapping', () => {
  test('delivers every record in order, in batches of at most BatchSize', async () => {
    await table.put(...items(25));
    await table.start(() => null, { BatchSize: 10 }).idle();
    expect(table.invocations.map((it) => it.length)).toEqual([10, 10, 5]);
    expect(table.invocations.flat()).toEqual(items(25));
  });

  test("gives records the form of Lambda's event", async () => {
    let records: readonly LambdaRecord[] = [];
    const mapping = table.start((delivered) => {
      records = delivered;
    });
    await table.call('dynamodb', 'PutItem', {
      TableName,
      Item: { pk: { S: 'a' }, b: { B: 'AAH+/w==' }, n: { N: '1.5' } },
    });
    await mapping.idle();
    expect(records).toEqual([
      {
        eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventName: 'INSERT',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: 'us-east-1',
        dynamodb: {
          ApproximateCreationDateTime: expect.any(Number),
          Keys: { pk: { S: 'a' } },
          NewImage: { pk: { S: 'a' }, b: { B: 'AAH+/w==' }, n: { N: '1.5' } },
          SequenceNumber: expect.stringMatching(/^\d{21,40}$/),
          SizeBytes: 14,
          StreamViewType: 'NEW_AND_OLD_IMAGES',
        },
        eventSourceARN: table.streamArn,
      },
    ]);
  });

  test('delivers a write at once, without waiting for the next poll', async () => {
    const neverPolls = { pollMillis: 2 ** 31 - 1 };
    const mapping = table.start(() => null, {}, neverPolls);
    await mapping.idle();
    await table.put('a');
    await expect.poll(() => table.invocations.length, { interval: 1 }).toBe(1);
  });

  test('reads a stream without records some tens of times a second at most, however often writes wake it', async () => {
    const wakes: (() => void)[] = [];
    let reads = 0;
    const call: Call = (service, operation, input) => {
      reads += Number(operation === 'GetRecords');
      return table.call(service, operation, input);
    };
    const onWrite = (wake: () => void) => {
      wakes.push(wake);
      return () => undefined;
    };
    const mapping = table.start(() => null, {}, { call, onWrite });
    await mapping.idle();
    const [before, began] = [reads, performance.now()];
    while (performance.now() - began < 300) {
      for (const wake of wakes) wake();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(reads - before).toBeLessThanOrEqual(2 + (performance.now() - began) / 25);
  });

  test.each([
    ['faster than the function handles it', {}],
    [
      'all the time and the filter lets nothing through',
      { FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"pk":{"S":["before"]}}}}' }] } },
    ],
  ])('is idle in the end though the table is written to %s', async (_, input) => {
    const mapping = table.start(() => new Promise((resolve) => setTimeout(resolve, 50)), input);
    await table.put('before');
    let isOver = false;
    const writing = (async () => {
      for (let turn = 0; !isOver; turn += 1) await table.put(`item-${turn}`);
    })();
    await mapping.idle();
    expect(table.invocations.flat()).toContain('before');
    isOver = true;
    await writing;
  });

  test('waits for the batching window to fill a batch', async () => {
    const mapping = table.start(() => null, { MaximumBatchingWindowInSeconds: 1 });
    await table.put('a');
    await new Promise((resolve) => setTimeout(resolve, 400));
    await table.put('b');
    expect(table.invocations).toEqual([]);
    await mapping.idle();
    expect(table.invocations).toEqual([['a', 'b']]);
  });

  test('sends no more than 6 MB at once', async () => {
    const text = { S: 'x'.repeat(380_000) };
    for (const pk of items(20)) await table.call('dynamodb', 'PutItem', { TableName, Item: { pk: { S: pk }, text } });
    await table.start(() => null).idle();
    expect(table.invocations.map((it) => it.length)).toEqual([16, 4]);
    expect(table.invocations.flat()).toEqual(items(20));
  });

  test('delivers only what a filter lets through', async () => {
    const Pattern = JSON.stringify({ dynamodb: { Keys: { pk: { S: [{ prefix: 'label#' }] } } } });
    await table.put('fence#1', 'label#1', 'fence#2', 'label#2', 'fence#3');
    const mapping = table.start(() => null, { FilterCriteria: { Filters: [{ Pattern }] } });
    await mapping.idle();
    expect(table.invocations).toEqual([['label#1', 'label#2']]);
  });

  test('follows shards in the order of their lineage, and siblings side by side', async () => {
    // A stream of AWS splits its shards, which no local back end does: this one is played from a script.
    const shards = [
      { ShardId: 'left', ParentShardId: 'root' },
      { ShardId: 'right', ParentShardId: 'root' },
      { ShardId: 'root', ParentShardId: 'trimmed-long-ago' },
    ];
    const scripted: Call = async (_, operation, input) => {
      if (operation === 'DescribeStream') return { StreamDescription: { Shards: shards } };
      const { ShardId, ShardIterator = '' } = input as { ShardId?: string; ShardIterator?: string };
      if (operation === 'GetShardIterator') return { ShardIterator: `${ShardId}/0` };
      const [shard = '', page = ''] = ShardIterator.split('/');
      const SequenceNumber = `${shard === 'root' ? 9 : 10}${page.padStart(20, '0')}`;
      const Records = [
        {
          eventName: 'INSERT',
          dynamodb: {
            Keys: { pk: { S: `${shard}-${page}` } },
            SequenceNumber,
            ApproximateCreationDateTime: Date.now() / 1_000,
          },
        },
      ];
      return { Records, ...(page === '0' && { NextShardIterator: `${shard}/1` }) };
    };
    await table.start(() => null, { BatchSize: 1 }, { call: scripted }).idle();
    const delivered = table.invocations.flat();
    expect(delivered.slice(0, 2)).toEqual(['root-0', 'root-1']);
    expect(delivered.filter((it) => it.startsWith('left'))).toEqual(['left-0', 'left-1']);
    expect(delivered.filter((it) => it.startsWith('right'))).toEqual(['right-0', 'right-1']);
    expect(delivered).toHaveLength(6);
  });
});

describe('a configuration is refused', () => {
  test.each([
    ['ParallelizationFactor', { ParallelizationFactor: 2 as 1 }, /1 is the only value/],
    ['BatchSize', { BatchSize: 10_001 }, /BatchSize/],
    ['TumblingWindowInSeconds', { TumblingWindowInSeconds: 5 } as object, /TumblingWindowInSeconds/],
    [
      'a queue as destination',
      { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:0:q' } } },
      /S3 only/,
    ],
    ['a filter', { FilterCriteria: { Filters: [{ Pattern: '{"a":[{"numeric":["=",1]}]}' }] } }, /numeric operators/],
  ])('with its %s, by name', (_, input, message) => {
    expect(() => table.start(() => null, input)).toThrow(message);
  });
});
