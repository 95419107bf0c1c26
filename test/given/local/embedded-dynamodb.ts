import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../../infra/local/protocol/server.ts';

/** A record of a stream, as far as tests look at it. */
export interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly Keys: Record<string, Record<string, unknown>>;
    readonly NewImage?: Record<string, unknown>;
    readonly OldImage?: Record<string, unknown>;
  };
}

/** An embedded DynamoDB, called in process. With `dir` it keeps its state there. */
export async function openEmbedded(dir?: string) {
  const backEnd = await embeddedDynamoDb(dir === undefined ? {} : { dir });
  const call = callInProcess(backEnd.services, new Faults());
  const run = <T = Record<string, unknown>>(operation: string, input: object) =>
    call('dynamodb', operation, input) as Promise<T>;

  return {
    run,
    close: () => backEnd.close(),

    /** Makes a table with the key `pk`, or `pk` and `sk`, and a stream. @returns the stream's ARN. */
    async createTable(
      TableName: string,
      more: { isSorted?: boolean; [member: string]: unknown } = {},
    ): Promise<string> {
      const { isSorted = false, AttributeDefinitions: others = [], ...rest } = more;
      const names = isSorted ? ['pk', 'sk'] : ['pk'];
      const { TableDescription } = await run<{ TableDescription: { LatestStreamArn: string } }>('CreateTable', {
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          ...names.map((it) => ({ AttributeName: it, AttributeType: 'S' })),
          ...(others as object[]),
        ],
        KeySchema: names.map((it, position) => ({ AttributeName: it, KeyType: position === 0 ? 'HASH' : 'RANGE' })),
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
        ...rest,
      });
      return TableDescription.LatestStreamArn;
    },

    async get(TableName: string, pk: string): Promise<Record<string, unknown> | undefined> {
      const { Item } = await run<{ Item?: Record<string, unknown> }>('GetItem', { TableName, Key: { pk: { S: pk } } });
      return Item;
    },

    /** Every record on a stream, in order. */
    async recordsOf(StreamArn: string): Promise<StreamRecord[]> {
      const { StreamDescription } = (await call('dynamodbstreams', 'DescribeStream', { StreamArn })) as {
        StreamDescription: { Shards: { ShardId: string }[] };
      };
      const where = { StreamArn, ShardId: StreamDescription.Shards[0]?.ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      let { ShardIterator: iterator } = (await call('dynamodbstreams', 'GetShardIterator', where)) as {
        ShardIterator: string | undefined;
      };
      const records: StreamRecord[] = [];
      while (iterator !== undefined) {
        const page = (await call('dynamodbstreams', 'GetRecords', { ShardIterator: iterator })) as {
          Records: StreamRecord[];
          NextShardIterator?: string;
        };
        if (page.Records.length === 0) break;
        records.push(...page.Records);
        iterator = page.NextShardIterator;
      }
      return records;
    },
  };
}
export type Embedded = Awaited<ReturnType<typeof openEmbedded>>;
