import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import type { EventSourceMappingInput } from '../../../infra/local/event-source-mapping/config.ts';
import {
  type EventSourceMapping,
  startEventSourceMapping,
} from '../../../infra/local/event-source-mapping/event-source-mapping.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../../infra/local/protocol/server.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';

export interface LambdaRecord {
  readonly eventName: string;
  readonly dynamodb: {
    readonly Keys: { readonly pk: { readonly S: string } };
    readonly SequenceNumber: string;
    readonly ApproximateCreationDateTime: number;
  };
}
/** What the function under the mapping answers; throwing is a failed function. */
export type Handler = (records: readonly LambdaRecord[]) => unknown;

export const TableName = 'customers';
const BUCKET = 'failed';

/** A mapping's configuration that sends what is given up to S3. */
export const OnFailure = { DestinationConfig: { OnFailure: { Destination: `arn:aws:s3:::${BUCKET}` } } };

export const pkOf = (record: LambdaRecord) => record.dynamodb.Keys.pk.S;
export const items = (count: number) => Array.from({ length: count }, (_, n) => `item-${n}`);
export const failAt = (record: LambdaRecord | undefined) => ({
  batchItemFailures: record ? [{ itemIdentifier: record.dynamodb.SequenceNumber }] : [],
});

/** A table with a stream, and a function that event source mappings invoke. */
export async function streamedTable() {
  const dir = await mkdtemp(join(tmpdir(), 'mapping-'));
  const db = new DatabaseSync(':memory:');
  const backEnd = await embeddedDynamoDb();
  const faults = new Faults();
  const call = callInProcess(backEnd.services, faults);
  const objects = new ObjectStore(dir);
  await objects.createBucket(BUCKET);
  const mappings: EventSourceMapping[] = [];
  const problems: string[] = [];
  const invocations: string[][] = [];
  const { TableDescription } = (await call('dynamodb', 'CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  })) as { TableDescription: { LatestStreamArn: string } };
  const streamArn = TableDescription.LatestStreamArn;

  const invokeOf = (handler: Handler) => async (_: string, payload: string) => {
    const { Records } = JSON.parse(payload) as { Records: LambdaRecord[] };
    invocations.push(Records.map(pkOf));
    const requestId = `request-${invocations.length}`;
    try {
      return { requestId, payload: JSON.stringify((await handler(Records)) ?? null) };
    } catch (error) {
      return { requestId, payload: JSON.stringify({ errorMessage: String(error) }), functionError: 'Unhandled' };
    }
  };

  return {
    /** What went wrong, as it was reported, and the items of each invocation, in order. */
    ...{ problems, invocations },
    ...{ db, call, faults, streamArn },

    /** Writes items, one after another. */
    async put(...pks: string[]): Promise<void> {
      for (const pk of pks) {
        await call('dynamodb', 'PutItem', { TableName, Item: { pk: { S: pk }, at: { N: `${Math.random()}` } } });
      }
    },

    /** Starts a mapping of the stream to a function; `deps` in place of those of the table. */
    start(
      handler: Handler,
      input: Partial<EventSourceMappingInput> = {},
      deps: Partial<Parameters<typeof startEventSourceMapping>[1]> = {},
    ): EventSourceMapping {
      const mapping = startEventSourceMapping(
        {
          UUID: '11111111-2222-3333-4444-555555555555',
          FunctionName: 'ingest',
          EventSourceArn: streamArn,
          StartingPosition: 'TRIM_HORIZON',
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ...input,
        },
        {
          ...{ call, objects, db, onWrite: backEnd.onWrite, retryMillis: { first: 1, max: 20 } },
          report: (problem) => problems.push(problem),
          invoke: invokeOf(handler),
          ...deps,
        },
      );
      mappings.push(mapping);
      return mapping;
    },

    async failedBatches() {
      const found = await objects.list(BUCKET);
      return Promise.all(
        found.map(async ({ key }) => ({ key, record: JSON.parse((await objects.get(BUCKET, key)).toString('utf8')) })),
      );
    },

    async close(): Promise<void> {
      await Promise.all(mappings.map((it) => it.stop()));
      await backEnd.close();
      await rm(dir, { recursive: true });
    },
  };
}
