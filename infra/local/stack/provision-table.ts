import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError } from '../protocol/aws-error.ts';
import type { Call } from '../protocol/service.ts';

/** Properties of AWS::DynamoDB::Table that are acted on. */
export interface TableProperties {
  readonly TableName: string;
  readonly AttributeDefinitions: readonly object[];
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: string }[];
  readonly BillingMode: string;
  readonly GlobalSecondaryIndexes?: readonly object[];
  readonly StreamSpecification?: { readonly StreamViewType: string };
  readonly PointInTimeRecoverySpecification?: { readonly PointInTimeRecoveryEnabled: boolean };
  readonly TimeToLiveSpecification?: { readonly AttributeName: string; readonly Enabled: boolean };
}

interface Description {
  readonly TableStatus: string;
  readonly KeySchema: TableProperties['KeySchema'];
  readonly StreamSpecification?: { readonly StreamViewType?: string };
}

/** How often a table that is being created is looked at, and for how long, in milliseconds. */
const POLL_MS = 50;
const CREATE_TIMEOUT_MS = 60_000;

/**
 * Makes a table, or finds the one there is.
 *
 * @throws Error when there is a table of this name that is another: its key or its stream differ.
 */
export async function createTable(call: Call, properties: TableProperties): Promise<void> {
  const { TableName, StreamSpecification: stream, TimeToLiveSpecification: expiry } = properties;
  const { AttributeDefinitions, KeySchema, BillingMode, GlobalSecondaryIndexes } = properties;
  const input = {
    TableName,
    AttributeDefinitions,
    KeySchema,
    BillingMode,
    ...(GlobalSecondaryIndexes && { GlobalSecondaryIndexes }),
    ...(stream && { StreamSpecification: { ...stream, StreamEnabled: true } }),
  };
  await call('dynamodb', 'CreateTable', input).catch((error: unknown) => {
    if (!(error instanceof AwsError && error.code === 'ResourceInUseException')) throw error;
  });
  const table = await activeTable(call, TableName);
  const keysOf = (schema: TableProperties['KeySchema']) => schema.map((it) => `${it.KeyType} ${it.AttributeName}`);
  const found = [...keysOf(table.KeySchema), table.StreamSpecification?.StreamViewType].join(', ');
  const expected = [...keysOf(KeySchema), stream?.StreamViewType].join(', ');
  if (found !== expected) {
    throw new Error(
      `Table ${TableName} is there already and is another (found ${found}; expected ${expected}): delete it, or start the local cloud in another folder with --dir.`,
    );
  }
  if (expiry?.Enabled) await enableExpiry(call, TableName, expiry);
  const { PointInTimeRecoverySpecification: recovery } = properties;
  if (recovery?.PointInTimeRecoveryEnabled) await enableRecovery(call, TableName, recovery);
}

async function activeTable(call: Call, tableName: string): Promise<Description> {
  const deadline = Date.now() + CREATE_TIMEOUT_MS;
  for (;;) {
    const { Table } = (await call('dynamodb', 'DescribeTable', { TableName: tableName })) as { Table: Description };
    if (Table.TableStatus === 'ACTIVE') return Table;
    if (Date.now() > deadline) throw new Error(`Table ${tableName} is still ${Table.TableStatus} after a minute.`);
    await sleep(POLL_MS);
  }
}

/** An export asks for it. Other implementations of DynamoDB may know neither: then an export is refused there. */
async function enableRecovery(call: Call, TableName: string, specification: object): Promise<void> {
  const input = { TableName, PointInTimeRecoverySpecification: specification };
  await call('dynamodb', 'UpdateContinuousBackups', input).catch((error: unknown) => {
    if (!(error instanceof AwsError)) throw error;
  });
}

async function enableExpiry(call: Call, tableName: string, specification: object): Promise<void> {
  const { TimeToLiveDescription: current } = (await call('dynamodb', 'DescribeTimeToLive', {
    TableName: tableName,
  })) as { TimeToLiveDescription?: { TimeToLiveStatus?: string } };
  // Enabling it a second time is an error.
  if (current?.TimeToLiveStatus === 'ENABLED') return;
  await call('dynamodb', 'UpdateTimeToLive', { TableName: tableName, TimeToLiveSpecification: specification });
}
