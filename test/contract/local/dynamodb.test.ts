import type { Server } from 'node:http';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type StreamViewType,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type _Record,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DynamoDbBackEnd } from '../../../infra/local/dynamodb/back-end.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { serve } from '../../../infra/local/protocol/server.ts';
import { type BackEndUnderTest, backEnds } from '../../given/dynamodb-back-ends.ts';

/** What DynamoDB documents of its streams, held against every back end through real SDK clients. */
for (const backEnd of backEnds) {
  if (backEnd.missing)
    console.warn(`SKIPPED: the contract of DynamoDB streams against ${backEnd.name}: ${backEnd.missing}`);
  const title = backEnd.missing ? `${backEnd.name} (SKIPPED: ${backEnd.missing})` : backEnd.name;
  describe.skipIf(backEnd.missing)(`DynamoDB streams: ${title}`, () => contract(backEnd));
}

function contract({ open, deviations }: BackEndUnderTest): void {
  let opened: DynamoDbBackEnd;
  let server: Server;
  let dynamodb: DynamoDBClient;
  let streams: DynamoDBStreamsClient;
  let tables = 0;

  beforeAll(async () => {
    opened = await open();
    const served = await serve(opened.services, new Faults(), 0);
    server = served.server;
    const client = {
      endpoint: `http://127.0.0.1:${served.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    };
    dynamodb = new DynamoDBClient(client);
    streams = new DynamoDBStreamsClient(client);
  });
  afterAll(async () => {
    dynamodb?.destroy();
    streams?.destroy();
    server?.closeAllConnections();
    server?.close();
    await opened?.close();
  });

  /** A rule of the contract. Where a back end is known not to keep it the test says so, and fails once it does keep it. */
  function rule(title: string, run: () => Promise<void>): void {
    if (deviations.includes(title)) test.fails(`KNOWN DEVIATION: ${title}`, run);
    else test(title, run);
  }

  async function table(viewType: StreamViewType = 'NEW_AND_OLD_IMAGES') {
    tables += 1;
    const TableName = `contract-${viewType}-${tables}`;
    const { TableDescription } = await dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: viewType },
      }),
    );
    const StreamArn = TableDescription?.LatestStreamArn ?? '';
    return {
      TableName,
      StreamArn,
      put: (pk: string, attributes: Record<string, AttributeValue> = {}) =>
        dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, ...attributes } })),
      remove: (pk: string) => dynamodb.send(new DeleteItemCommand({ TableName, Key: { pk: { S: pk } } })),
    };
  }

  async function shardsOf(StreamArn: string): Promise<Shard[]> {
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    return StreamDescription?.Shards ?? [];
  }

  async function iteratorOf(
    StreamArn: string,
    ShardIteratorType: 'TRIM_HORIZON' | 'LATEST' | 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER',
    SequenceNumber?: string,
  ) {
    const [shard] = await shardsOf(StreamArn);
    const where = { StreamArn, ShardId: shard?.ShardId, ShardIteratorType, SequenceNumber };
    return (await streams.send(new GetShardIteratorCommand(where))).ShardIterator;
  }

  async function read(ShardIterator: string | undefined, Limit?: number): Promise<GetRecordsCommandOutput> {
    return streams.send(new GetRecordsCommand({ ShardIterator, Limit }));
  }

  async function recordsOf(StreamArn: string): Promise<_Record[]> {
    const records: _Record[] = [];
    let iterator = await iteratorOf(StreamArn, 'TRIM_HORIZON');
    while (iterator) {
      const page = await read(iterator);
      if (!page.Records?.length) break;
      records.push(...page.Records);
      iterator = page.NextShardIterator;
    }
    return records;
  }

  const pkOf = (record: _Record | undefined) => record?.dynamodb?.Keys?.pk?.S;
  const sequenceNumberOf = (record: _Record | undefined) => BigInt(record?.dynamodb?.SequenceNumber ?? -1);

  rule('a table says where its stream is, and the stream whose it is', async () => {
    const { TableName, StreamArn } = await table('NEW_IMAGE');
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      LatestStreamArn: StreamArn,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    });
    expect(StreamArn.endsWith(`${TableName}/stream/${Table?.LatestStreamLabel}`)).toBe(true);
    const { Streams } = await streams.send(new ListStreamsCommand({ TableName }));
    expect(Streams).toMatchObject([{ StreamArn, TableName }]);
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    expect(StreamDescription).toMatchObject({ StreamStatus: 'ENABLED', StreamViewType: 'NEW_IMAGE', TableName });
    expect(StreamDescription?.KeySchema).toEqual([{ AttributeName: 'pk', KeyType: 'HASH' }]);
  });

  rule('insert, modify and remove carry the images before and after', async () => {
    const { StreamArn, put, remove } = await table();
    await put('a', { n: { N: '1' } });
    await put('a', { n: { N: '2' } });
    await remove('a');
    const records = await recordsOf(StreamArn);
    expect(records.map((it) => it.eventName)).toEqual(['INSERT', 'MODIFY', 'REMOVE']);
    const first = { pk: { S: 'a' }, n: { N: '1' } };
    const second = { pk: { S: 'a' }, n: { N: '2' } };
    expect(records.map((it) => [it.dynamodb?.OldImage, it.dynamodb?.NewImage])).toEqual([
      [undefined, first],
      [first, second],
      [second, undefined],
    ]);
    expect(records.map((it) => it.dynamodb?.Keys)).toEqual(records.map(() => ({ pk: { S: 'a' } })));
    expect(new Set(records.map((it) => it.eventID)).size).toBe(3);
  });

  rule('an update carries the images before and after, whatever it returns to its caller', async () => {
    const { TableName, StreamArn } = await table();
    const update = (value: string, ReturnValues: 'NONE' | 'UPDATED_NEW') =>
      dynamodb.send(
        new UpdateItemCommand({
          TableName,
          Key: { pk: { S: 'a' } },
          UpdateExpression: 'SET v = :v REMOVE gone',
          ExpressionAttributeValues: { ':v': { S: value } },
          ReturnValues,
        }),
      );
    expect((await update('1', 'NONE')).Attributes).toBeUndefined();
    expect((await update('2', 'UPDATED_NEW')).Attributes).toEqual({ v: { S: '2' } });
    const records = await recordsOf(StreamArn);
    expect(records.map((it) => [it.eventName, it.dynamodb?.NewImage?.v?.S])).toEqual([
      ['INSERT', '1'],
      ['MODIFY', '2'],
    ]);
  });

  for (const [viewType, hasNew, hasOld] of [
    ['NEW_AND_OLD_IMAGES', true, true],
    ['NEW_IMAGE', true, false],
    ['OLD_IMAGE', false, true],
    ['KEYS_ONLY', false, false],
  ] as const) {
    rule(`a stream of ${viewType} carries no more than that`, async () => {
      const { StreamArn, put } = await table(viewType);
      await put('a', { n: { N: '1' } });
      await put('a', { n: { N: '2' } });
      const [, modify] = await recordsOf(StreamArn);
      expect(modify?.dynamodb?.StreamViewType).toBe(viewType);
      expect(modify?.dynamodb?.NewImage !== undefined).toBe(hasNew);
      expect(modify?.dynamodb?.OldImage !== undefined).toBe(hasOld);
      expect(pkOf(modify)).toBe('a');
    });
  }

  rule('a write that changes nothing puts no record on the stream', async () => {
    const { TableName, StreamArn, put, remove } = await table();
    const Key = { pk: { S: 'a' } };
    await put('a', { n: { N: '1.50' }, s: { SS: ['x', 'y'] } });
    await put('a', { s: { SS: ['y', 'x'] }, n: { N: '1.5' } });
    await dynamodb.send(
      new UpdateItemCommand({
        TableName,
        Key,
        UpdateExpression: 'SET n = :n',
        ExpressionAttributeValues: { ':n': { N: '1.5' } },
      }),
    );
    await remove('absent');
    expect((await recordsOf(StreamArn)).map((it) => it.eventName)).toEqual(['INSERT']);
  });

  rule('a write whose condition fails puts no record on the stream', async () => {
    const { TableName, StreamArn, put } = await table();
    await put('a', { n: { N: '1' } });
    const refused = dynamodb.send(
      new PutItemCommand({
        TableName,
        Item: { pk: { S: 'a' } },
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    await expect(refused).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { pk: { S: 'a' }, n: { N: '1' } },
    });
    expect(await recordsOf(StreamArn)).toHaveLength(1);
  });

  rule('records of an item come in the order of its writes', async () => {
    const { StreamArn, put } = await table();
    for (let n = 0; n < 20; n += 1) await Promise.all(['a', 'b', 'c'].map((pk) => put(pk, { n: { N: String(n) } })));
    const records = await recordsOf(StreamArn);
    for (const pk of ['a', 'b', 'c']) {
      const values = records.filter((it) => pkOf(it) === pk).map((it) => Number(it.dynamodb?.NewImage?.n?.N));
      expect(values).toEqual(Array.from({ length: 20 }, (_, n) => n));
    }
  });

  rule('concurrent writes to one item chain: each before-image is the previous after-image', async () => {
    const { StreamArn, put } = await table();
    await Promise.all(Array.from({ length: 30 }, (_, n) => put('a', { n: { N: String(n) } })));
    const records = await recordsOf(StreamArn);
    expect(records).toHaveLength(30);
    expect(records.slice(1).map((it) => it.dynamodb?.OldImage)).toEqual(
      records.slice(0, -1).map((it) => it.dynamodb?.NewImage),
    );
  });

  rule('sequence numbers are digits, 21 to 40 of them, and grow', async () => {
    const { StreamArn, put } = await table();
    for (let n = 0; n < 12; n += 1) await put(`item-${n}`);
    const records = await recordsOf(StreamArn);
    for (const record of records) expect(record.dynamodb?.SequenceNumber).toMatch(/^\d{21,40}$/);
    const numbers = records.map(sequenceNumberOf);
    expect(numbers).toEqual([...numbers].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(numbers).size).toBe(12);
  });

  rule('times are whole seconds, within the write, and the same when read again', async () => {
    const { StreamArn, put } = await table();
    const before = Math.floor(Date.now() / 1_000);
    await put('a');
    const [record] = await recordsOf(StreamArn);
    const time = record?.dynamodb?.ApproximateCreationDateTime;
    const seconds = (time?.getTime() ?? 0) / 1_000;
    expect(Number.isInteger(seconds)).toBe(true);
    expect(seconds).toBeGreaterThanOrEqual(before);
    expect(seconds).toBeLessThanOrEqual(Date.now() / 1_000);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const [again] = await recordsOf(StreamArn);
    expect(again?.dynamodb?.ApproximateCreationDateTime).toEqual(time);
  });

  rule('a batch write puts one record on the stream for each item it changed', async () => {
    const { TableName, StreamArn, put } = await table();
    await put('kept', { n: { N: '1' } });
    await put('deleted');
    const RequestItems = {
      [TableName]: [
        { PutRequest: { Item: { pk: { S: 'kept' }, n: { N: '1' } } } },
        { DeleteRequest: { Key: { pk: { S: 'deleted' } } } },
        { DeleteRequest: { Key: { pk: { S: 'absent' } } } },
        ...Array.from({ length: 20 }, (_, n) => ({ PutRequest: { Item: { pk: { S: `new-${n}` } } } })),
      ],
    };
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
    const records = (await recordsOf(StreamArn)).slice(2);
    expect(records.filter((it) => it.eventName === 'REMOVE').map(pkOf)).toEqual(['deleted']);
    const inserted = records.filter((it) => it.eventName === 'INSERT').map(pkOf);
    expect(inserted.sort()).toEqual(Array.from({ length: 20 }, (_, n) => `new-${n}`).sort());
    expect(records).toHaveLength(21);
  });

  rule('an iterator begins where its type says', async () => {
    const { StreamArn, put } = await table();
    for (const pk of ['a', 'b', 'c']) await put(pk);
    const latest = await iteratorOf(StreamArn, 'LATEST');
    const second = (await recordsOf(StreamArn))[1]?.dynamodb?.SequenceNumber;
    await put('d');
    const from = async (iterator: string | undefined) => (await read(iterator)).Records?.map(pkOf);
    expect(await from(await iteratorOf(StreamArn, 'TRIM_HORIZON'))).toEqual(['a', 'b', 'c', 'd']);
    expect(await from(await iteratorOf(StreamArn, 'AT_SEQUENCE_NUMBER', second))).toEqual(['b', 'c', 'd']);
    expect(await from(await iteratorOf(StreamArn, 'AFTER_SEQUENCE_NUMBER', second))).toEqual(['c', 'd']);
    expect(await from(latest)).toEqual(['d']);
  });

  rule('records are read in pages, and an open shard goes on', async () => {
    const { StreamArn, put } = await table();
    for (let n = 0; n < 5; n += 1) await put(`item-${n}`);
    const first = await read(await iteratorOf(StreamArn, 'TRIM_HORIZON'), 3);
    const second = await read(first.NextShardIterator, 3);
    const empty = await read(second.NextShardIterator, 3);
    expect([first, second, empty].map((it) => it.Records?.length)).toEqual([3, 2, 0]);
    await put('late');
    expect((await read(empty.NextShardIterator)).Records?.map(pkOf)).toEqual(['late']);
  });

  rule('a page holds at most 1 MB', async () => {
    const { StreamArn, put } = await table('NEW_IMAGE');
    for (let n = 0; n < 4; n += 1) await put(`item-${n}`, { text: { S: 'x'.repeat(390_000) } });
    const page = await read(await iteratorOf(StreamArn, 'TRIM_HORIZON'));
    expect(page.Records?.length).toBeGreaterThan(0);
    expect(page.Records?.length).toBeLessThan(4);
    expect(await recordsOf(StreamArn)).toHaveLength(4);
  });

  rule('numbers keep their 38 digits', async () => {
    const { StreamArn, put } = await table();
    const exact = ['12345678901234567890123456789012345678', '0.1234567890123456789012345678901234567', '-1.5'];
    for (const [index, N] of exact.entries()) await put(`item-${index}`, { n: { N } });
    expect((await recordsOf(StreamArn)).map((it) => it.dynamodb?.NewImage?.n?.N)).toEqual(exact);
  });

  rule('trailing zeros of a number are not kept', async () => {
    const { TableName, StreamArn, put } = await table();
    await put('a', { n: { N: '1.50' } });
    const [record] = await recordsOf(StreamArn);
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' } } }));
    expect([record?.dynamodb?.NewImage?.n?.N, Item?.n?.N]).toEqual(['1.5', '1.5']);
  });

  rule('binary, sets, lists, maps, null and empty strings come through', async () => {
    const { StreamArn, put } = await table();
    const attributes: Record<string, AttributeValue> = {
      b: { B: new Uint8Array([0, 1, 254, 255]) },
      bs: { BS: [new Uint8Array([1])] },
      ns: { NS: ['1'] },
      l: { L: [{ S: 'x' }, { BOOL: false }, { M: { deep: { N: '1' } } }] },
      m: { M: { 'odd key.': { NULL: true } } },
      e: { S: '' },
    };
    await put('a', attributes);
    const [record] = await recordsOf(StreamArn);
    expect(record?.dynamodb?.NewImage).toEqual({ pk: { S: 'a' }, ...attributes });
  });

  rule('the stream of another table is another stream', async () => {
    const [one, two] = [await table(), await table()];
    await one.put('a');
    await two.put('b');
    expect((await recordsOf(one.StreamArn)).map(pkOf)).toEqual(['a']);
    expect((await recordsOf(two.StreamArn)).map(pkOf)).toEqual(['b']);
  });

  rule('a stream cannot be enabled twice, and one enabled anew is another stream', async () => {
    const { TableName, StreamArn, put } = await table();
    const update = (StreamSpecification: { StreamEnabled: boolean; StreamViewType?: StreamViewType }) =>
      dynamodb.send(new UpdateTableCommand({ TableName, StreamSpecification }));
    await expect(update({ StreamEnabled: true, StreamViewType: 'KEYS_ONLY' })).rejects.toThrow(
      /already has an enabled/,
    );
    await put('a');
    await update({ StreamEnabled: false });
    await put('unseen');
    const { TableDescription } = await update({ StreamEnabled: true, StreamViewType: 'KEYS_ONLY' });
    await put('b');
    const renewed = TableDescription?.LatestStreamArn ?? '';
    expect(renewed).not.toBe(StreamArn);
    expect((await recordsOf(renewed)).map(pkOf)).toEqual(['b']);
  });

  rule('the shard of a deleted table is closed, and can still be read', async () => {
    const { TableName, StreamArn, put } = await table();
    await put('a');
    await dynamodb.send(new DeleteTableCommand({ TableName }));
    const [shard] = await shardsOf(StreamArn);
    expect(shard?.SequenceNumberRange?.EndingSequenceNumber).toBeDefined();
    const page = await read(await iteratorOf(StreamArn, 'TRIM_HORIZON'));
    expect(page.Records?.map(pkOf)).toEqual(['a']);
    expect(page.NextShardIterator ?? undefined).toBeUndefined();
  });

  rule('a stream or shard that is not there is said to be not found', async () => {
    const { StreamArn } = await table();
    const missing = StreamArn.replace(/\d{4}-.*$/, '1999-01-01T00:00:00.000');
    const notFound = { name: 'ResourceNotFoundException' };
    await expect(streams.send(new DescribeStreamCommand({ StreamArn: missing }))).rejects.toMatchObject(notFound);
    const where = { StreamArn, ShardId: 'shardId-00000000000000000000-00000000', ShardIteratorType: 'LATEST' as const };
    await expect(streams.send(new GetShardIteratorCommand(where))).rejects.toMatchObject(notFound);
  });
}
