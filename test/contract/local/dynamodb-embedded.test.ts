import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DynamoDbBackEnd } from '../../../infra/local/dynamodb/back-end.ts';
import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../../infra/local/protocol/server.ts';
import type { Call } from '../../../infra/local/protocol/service.ts';
import { served } from '../../given/served.ts';

interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: { readonly SequenceNumber: string; readonly Keys: Record<string, unknown> };
  readonly userIdentity?: object;
}

let dir: string;
let backEnd: DynamoDbBackEnd;
let call: Call;

async function open(): Promise<void> {
  backEnd = await embeddedDynamoDb({ dir, expiryMillis: 50 });
  call = callInProcess(backEnd.services, new Faults());
}
const close = () => backEnd.close();

/** Changes the database while nobody has it open. */
async function meanwhile(change: (db: DatabaseSync) => void): Promise<void> {
  await close();
  const db = new DatabaseSync(join(dir, 'dynamodb', 'dynamodb.sqlite'));
  change(db);
  db.close();
  await open();
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dynamodb-'));
  await open();
});
afterEach(async () => {
  await close();
  await rm(dir, { recursive: true });
});

const TableName = 'things';

async function createTable(more: object = {}): Promise<string> {
  const { TableDescription } = (await call('dynamodb', 'CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    ...more,
  })) as { TableDescription: { LatestStreamArn: string } };
  return TableDescription.LatestStreamArn;
}
const put = (pk: string, more: object = {}) =>
  call('dynamodb', 'PutItem', { TableName, Item: { pk: { S: pk }, ...more } });

async function iteratorOf(StreamArn: string, position: object = { ShardIteratorType: 'TRIM_HORIZON' }) {
  const { StreamDescription } = (await call('dynamodbstreams', 'DescribeStream', { StreamArn })) as {
    StreamDescription: { Shards: { ShardId: string }[] };
  };
  const where = { StreamArn, ShardId: StreamDescription.Shards[0]?.ShardId, ...position };
  const { ShardIterator } = (await call('dynamodbstreams', 'GetShardIterator', where)) as { ShardIterator: string };
  return ShardIterator;
}
async function recordsOf(StreamArn: string): Promise<StreamRecord[]> {
  const answer = await call('dynamodbstreams', 'GetRecords', { ShardIterator: await iteratorOf(StreamArn) });
  return (answer as { Records: StreamRecord[] }).Records;
}

describe('the embedded DynamoDB', () => {
  test('keeps items, streams and iterators over a restart, and numbers go on growing', async () => {
    const arn = await createTable();
    await put('a');
    const [first] = await recordsOf(arn);
    const iterator = await iteratorOf(arn, { ShardIteratorType: 'LATEST' });
    await close();
    await open();
    await put('b');
    const records = await recordsOf(arn);
    expect(records.map((it) => it.dynamodb.Keys)).toEqual([{ pk: { S: 'a' } }, { pk: { S: 'b' } }]);
    expect(records[0]).toEqual(first);
    const [one = 0n, two = 0n] = records.map((it) => BigInt(it.dynamodb.SequenceNumber));
    expect(two > one).toBe(true);
    const later = (await call('dynamodbstreams', 'GetRecords', { ShardIterator: iterator })) as { Records: unknown[] };
    expect(later.Records).toHaveLength(1);
  });

  test('deletes expired items, and says on the stream that it was time to live', async () => {
    const arn = await createTable();
    const TimeToLiveSpecification = { AttributeName: 'expiresAt', Enabled: true };
    await call('dynamodb', 'UpdateTimeToLive', { TableName, TimeToLiveSpecification });
    const now = Math.floor(Date.now() / 1_000);
    await put('alive', { expiresAt: { N: String(now + 3_600) } });
    await put('not a number', { expiresAt: { S: '1' } });
    await put('expired', { expiresAt: { N: String(now - 1) } });
    await expect.poll(async () => (await recordsOf(arn)).length).toBe(4);
    const removal = (await recordsOf(arn))[3];
    expect(removal).toMatchObject({
      eventName: 'REMOVE',
      dynamodb: { Keys: { pk: { S: 'expired' } } },
      userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' },
    });
  });

  test('forgets records after 24 hours, and says so to who asks for them', async () => {
    const arn = await createTable();
    await put('a');
    await put('b');
    const [first, second] = await recordsOf(arn);
    const start = await iteratorOf(arn);
    await meanwhile((db) =>
      db.exec('UPDATE stream_records SET created_millis = created_millis - 86400001 WHERE record LIKE \'%"a"%\''),
    );
    expect(await recordsOf(arn)).toEqual([second]);
    const trimmed = { code: 'TrimmedDataAccessException' };
    await expect(call('dynamodbstreams', 'GetRecords', { ShardIterator: start })).rejects.toMatchObject(trimmed);
    const { SequenceNumber } = first?.dynamodb ?? {};
    const at = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber };
    await expect(iteratorOf(arn, at)).rejects.toMatchObject(trimmed);
  });

  test('refuses what it cannot do as the fault of the request, which no client repeats, and says what does it', async () => {
    await expect(call('dynamodb', 'CreateBackup', {})).rejects.toMatchObject({
      code: 'NotImplementedException',
      status: 400,
      message: expect.stringContaining('--dynamodb local'),
    });
  });

  test('refuses parameters that it would have to ignore', async () => {
    await expect(createTable({ GlobalTableWitnesses: [] })).rejects.toThrow(/parameter GlobalTableWitnesses of Create/);
    const arn = await createTable();
    await expect(
      put('a', {}).then(() => call('dynamodb', 'PutItem', { TableName, Item: {}, Wrong: 1 })),
    ).rejects.toThrow(/parameter Wrong/);
    expect(await recordsOf(arn)).toHaveLength(1);
  });

  test('refuses numbers past their limits in the words of AWS', async () => {
    const StreamArn = await createTable();
    const ShardIterator = await iteratorOf(StreamArn);
    const key = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'a' } } };
    const below = (found: string, least: number) =>
      `1 validation error detected: Value ${found} failed to satisfy constraint: Member must have value greater than or equal to ${least}`;
    const above = (found: string, most: number) =>
      `1 validation error detected: Value ${found} failed to satisfy constraint: Member must have value less than or equal to ${most}`;
    const refusals: [string, object, string][] = [
      // The recorded words of a Query have no value, and name its Limit with a capital.
      ['Query', { TableName, ...key, Limit: 0 }, below("at 'Limit'", 1)],
      ['Scan', { TableName, Limit: 0 }, below("'0' at 'limit'", 1)],
      ['Scan', { TableName, Segment: -1, TotalSegments: 2 }, below("'-1' at 'segment'", 0)],
      ['Scan', { TableName, Segment: 0, TotalSegments: 0 }, below("'0' at 'totalSegments'", 1)],
      ['Scan', { TableName, Segment: 0, TotalSegments: 1_000_001 }, above("'1000001' at 'totalSegments'", 1_000_000)],
      ['ExecuteStatement', { Statement: `SELECT * FROM "${TableName}"`, Limit: 0 }, below("'0' at 'limit'", 1)],
      ['ListTables', { Limit: 0 }, below("'0' at 'limit'", 1)],
      ['ListTables', { Limit: 101 }, above("'101' at 'limit'", 100)],
      ['ListBackups', { Limit: 0 }, below("'0' at 'limit'", 1)],
      ['ListImports', { PageSize: 26 }, above("'26' at 'pageSize'", 25)],
      ['ListStreams', { Limit: 0 }, below("'0' at 'limit'", 1)],
      ['DescribeStream', { StreamArn, Limit: 101 }, above("'101' at 'limit'", 100)],
      ['GetRecords', { ShardIterator, Limit: 0 }, below("'0' at 'limit'", 1)],
      ['GetRecords', { ShardIterator, Limit: 1_001 }, above("'1001' at 'limit'", 1_000)],
    ];
    for (const [operation, input, message] of refusals) {
      const service = /Stream|Records/.test(operation) ? 'dynamodbstreams' : 'dynamodb';
      const refusal = { code: 'ValidationException', message };
      await expect(call(service, operation, input), operation).rejects.toMatchObject(refusal);
    }
  });

  test('refuses a request to streams that lacks a parameter, or has none of its values', async () => {
    const StreamArn = await createTable();
    const ShardId = 'shardId-00000000000000000000-00000000';
    const refusals: [string, object, string][] = [
      ['DescribeStream', {}, "Value null at 'streamArn' failed to satisfy constraint: Member must not be null"],
      ['GetShardIterator', { StreamArn, ShardId, ShardIteratorType: 'FIRST' }, 'Member must satisfy enum value set'],
      ['GetRecords', {}, "Value null at 'shardIterator' failed to satisfy constraint: Member must not be null"],
      ['GetRecords', { ShardIterator: 'x' }, 'Invalid ShardIterator'],
      ['GetRecords', { ShardIterator: `x|1|${btoa('null')}` }, 'Invalid ShardIterator'],
    ];
    for (const [operation, input, message] of refusals) {
      const refusal = { code: 'ValidationException', message: expect.stringContaining(message) };
      await expect(call('dynamodbstreams', operation, input), operation).rejects.toMatchObject(refusal);
    }
  });

  test('keeps tags, deletion protection and point in time recovery', async () => {
    await createTable({ Tags: [{ Key: 'team', Value: 'x' }], DeletionProtectionEnabled: true });
    const ResourceArn = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`;
    expect(await call('dynamodb', 'ListTagsOfResource', { ResourceArn })).toMatchObject({ Tags: [{ Key: 'team' }] });
    const recovery = { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } };
    await call('dynamodb', 'UpdateContinuousBackups', { TableName, ...recovery });
    expect(await call('dynamodb', 'DescribeContinuousBackups', { TableName })).toMatchObject({
      ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' } },
    });
    await expect(call('dynamodb', 'DeleteTable', { TableName })).rejects.toThrow(/protected against deletion/);
    await call('dynamodb', 'UpdateTable', { TableName, DeletionProtectionEnabled: false });
    await call('dynamodb', 'DeleteTable', { TableName });
    await createTable();
  });

  test('says that its folder is in use', async () => {
    await expect(embeddedDynamoDb({ dir })).rejects.toThrow(/choose another folder/);
  });
});

test.each([
  ['{"TableName":', 'The request body is not JSON'],
  ['[]', 'The request body is JSON, and no object'],
])('a request that is no JSON object, %s, is refused, and those beside it are answered', async (body, message) => {
  await createTable();
  const cloud = await served(backEnd.services);
  const send = async (operation: string, text: string) => {
    const headers = { 'x-amz-target': `DynamoDB_20120810.${operation}`, 'content-type': 'application/x-amz-json-1.0' };
    const answer = await fetch(cloud.endpoint, { method: 'POST', headers, body: text });
    return {
      status: answer.status,
      length: answer.headers.get('content-length'),
      ...((await answer.json()) as object),
    };
  };
  const right = JSON.stringify({ TableName, Item: { pk: { S: 'beside' } } });
  const [refused, answered] = await Promise.all([send('PutItem', body), send('PutItem', right)]);
  await cloud.close();
  expect(refused).toMatchObject({ status: 400, __type: 'SerializationException', message });
  expect(answered).toEqual({ status: 200, length: '2' });
});
