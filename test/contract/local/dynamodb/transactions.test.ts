import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../../given/local/embedded-dynamodb.ts';

let dynamodb: Embedded;
let arn: string;
let tables = 0;
let TableName: string;

beforeAll(async () => {
  dynamodb = await openEmbedded();
});
afterAll(() => dynamodb.close());
beforeEach(async () => {
  tables += 1;
  TableName = `accounts-${tables}`;
  arn = await dynamodb.createTable(TableName);
});

const put = (pk: string, more: object = {}) => ({ Put: { TableName, Item: { pk: { S: pk }, ...more } } });
const isNew = { ConditionExpression: 'attribute_not_exists(pk)' };
const write = (...TransactItems: object[]) => dynamodb.run('TransactWriteItems', { TransactItems });
const putItem = (pk: string, more: object = {}) =>
  dynamodb.run('PutItem', { TableName, Item: { pk: { S: pk }, ...more } });

describe('TransactWriteItems', () => {
  test('carries out every action, each with its record on the stream, in order', async () => {
    await putItem('changed', { n: { N: '1' } });
    await putItem('gone');
    await putItem('looked at', { open: { BOOL: true } });
    await write(
      put('new'),
      {
        Update: {
          TableName,
          Key: { pk: { S: 'changed' } },
          UpdateExpression: 'ADD n :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
        },
      },
      { Delete: { TableName, Key: { pk: { S: 'gone' } } } },
      {
        ConditionCheck: {
          TableName,
          Key: { pk: { S: 'looked at' } },
          ConditionExpression: '#open = :yes',
          ExpressionAttributeNames: { '#open': 'open' },
          ExpressionAttributeValues: { ':yes': { BOOL: true } },
        },
      },
    );
    const records = (await dynamodb.recordsOf(arn)).slice(3);
    expect(records.map((it) => [it.eventName, it.dynamodb.Keys.pk?.S])).toEqual([
      ['INSERT', 'new'],
      ['MODIFY', 'changed'],
      ['REMOVE', 'gone'],
    ]);
    expect(records[1]?.dynamodb).toMatchObject({ OldImage: { n: { N: '1' } }, NewImage: { n: { N: '2' } } });
  });

  test('changes nothing when one condition fails, and gives a reason for every action', async () => {
    await putItem('taken', { owner: { S: 'a' } });
    const refused = { ...put('taken').Put, ...isNew, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
    await expect(write(put('first'), { Put: refused })).rejects.toMatchObject({
      code: 'TransactionCanceledException',
      status: 400,
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]',
      fields: {
        CancellationReasons: [
          { Code: 'None' },
          {
            Code: 'ConditionalCheckFailed',
            Message: 'The conditional request failed',
            Item: { pk: { S: 'taken' }, owner: { S: 'a' } },
          },
        ],
      },
    });
    expect(await dynamodb.get(TableName, 'first')).toBeUndefined();
    expect(await dynamodb.recordsOf(arn)).toHaveLength(1);
  });

  test('gives an update that cannot be applied as a reason', async () => {
    await putItem('text', { n: { S: 'one' } });
    const Update = {
      ...{ TableName, Key: { pk: { S: 'text' } }, UpdateExpression: 'ADD n :one' },
      ExpressionAttributeValues: { ':one': { N: '1' } },
    };
    await expect(write(put('other'), { Update })).rejects.toMatchObject({
      fields: { CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError' }] },
    });
  });

  test.each([
    ['two actions on one item', () => write(put('a'), put('a')), /multiple operations on one item/],
    ['101 actions', () => write(...Array.from({ length: 101 }, (_, n) => put(`${n}`))), /less than or equal to 100/],
    ['no action', () => write(), /greater than or equal to 1/],
    ['an action that is two', () => write({ ...put('a'), Delete: {} }), /Member must not be null|only contain one of/],
    [
      'more than 4 MB',
      () => write(...Array.from({ length: 12 }, (_, n) => put(`${n}`, { s: { S: 'x'.repeat(380_000) } }))),
      /exceed/,
    ],
  ])('refuses %s', async (_, run, message) => {
    await expect(run()).rejects.toMatchObject({
      code: 'ValidationException',
      status: 400,
      message: expect.stringMatching(message),
    });
    expect(await dynamodb.recordsOf(arn)).toEqual([]);
  });

  test('is carried out once for its token, whatever came between', async () => {
    const request = {
      ClientRequestToken: `token-${TableName}`,
      TransactItems: [
        {
          Update: {
            TableName,
            Key: { pk: { S: 'counter' } },
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          },
        },
      ],
    };
    await dynamodb.run('TransactWriteItems', request);
    await putItem('other');
    await dynamodb.run('TransactWriteItems', request);
    expect(await dynamodb.get(TableName, 'counter')).toMatchObject({ n: { N: '1' } });
    await expect(
      dynamodb.run('TransactWriteItems', { ...request, TransactItems: [put('counter')] }),
    ).rejects.toMatchObject({ code: 'IdempotentParameterMismatchException', status: 400 });
  });

  test('that was cancelled may be tried again with its token', async () => {
    await putItem('taken');
    const request = {
      ClientRequestToken: `retry-${TableName}`,
      TransactItems: [{ Put: { ...put('taken').Put, ...isNew } }],
    };
    await expect(dynamodb.run('TransactWriteItems', request)).rejects.toThrow(/cancelled/);
    await dynamodb.run('DeleteItem', { TableName, Key: { pk: { S: 'taken' } } });
    await dynamodb.run('TransactWriteItems', request);
    expect(await dynamodb.get(TableName, 'taken')).toBeDefined();
  });
});

describe('TransactGetItems', () => {
  test('answers in the order asked for, with nothing for an item that is not there', async () => {
    await putItem('a', { n: { N: '1' }, m: { N: '2' } });
    const get = (pk: string) => ({ Get: { TableName, Key: { pk: { S: pk } }, ProjectionExpression: 'n' } });
    const { Responses } = await dynamodb.run('TransactGetItems', { TransactItems: [get('none'), get('a')] });
    expect(Responses).toEqual([{}, { Item: { n: { N: '1' } } }]);
  });

  test('says of which get the key is wrong', async () => {
    const get = (Key: object) => ({ Get: { TableName, Key } });
    await expect(
      dynamodb.run('TransactGetItems', { TransactItems: [get({ pk: { S: 'a' } }), get({ other: { S: 'b' } })] }),
    ).rejects.toMatchObject({
      code: 'TransactionCanceledException',
      fields: { CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError' }] },
    });
  });
});
