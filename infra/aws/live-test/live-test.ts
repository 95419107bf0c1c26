import { setTimeout as sleep } from 'node:timers/promises';
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
import { newCommand, runCommand } from '../../terminal/command.ts';
import { note } from '../../terminal/note.ts';
import { definitionOption, regionOption, stageOption } from '../../terminal/options.ts';
import { type Names, namesOf } from '../cloudformation/names.ts';
import { loadDefinition } from '../definitions/definitions.ts';
import { sampleItem } from './sample-item.ts';

/** Items written; of them, every second is labeled and every fifth is deleted again. */
const ITEMS = 100;
/** Online store and change log follow within seconds and minutes; this is when they never will. */
const TIMEOUT_MS = 20 * 60 * 1_000;
const POLL_MS = 10_000;

/** Records in each place. */
export interface RecordCounts {
  readonly table: number;
  readonly onlineStore: number;
  readonly changeLog: number;
}

export const command = newCommand(
  'live-test',
  'Writes, labels and deletes items in the table of a deployed stack, and compares it with online store and change log. The stack must be its own: it counts the changes of other writers too.',
  'node infra/aws/live-test/live-test.ts',
)
  .addOption(definitionOption().makeOptionMandatory())
  .addOption(stageOption().default('live-test'))
  .addOption(regionOption())
  .action(async ({ definition, stage, region }) => {
    const group = await loadDefinition(definition);
    const names = namesOf(group, stage);
    note(`Definition ${group.name}, stack ${names.stack}`);
    const settings = region === undefined ? {} : { region };
    const clients = {
      dynamodb: new DynamoDBClient(settings),
      featureStore: new SageMakerFeatureStoreRuntimeClient(settings),
      athena: new AthenaClient(settings),
    };
    const counts = await liveTest(group, names, clients, { pollMs: POLL_MS, timeoutMs: TIMEOUT_MS });
    console.log(`Table, online store and change log have the same records: ${JSON.stringify(counts)}`);
  });

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

if (import.meta.main) await runCommand(command);
