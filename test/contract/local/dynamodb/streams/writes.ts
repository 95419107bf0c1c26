import { BatchWriteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { expect } from 'vitest';
import { pkOf, type StreamsUnderTest, sequenceNumberOf } from '../../../../given/local/streams-under-test.ts';

/** What a write puts on the stream. */
export function rulesOfWrites({ rule, table, send, recordsOf }: StreamsUnderTest): void {
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
      send(
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
    await send(
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
    const refused = send(
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
    await send(new BatchWriteItemCommand({ RequestItems }));
    const records = (await recordsOf(StreamArn)).slice(2);
    expect(records.filter((it) => it.eventName === 'REMOVE').map(pkOf)).toEqual(['deleted']);
    const inserted = records.filter((it) => it.eventName === 'INSERT').map(pkOf);
    expect(inserted.sort()).toEqual(Array.from({ length: 20 }, (_, n) => `new-${n}`).sort());
    expect(records).toHaveLength(21);
  });
}
