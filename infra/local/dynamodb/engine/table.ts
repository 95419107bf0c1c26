import type { KeyLayout } from './keys.ts';

export interface KeySchemaElement {
  readonly AttributeName: string;
  readonly KeyType: string;
}
export interface ProjectionDescription {
  readonly ProjectionType: string;
  readonly NonKeyAttributes?: readonly string[];
}
export interface IndexDescription {
  readonly IndexName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly Projection: ProjectionDescription;
  IndexStatus?: string;
  ProvisionedThroughput?: Record<string, number>;
  [member: string]: unknown;
}
/** A table as DescribeTable answers it. */
export interface TableDescription {
  readonly TableName: string;
  readonly TableArn: string;
  TableStatus: string;
  AttributeDefinitions: { readonly AttributeName: string; readonly AttributeType: string }[];
  readonly KeySchema: readonly KeySchemaElement[];
  GlobalSecondaryIndexes?: IndexDescription[];
  LocalSecondaryIndexes?: IndexDescription[];
  ProvisionedThroughput?: Record<string, number>;
  BillingModeSummary?: Record<string, unknown>;
  TableThroughputModeSummary?: Record<string, unknown>;
  [member: string]: unknown;
}

/** A secondary index: the space its entries are in, and how their keys are made. */
export interface Index {
  readonly space: number;
  readonly description: IndexDescription;
  readonly isGlobal: boolean;
  readonly layout: KeyLayout;
}

/** What is set of a table beside its description. */
export interface TableSettings {
  /** Attribute that holds an item's expiry; absent when time to live is off. */
  timeToLive?: string;
  pointInTimeRecovery?: { enabled: boolean; days: number; since: number };
  tags: Record<string, string>;
  resourcePolicy?: { policy: string; revision: string };
}

/** A table, the space its items are in, and its indexes. */
export interface Table {
  readonly space: number;
  readonly description: TableDescription;
  readonly settings: TableSettings;
  readonly layout: KeyLayout;
  readonly indexes: readonly Index[];
}

/** Names of the attributes an index has of an item; undefined: all of them. */
export function projectedNames(table: Table, index: Index): readonly string[] | undefined {
  const { Projection } = index.description;
  if (Projection.ProjectionType === 'ALL') return undefined;
  return [...keyNames(table, index), ...(Projection.NonKeyAttributes ?? [])];
}

/** Names of the key attributes of a table, and of an index before them. */
export function keyNames(table: Table, index?: Index): readonly string[] {
  const own = [...(index?.description.KeySchema ?? []), ...table.description.KeySchema];
  return [...new Set(own.map((it) => it.AttributeName))];
}
