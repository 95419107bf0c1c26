import { AwsError } from '../../protocol/aws-error.ts';
import type { Action } from '../engine/action.ts';
import { invalid } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import type { IndexDescription, Table, TableDescription } from '../engine/table.ts';
import {
  globalIndex,
  inStatus,
  onDemand,
  type Settings,
  type StreamSpecification,
  settingsOf,
  tableNamed,
  viewTypeOf,
} from './create-table.ts';
import { described } from './describe-table.ts';
import { problemOfIndex, updateTableRules } from './table-rules.ts';

/** Source: service quotas, "Global secondary indexes per table". */
const GLOBAL_INDEXES_MAX = 20;

type Throughput = Record<string, number>;
interface IndexUpdate {
  Create?: IndexDescription;
  Update?: IndexDescription;
  Delete?: { IndexName: string };
}
interface UpdateTable extends Settings {
  TableName: string;
  AttributeDefinitions?: TableDescription['AttributeDefinitions'];
  BillingMode?: string;
  ProvisionedThroughput?: Throughput;
  GlobalSecondaryIndexUpdates?: IndexUpdate[];
}

export function updateTableAction(store: Store): Action {
  return { rules: updateTableRules(), run: (data: UpdateTable) => updateTable(store, data) };
}

/**
 * Changes a table, which has changed when this returns: a new index is filled from the table's items. The answer says
 * UPDATING, CREATING and DELETING, as AWS's does.
 */
function updateTable(store: Store, data: UpdateTable): object {
  const table = tableNamed(store, data.TableName);
  const viewType = checkedStream(store, table, data.StreamSpecification);
  const { TableName, KeySchema } = table.description;
  const changed = withThroughput(table.description, data);
  const indexes = indexesAfter(changed, data);
  const next: TableDescription = {
    ...changed,
    ...settingsOf(data),
    AttributeDefinitions: definitionsAfter(changed, indexes, data.AttributeDefinitions),
  };
  if (indexes.length > 0) next.GlobalSecondaryIndexes = indexes;
  else delete next.GlobalSecondaryIndexes;
  if (viewType) store.streams.enable(TableName, viewType, KeySchema);
  else if (data.StreamSpecification) store.streams.disable(TableName);
  const saved = store.save(next, table.settings);
  return { TableDescription: underWay(described(store, saved), table.description, data) };
}

function checkedStream(store: Store, { description }: Table, specification: StreamSpecification | undefined) {
  if (!specification) return undefined;
  const { TableName } = description;
  const viewType = viewTypeOf(specification);
  const isEnabled = store.streams.enabledOn(TableName) !== undefined;
  if (viewType && isEnabled) throw invalid(`Table already has an enabled stream: TableName: ${TableName}`);
  if (!viewType && !isEnabled) throw invalid(`Table has no stream to disable: TableName: ${TableName}`);
  return viewType;
}

function withThroughput(description: TableDescription, data: UpdateTable): TableDescription {
  const billing = data.BillingMode ?? description.BillingModeSummary?.BillingMode ?? 'PROVISIONED';
  const wasOnDemand = description.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST';
  if (data.ProvisionedThroughput && billing === 'PAY_PER_REQUEST') {
    throw invalid(
      'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST',
    );
  }
  const none = { ReadCapacityUnits: 0, WriteCapacityUnits: 0 };
  if (data.BillingMode === 'PAY_PER_REQUEST' && !wasOnDemand) {
    const indexes = description.GlobalSecondaryIndexes?.map((it) => ({
      ...it,
      ProvisionedThroughput: { ...it.ProvisionedThroughput, ...none },
    }));
    return {
      ...description,
      ...onDemand(),
      ProvisionedThroughput: { ...description.ProvisionedThroughput, ...none },
      ...(indexes && { GlobalSecondaryIndexes: indexes }),
    };
  }
  const isProvisionedNow = data.BillingMode === 'PROVISIONED' && wasOnDemand;
  if (isProvisionedNow) checkIndexesProvisioned(description, data);
  return {
    ...description,
    ...(isProvisionedNow && {
      BillingModeSummary: { ...description.BillingModeSummary, BillingMode: 'PROVISIONED' },
      TableThroughputModeSummary: { TableThroughputMode: 'PROVISIONED' },
    }),
    ...(data.ProvisionedThroughput && {
      ProvisionedThroughput: throughputAfter(description.ProvisionedThroughput, data.ProvisionedThroughput),
    }),
  };
}

function checkIndexesProvisioned(description: TableDescription, data: UpdateTable): void {
  const given = new Set(data.GlobalSecondaryIndexUpdates?.map((it) => it.Update?.IndexName ?? it.Delete?.IndexName));
  const missing = (description.GlobalSecondaryIndexes ?? []).map((it) => it.IndexName).filter((it) => !given.has(it));
  if (missing.length === 0) return;
  throw invalid(
    `One or more parameter values were invalid: ProvisionedThroughput must be specified for index: ${missing.join(',')}`,
  );
}

function throughputAfter(current: Throughput | undefined, next: Throughput): Throughput {
  const { ReadCapacityUnits: read = 0, WriteCapacityUnits: write = 0, NumberOfDecreasesToday = 0 } = current ?? {};
  const { ReadCapacityUnits: nextRead = 0, WriteCapacityUnits: nextWrite = 0 } = next;
  if (read === nextRead && write === nextWrite) {
    throw invalid(
      `The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: ${read}. Requested ReadCapacityUnits: ${nextRead}. Current WriteCapacityUnits provisioned for the table: ${write}. Requested WriteCapacityUnits: ${nextWrite}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.`,
    );
  }
  const now = Date.now() / 1_000;
  const isLess = nextRead < read || nextWrite < write;
  return {
    ...current,
    ReadCapacityUnits: nextRead,
    WriteCapacityUnits: nextWrite,
    NumberOfDecreasesToday: NumberOfDecreasesToday + (isLess ? 1 : 0),
    ...(isLess ? { LastDecreaseDateTime: now } : { LastIncreaseDateTime: now }),
  };
}

function indexesAfter(description: TableDescription, data: UpdateTable): IndexDescription[] {
  const updates = data.GlobalSecondaryIndexUpdates ?? [];
  if (updates.filter((it) => it.Create || it.Delete).length > 1) {
    throw new AwsError(
      'LimitExceededException',
      'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
    );
  }
  let indexes = [...(description.GlobalSecondaryIndexes ?? [])];
  for (const { Create, Update, Delete } of updates) {
    const name = Update?.IndexName ?? Delete?.IndexName;
    const found = indexes.find((it) => it.IndexName === name);
    if (name !== undefined && !found) {
      throw new AwsError('ResourceNotFoundException', `Requested resource not found`);
    }
    if (Delete) indexes = indexes.filter((it) => it !== found);
    if (Update && found) indexes = indexes.map((it) => (it === found ? indexAfter(it, Update) : it));
    if (Create) indexes.push(newIndex(description, indexes, Create, data));
  }
  return indexes;
}

function indexAfter(index: IndexDescription, { ProvisionedThroughput, ...rest }: IndexDescription): IndexDescription {
  return {
    ...index,
    ...rest,
    ...(ProvisionedThroughput && {
      ProvisionedThroughput: throughputAfter(index.ProvisionedThroughput, ProvisionedThroughput),
    }),
  };
}

function newIndex(
  { TableArn, AttributeDefinitions, LocalSecondaryIndexes = [] }: TableDescription,
  indexes: readonly IndexDescription[],
  create: IndexDescription,
  data: UpdateTable,
): IndexDescription {
  const { IndexName, KeySchema } = create;
  if ([...indexes, ...LocalSecondaryIndexes].some((it) => it.IndexName === IndexName)) {
    throw invalid(`Attempting to create an index which already exists`);
  }
  const defined = [...AttributeDefinitions, ...(data.AttributeDefinitions ?? [])].map((it) => it.AttributeName);
  const keys = KeySchema.map((it) => it.AttributeName);
  if (keys.some((it) => !defined.includes(it))) {
    throw invalid(
      `One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [${keys.join(', ')}], AttributeDefinitions: [${[...new Set(defined)].join(', ')}]`,
    );
  }
  const problem = problemOfIndex(create);
  if (problem) throw invalid(problem);
  if (indexes.length >= GLOBAL_INDEXES_MAX) {
    throw new AwsError(
      'LimitExceededException',
      `One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of ${GLOBAL_INDEXES_MAX}`,
    );
  }
  return globalIndex(TableArn, create);
}

/** Definitions of the attributes that keys still name: those of an index go with it. */
function definitionsAfter(
  description: TableDescription,
  indexes: readonly IndexDescription[],
  added: TableDescription['AttributeDefinitions'] = [],
): TableDescription['AttributeDefinitions'] {
  const schemas = [description, ...indexes, ...(description.LocalSecondaryIndexes ?? [])];
  const used = new Set(schemas.flatMap((it) => it.KeySchema.map((key) => key.AttributeName)));
  const types = new Map(
    [...added, ...description.AttributeDefinitions].map((it) => [it.AttributeName, it.AttributeType]),
  );
  return [...types]
    .filter(([name]) => used.has(name))
    .map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
}

/** The description while the change is under way. */
function underWay(now: TableDescription, before: TableDescription, data: UpdateTable): TableDescription {
  const updates = data.GlobalSecondaryIndexUpdates ?? [];
  const deleted = updates.map((it) =>
    before.GlobalSecondaryIndexes?.find((of) => of.IndexName === it.Delete?.IndexName),
  );
  const statusOf = ({ IndexName }: IndexDescription) => {
    const update = updates.find((it) => (it.Create ?? it.Update)?.IndexName === IndexName);
    return update ? (update.Create ? 'CREATING' : 'UPDATING') : 'ACTIVE';
  };
  const indexes = [
    ...(now.GlobalSecondaryIndexes ?? []).map((it) => ({ ...it, IndexStatus: statusOf(it) })),
    ...deleted.filter((it) => it !== undefined).map((it) => ({ ...it, IndexStatus: 'DELETING' })),
  ];
  return { ...inStatus(now, 'UPDATING'), ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }) };
}
