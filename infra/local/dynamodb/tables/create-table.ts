import { randomUUID } from 'node:crypto';
import { arn } from '../../protocol/arn.ts';
import { AwsError } from '../../protocol/aws-error.ts';
import type { Action } from '../engine/action.ts';
import { invalid } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import type { IndexDescription, Table, TableDescription } from '../engine/table.ts';
import type { StreamViewType } from '../streams/stream-log.ts';
import { described } from './describe-table.ts';
import { createTableRules } from './table-rules.ts';

export interface StreamSpecification {
  readonly StreamEnabled?: boolean;
  readonly StreamViewType?: string;
}
/** Settings that CreateTable and UpdateTable have in common. */
export interface Settings {
  StreamSpecification?: StreamSpecification;
  SSESpecification?: { Enabled?: boolean; SSEType?: string; KMSMasterKeyId?: string };
  TableClass?: string;
  DeletionProtectionEnabled?: boolean;
  OnDemandThroughput?: object;
  WarmThroughput?: object;
}
interface CreateTable extends Settings {
  TableName: string;
  AttributeDefinitions: TableDescription['AttributeDefinitions'];
  KeySchema: TableDescription['KeySchema'];
  BillingMode?: string;
  ProvisionedThroughput?: Record<string, number>;
  GlobalSecondaryIndexes?: IndexDescription[];
  LocalSecondaryIndexes?: IndexDescription[];
  Tags?: { Key: string; Value: string }[];
  ResourcePolicy?: string;
}

export function createTableAction(store: Store): Action {
  return { rules: createTableRules(), first: problemOfKey, run: (data: CreateTable) => createTable(store, data) };
}

/** AWS names the elements of a key that has too many. */
function problemOfKey({ KeySchema }: CreateTable): string | undefined {
  if (!Array.isArray(KeySchema) || KeySchema.length <= 2) return undefined;
  const elements = KeySchema.map(
    (it) => `KeySchemaElement(attributeName=${it?.AttributeName}, keyType=${it?.KeyType})`,
  );
  return `1 validation error detected: Value '[${elements.join(', ')}]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2`;
}

/** Makes a table, which is ready when this returns; the answer says CREATING, as AWS's does. */
function createTable(store: Store, data: CreateTable): object {
  const { TableName, ResourcePolicy: policy } = data;
  if (store.find(TableName)) {
    throw new AwsError('ResourceInUseException', `Table already exists: ${TableName}`);
  }
  const viewType = viewTypeOf(data.StreamSpecification);
  const TableArn = tableArn(TableName);
  const isOnDemand = data.BillingMode === 'PAY_PER_REQUEST';
  const description: TableDescription = {
    TableName,
    TableArn,
    TableId: randomUUID(),
    TableStatus: 'ACTIVE',
    CreationDateTime: Date.now() / 1_000,
    AttributeDefinitions: data.AttributeDefinitions,
    KeySchema: data.KeySchema,
    ProvisionedThroughput: throughputOf(data.ProvisionedThroughput),
    ...(isOnDemand && onDemand()),
    ...settingsOf(data),
    ...(data.LocalSecondaryIndexes && {
      LocalSecondaryIndexes: data.LocalSecondaryIndexes.map((it) => ({ ...it, IndexArn: indexArn(TableArn, it) })),
    }),
    ...(data.GlobalSecondaryIndexes && {
      GlobalSecondaryIndexes: data.GlobalSecondaryIndexes.map((it) => globalIndex(TableArn, it)),
    }),
  };
  const tags = Object.fromEntries((data.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  const table = store.save(description, {
    tags,
    ...(policy !== undefined && { resourcePolicy: { policy, revision: randomUUID() } }),
  });
  if (viewType) store.streams.enable(TableName, viewType, data.KeySchema);
  return { TableDescription: inStatus(described(store, table), 'CREATING', 'CREATING') };
}

/** A description as it is answered while something is under way. */
export function inStatus(description: TableDescription, status: string, indexStatus?: string): TableDescription {
  const indexes = description.GlobalSecondaryIndexes;
  return {
    ...description,
    TableStatus: status,
    ...(indexes &&
      indexStatus && { GlobalSecondaryIndexes: indexes.map((it) => ({ ...it, IndexStatus: indexStatus })) }),
  };
}

export function globalIndex(TableArn: string, index: IndexDescription): IndexDescription {
  const { WarmThroughput, ...rest } = index;
  return {
    ...rest,
    IndexArn: indexArn(TableArn, index),
    IndexStatus: 'ACTIVE',
    ProvisionedThroughput: throughputOf(index.ProvisionedThroughput),
    ...(WarmThroughput !== undefined && { WarmThroughput: { ...(WarmThroughput as object), Status: 'ACTIVE' } }),
  };
}

function throughputOf(given: Record<string, number> | undefined): Record<string, number> {
  return { ReadCapacityUnits: 0, WriteCapacityUnits: 0, ...given, NumberOfDecreasesToday: 0 };
}

export function onDemand() {
  const since = { LastUpdateToPayPerRequestDateTime: Date.now() / 1_000 };
  return {
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST', ...since },
    TableThroughputModeSummary: { TableThroughputMode: 'PAY_PER_REQUEST', ...since },
  };
}

/** Settings without a meaning here, as DescribeTable answers them. */
export function settingsOf(data: Settings): Record<string, unknown> {
  const { SSESpecification: encryption, TableClass, OnDemandThroughput, WarmThroughput } = data;
  const key = encryption?.KMSMasterKeyId ?? arn('kms', 'key/aws/dynamodb');
  return {
    ...(data.DeletionProtectionEnabled !== undefined && { DeletionProtectionEnabled: data.DeletionProtectionEnabled }),
    ...(encryption && {
      SSEDescription: encryption.Enabled
        ? { Status: 'ENABLED', SSEType: encryption.SSEType ?? 'KMS', KMSMasterKeyArn: key }
        : undefined,
    }),
    ...(TableClass && {
      TableClassSummary: { TableClass, LastUpdateDateTime: Date.now() / 1_000 },
    }),
    ...(OnDemandThroughput && { OnDemandThroughput }),
    ...(WarmThroughput && { WarmThroughput: { ...WarmThroughput, Status: 'ACTIVE' } }),
  };
}

function tableArn(name: string): string {
  return arn('dynamodb', `table/${name}`);
}

export function viewTypeOf(specification: StreamSpecification | undefined): StreamViewType | undefined {
  const problem = 'One or more parameter values were invalid:';
  if (!specification?.StreamEnabled) {
    if (specification?.StreamViewType === undefined) return undefined;
    throw invalid(`${problem} StreamViewType is only allowed when StreamEnabled is true`);
  }
  if (specification.StreamViewType === undefined) {
    throw invalid(`${problem} StreamViewType is required when StreamEnabled is true`);
  }
  return specification.StreamViewType as StreamViewType;
}

/** @throws AwsError ResourceNotFoundException, with the words of table operations. */
export function tableNamed(store: Store, name: string): Table {
  const table = store.find(name);
  if (!table) throw new AwsError('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
  return table;
}

function indexArn(TableArn: string, { IndexName }: IndexDescription): string {
  return `${TableArn}/index/${IndexName}`;
}
