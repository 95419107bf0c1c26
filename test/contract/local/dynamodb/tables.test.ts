import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../../given/local/embedded-dynamodb.ts';

let dynamodb: Embedded;
let tables = 0;
let TableName: string;

beforeAll(async () => {
  dynamodb = await openEmbedded();
});
afterAll(() => dynamodb.close());
beforeEach(() => {
  tables += 1;
  TableName = `tables-${tables}`;
});

const put = (pk: string, more: object = {}) => dynamodb.run('PutItem', { TableName, Item: { pk: { S: pk }, ...more } });
const describeTable = async () =>
  (await dynamodb.run<{ Table: Record<string, unknown> }>('DescribeTable', { TableName })).Table;
const index = (IndexName: string, ...names: string[]) => ({
  IndexName,
  KeySchema: names.map((it) => ({ AttributeName: it, KeyType: it.startsWith('sort') ? 'RANGE' : 'HASH' })),
  Projection: { ProjectionType: 'ALL' },
});
const text = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
const update = (more: object) => dynamodb.run('UpdateTable', { TableName, ...more });

describe('global indexes', () => {
  test('made by UpdateTable have the items that were there, and those that come', async () => {
    await dynamodb.createTable(TableName);
    await put('before', { group: { S: 'x' } });
    await put('without');
    const { TableDescription } = await update({
      AttributeDefinitions: [text('group')],
      GlobalSecondaryIndexUpdates: [{ Create: index('by-group', 'group') }],
    });
    expect(TableDescription).toMatchObject({
      TableStatus: 'UPDATING',
      GlobalSecondaryIndexes: [{ IndexName: 'by-group', IndexStatus: 'CREATING' }],
    });
    await put('after', { group: { S: 'x' } });
    expect((await describeTable()).GlobalSecondaryIndexes).toMatchObject([{ IndexStatus: 'ACTIVE', ItemCount: 2 }]);
    const { Items } = await dynamodb.run<{ Items: { pk: { S: string } }[] }>('Query', {
      ...{ TableName, IndexName: 'by-group', KeyConditionExpression: '#group = :x' },
      ...{ ExpressionAttributeNames: { '#group': 'group' }, ExpressionAttributeValues: { ':x': { S: 'x' } } },
    });
    expect(Items.map((it) => it.pk.S).sort()).toEqual(['after', 'before']);
  });

  test('deleted by UpdateTable are gone, with the definitions of their attributes', async () => {
    await dynamodb.createTable(TableName, {
      AttributeDefinitions: [text('group')],
      GlobalSecondaryIndexes: [index('by-group', 'group')],
    });
    await update({ GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-group' } }] });
    const table = await describeTable();
    expect(table.GlobalSecondaryIndexes).toBeUndefined();
    expect(table.AttributeDefinitions).toEqual([text('pk')]);
    await expect(
      update({ GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-group' } }] }),
    ).rejects.toMatchObject({ code: 'ResourceNotFoundException', status: 400 });
  });

  test('may have keys of several attributes, queried from the left', async () => {
    const names = ['tenant', 'region', 'sortYear', 'sortMonth'];
    await dynamodb.createTable(TableName, {
      AttributeDefinitions: names.map(text),
      GlobalSecondaryIndexes: [index('by-place', ...names)],
    });
    const item = (tenant: string, region: string, year: string, month: string) => ({
      ...{ tenant: { S: tenant }, region: { S: region }, sortYear: { S: year }, sortMonth: { S: month } },
    });
    await put('1', item('a', 'eu', '2025', '11'));
    await put('2', item('a', 'eu', '2026', '01'));
    await put('3', item('a', 'eu', '2026', '02'));
    await put('4', item('a', 'us', '2026', '01'));
    const found = async (condition: string, values: Record<string, string>) => {
      const { Items } = await dynamodb.run<{ Items: { pk: { S: string } }[] }>('Query', {
        ...{ TableName, IndexName: 'by-place', KeyConditionExpression: condition },
        ExpressionAttributeValues: Object.fromEntries(Object.entries(values).map(([name, S]) => [`:${name}`, { S }])),
        ExpressionAttributeNames: { '#region': 'region' },
      });
      return Items.map((it) => it.pk.S);
    };
    const place = { t: 'a', r: 'eu' };
    expect(await found('tenant = :t AND #region = :r', place)).toEqual(['1', '2', '3']);
    expect(await found('tenant = :t AND #region = :r AND sortYear = :y', { ...place, y: '2026' })).toEqual(['2', '3']);
    const all = 'tenant = :t AND #region = :r AND sortYear = :y AND sortMonth > :m';
    expect(await found(all, { ...place, y: '2026', m: '01' })).toEqual(['3']);
    await expect(found('#region = :r', { r: 'eu' })).rejects.toThrow(/missed key schema element: tenant/);
    const skipped = 'tenant = :t AND #region = :r AND sortMonth = :m';
    await expect(found(skipped, { ...place, m: '01' })).rejects.toThrow(/missed key schema element: sortYear/);
  });
});

describe('settings', () => {
  test('that infrastructure code sends are remembered and answered', async () => {
    await dynamodb.createTable(TableName, {
      SSESpecification: { Enabled: true, SSEType: 'KMS' },
      TableClass: 'STANDARD_INFREQUENT_ACCESS',
      OnDemandThroughput: { MaxReadRequestUnits: 10, MaxWriteRequestUnits: 20 },
      WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4_000 },
    });
    expect(await describeTable()).toMatchObject({
      SSEDescription: { Status: 'ENABLED', SSEType: 'KMS' },
      TableClassSummary: { TableClass: 'STANDARD_INFREQUENT_ACCESS' },
      OnDemandThroughput: { MaxReadRequestUnits: 10, MaxWriteRequestUnits: 20 },
      WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4_000, Status: 'ACTIVE' },
    });
    await update({ TableClass: 'STANDARD' });
    expect(await describeTable()).toMatchObject({ TableClassSummary: { TableClass: 'STANDARD' } });
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7 };
    await dynamodb.run('UpdateContinuousBackups', { TableName, PointInTimeRecoverySpecification });
    expect(await dynamodb.run('DescribeContinuousBackups', { TableName })).toMatchObject({
      ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { RecoveryPeriodInDays: 7 } },
    });
  });

  test.each([
    ['DescribeLimits', {}, { TableMaxReadCapacityUnits: 40_000 }],
    ['DescribeEndpoints', {}, { Endpoints: [{ CachePeriodInMinutes: 1_440 }] }],
    ['ListBackups', {}, { BackupSummaries: [] }],
  ])('%s is answered', async (operation, input, expected) => {
    expect(await dynamodb.run(operation, input)).toMatchObject(expected);
  });

  test('there are no insights, and no policy until one is put', async () => {
    await dynamodb.createTable(TableName);
    expect(await dynamodb.run('DescribeContributorInsights', { TableName })).toMatchObject({
      ContributorInsightsStatus: 'DISABLED',
    });
    const ResourceArn = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`;
    await expect(dynamodb.run('GetResourcePolicy', { ResourceArn })).rejects.toMatchObject({
      code: 'PolicyNotFoundException',
      status: 400,
    });
    await dynamodb.run('PutResourcePolicy', { ResourceArn, Policy: '{}' });
    expect(await dynamodb.run('GetResourcePolicy', { ResourceArn })).toMatchObject({ Policy: '{}' });
  });

  test('sizes are those of the items', async () => {
    await dynamodb.createTable(TableName);
    await put('a');
    await put('b', { n: { N: '1' } });
    await put('b', { n: { N: '100' } });
    await dynamodb.run('DeleteItem', { TableName, Key: { pk: { S: 'a' } } });
    // "pk" and "b", "n" and a number of one significant digit: 2 + 1 + 1 + 2 bytes.
    expect(await describeTable()).toMatchObject({ ItemCount: 1, TableSizeBytes: 6 });
  });
});

describe('parameters that were ignored once', () => {
  test.each([
    ['Scan', { Segment: 0 }, /TotalSegments parameter is required/],
    ['Scan', { Select: 'SPECIFIC_ATTRIBUTES' }, /SPECIFIC_ATTRIBUTES/],
    [
      'UpdateTimeToLive',
      { TimeToLiveSpecification: { AttributeName: '', Enabled: true } },
      /greater than or equal to 1/,
    ],
    ['ListTagsOfResource', { ResourceArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/x-y' }, /not authorized/],
    ['ListTagsOfResource', { ResourceArn: 'no-arn' }, /Invalid TableArn/],
  ])('%s %o is refused', async (operation, input, message) => {
    await dynamodb.createTable(TableName);
    const request = operation === 'ListTagsOfResource' ? input : { TableName, ...input };
    await expect(dynamodb.run(operation, request)).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(message),
    });
  });

  test('ReturnItemCollectionMetrics is answered for tables with local indexes', async () => {
    await dynamodb.createTable(TableName, {
      isSorted: true,
      AttributeDefinitions: [text('sortAt')],
      LocalSecondaryIndexes: [
        {
          ...index('by-time', 'sortAt'),
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sortAt', KeyType: 'RANGE' },
          ],
        },
      ],
    });
    const Item = { pk: { S: 'a' }, sk: { S: '1' } };
    const answer = await dynamodb.run('PutItem', { TableName, Item, ReturnItemCollectionMetrics: 'SIZE' });
    expect(answer).toEqual({
      ItemCollectionMetrics: { ItemCollectionKey: { pk: { S: 'a' } }, SizeEstimateRangeGB: [0, 1] },
    });
  });
});
