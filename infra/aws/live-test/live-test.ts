import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  paginateListRecords,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { LATEST_VIEW, sqlName } from '../../../shared/change-log/sql.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { type Names, namesOf } from '../cloudformation/names.ts';
import { sampleItem } from './sample-item.ts';

/**
 * Writes, labels and deletes items in the table of a deployed stack, and waits until table, online store and change
 * log have the same number of records. For a stack of its own: other writers' changes would be counted too.
 */

/** Items written; of them, every second is labelled and every fifth is deleted again. */
const ITEMS = 100;
/** Online store and change log follow within seconds and minutes; this is when they never will. */
const TIMEOUT_MS = 20 * 60 * 1_000;

/** Records in each place. */
export interface RecordCounts {
  readonly table: number;
  readonly onlineStore: number;
  readonly changeLog: number;
}

interface Clients {
  readonly dynamodb: DynamoDBClient;
  readonly featureStore: SageMakerFeatureStoreRuntimeClient;
  readonly athena: AthenaClient;
}

/** @throws Error with the counts, when they are not the same in time. */
export async function liveTest(
  group: FeatureGroup,
  names: Names,
  clients: Clients,
  options: { readonly pollMs: number; readonly timeoutMs: number },
): Promise<RecordCounts> {
  await changeItems(group, clients.dynamodb);
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const counts = await countRecords(group, names, clients);
    if (counts.table === counts.onlineStore && counts.table === counts.changeLog) return counts;
    if (Date.now() > deadline) throw new Error(`Records differ: ${JSON.stringify(counts)}`);
    await sleep(options.pollMs);
  }
}

/** One after the other: the order is part of what is tested. */
async function changeItems(group: FeatureGroup, dynamodb: DynamoDBClient): Promise<void> {
  const TableName = group.table;
  const run = Date.now();
  for (let n = 0; n < ITEMS; n += 1) {
    const item = sampleItem(group, `${run}${n}`);
    await dynamodb.send(new PutItemCommand({ TableName, Item: item }));
    const Key = Object.fromEntries(
      group.recordIdentifier.attributes.map((name) => [name, item[name] as AttributeValue] as const),
    );
    if (n % 2 === 0) {
      await dynamodb.send(
        new UpdateItemCommand({
          TableName,
          Key,
          UpdateExpression: 'SET #label = :label',
          ExpressionAttributeNames: { '#label': group.label.attribute },
          ExpressionAttributeValues: { ':label': { N: String((n / 2) % 2) } },
        }),
      );
    }
    if (n % 5 === 0) await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
  }
}

async function countRecords(group: FeatureGroup, names: Names, clients: Clients): Promise<RecordCounts> {
  const { dynamodb, featureStore, athena } = clients;
  let table = 0;
  const scan = { TableName: group.table, Select: 'COUNT', ConsistentRead: true } as const;
  for await (const page of paginateScan({ client: dynamodb }, scan)) table += page.Count ?? 0;
  let onlineStore = 0;
  for await (const page of paginateListRecords({ client: featureStore }, { FeatureGroupName: group.name })) {
    onlineStore += page.RecordIdentifiers?.length ?? 0;
  }
  const sql = `SELECT count(*) FROM ${sqlName(names.glueDatabase)}.${sqlName(LATEST_VIEW)}`;
  return { table, onlineStore, changeLog: Number(await query(athena, names.workGroup, sql)) };
}

/** The first value that a query gives. */
async function query(athena: AthenaClient, WorkGroup: string, QueryString: string): Promise<string> {
  const { QueryExecutionId } = await athena.send(new StartQueryExecutionCommand({ WorkGroup, QueryString }));
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const { State, StateChangeReason } = QueryExecution?.Status ?? {};
    if (State === 'FAILED' || State === 'CANCELLED') throw new Error(`Athena: ${StateChangeReason}: ${QueryString}`);
    if (State === 'SUCCEEDED') break;
    await sleep(500);
  }
  const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
  return ResultSet?.Rows?.[1]?.Data?.[0]?.VarCharValue ?? '';
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { definition: { type: 'string', default: '' }, stage: { type: 'string', default: 'live-test' } },
  });
  const group = await loadFeatureGroup(values.definition);
  const clients = {
    dynamodb: new DynamoDBClient(),
    featureStore: new SageMakerFeatureStoreRuntimeClient(),
    athena: new AthenaClient(),
  };
  const options = { pollMs: 10_000, timeoutMs: TIMEOUT_MS };
  const counts = await liveTest(group, namesOf(group, values.stage), clients, options);
  console.log(`Table, online store and change log have the same records: ${JSON.stringify(counts)}`);
}

if (import.meta.main) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
