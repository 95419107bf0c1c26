import type { Server } from 'node:http';
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb';
import {
  type _Record,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, test } from 'vitest';
import type { DynamoDbBackEnd } from '../../../infra/local/dynamodb/back-end.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { serve } from '../../../infra/local/protocol/server.ts';
import type { BackEndUnderTest } from './dynamodb-back-ends.ts';

export const pkOf = (record: _Record | undefined) => record?.dynamodb?.Keys?.pk?.S;
export const sequenceNumberOf = (record: _Record | undefined) => BigInt(record?.dynamodb?.SequenceNumber ?? -1);

export type StreamsUnderTest = ReturnType<typeof streamsUnderTest>;

/** A back end of DynamoDB, opened for the tests around the call, and what they do with it through real SDK clients. */
export function streamsUnderTest({ open, deviations }: BackEndUnderTest) {
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

  const send = ((command: never) => dynamodb.send(command)) as DynamoDBClient['send'];
  const sendToStreams = ((command: never) => streams.send(command)) as DynamoDBStreamsClient['send'];

  /** A rule of the contract. Where a back end is known not to keep it the test says so, and fails once it does keep it. */
  function rule(title: string, run: () => Promise<void>): void {
    if (deviations.includes(title)) test.fails(`KNOWN DEVIATION: ${title}`, run);
    else test(title, run);
  }

  async function table(viewType: StreamViewType = 'NEW_AND_OLD_IMAGES') {
    tables += 1;
    const TableName = `contract-${viewType}-${tables}`;
    const { TableDescription } = await send(
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
        send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, ...attributes } })),
      remove: (pk: string) => send(new DeleteItemCommand({ TableName, Key: { pk: { S: pk } } })),
    };
  }

  async function shardsOf(StreamArn: string): Promise<Shard[]> {
    const { StreamDescription } = await sendToStreams(new DescribeStreamCommand({ StreamArn }));
    return StreamDescription?.Shards ?? [];
  }

  async function iteratorOf(
    StreamArn: string,
    ShardIteratorType: 'TRIM_HORIZON' | 'LATEST' | 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER',
    SequenceNumber?: string,
  ) {
    const [shard] = await shardsOf(StreamArn);
    const where = { StreamArn, ShardId: shard?.ShardId, ShardIteratorType, SequenceNumber };
    return (await sendToStreams(new GetShardIteratorCommand(where))).ShardIterator;
  }

  async function read(ShardIterator: string | undefined, Limit?: number): Promise<GetRecordsCommandOutput> {
    return sendToStreams(new GetRecordsCommand({ ShardIterator, Limit }));
  }

  /** @throws Error when a page begins with what was read before: its reader would never come to an end. */
  async function recordsOf(StreamArn: string): Promise<_Record[]> {
    const records: _Record[] = [];
    let iterator = await iteratorOf(StreamArn, 'TRIM_HORIZON');
    while (iterator) {
      const page = await read(iterator);
      if (!page.Records?.length) break;
      if (sequenceNumberOf(page.Records[0]) <= sequenceNumberOf(records.at(-1)))
        throw new Error(`The page after ${records.at(-1)?.dynamodb?.SequenceNumber} begins with what was read before.`);
      records.push(...page.Records);
      iterator = page.NextShardIterator;
    }
    return records;
  }

  return { rule, table, send, sendToStreams, shardsOf, iteratorOf, read, recordsOf };
}
