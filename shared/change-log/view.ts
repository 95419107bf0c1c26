import { columnsOf, type Feature, type FeatureGroup, type Label } from '../definition/feature-group.ts';
import { LATEST_FROM_HISTORY_VIEW, LATEST_VIEW, sqlName } from './sql.ts';

/** Views as Athena itself keeps them in Glue, so that whoever may update a table of Glue's may swap a view's SQL at once. */

/** A column's type by its two names: Hive's in Glue's tables, Trino's in Athena's views. */
export type ColumnType = { readonly hive: string; readonly trino: string };

export const TEXT: ColumnType = { hive: 'string', trino: 'varchar' };
const FLAG: ColumnType = { hive: 'tinyint', trino: 'tinyint' };
const INTEGER: ColumnType = { hive: 'bigint', trino: 'bigint' };
const DOUBLE: ColumnType = { hive: 'double', trino: 'double' };

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** What tables show of it. Views have none: they are swapped by SQL alone. */
  readonly comment?: string | undefined;
}

/** Type of the column of a feature or the label. @param label of the definition. */
export function columnType(feature: Feature | 'label', label: Label | undefined): ColumnType {
  if (feature === 'label') return label?.type ? DOUBLE : FLAG;
  switch (feature.type) {
    case 'boolean':
      return FLAG;
    case 'integral':
      return INTEGER;
    case 'fractional':
    case 'timestamp':
      return DOUBLE;
    case 'string':
    case 'categorical':
    case 'hashed':
      return TEXT;
  }
}

/** Columns of the features and the label, as Glue knows them. */
export const featureColumns = (group: FeatureGroup): Column[] =>
  columnsOf(group).map(({ name, feature }) => ({
    ...{ name: name.toLowerCase(), type: columnType(feature, group.label) },
    comment: feature === 'label' ? undefined : columnComment(feature),
  }));

/** What a definition says of a feature in words. */
export function columnComment({ description, personal }: Feature): string | undefined {
  const parts = [...(description === undefined ? [] : [description]), ...(personal ? ['(personal data)'] : [])];
  return parts.length > 0 ? parts.join(' ') : undefined;
}

/** Columns of the live rows. */
export const latestColumns = (group: FeatureGroup): Column[] => [
  { name: group.recordIdentifier.name.toLowerCase(), type: TEXT },
  { name: 'event_time', type: TEXT },
  ...featureColumns(group),
];

/**
 * The live rows as they are shown before there is a snapshot. It says nothing that only a new version of the project
 * changes: a deployment puts it back only where columns have changed, which the view of a snapshot would not have.
 */
export const latestBeforeSnapshotsSql = (group: FeatureGroup, database: string): string =>
  `SELECT ${latestColumns(group)
    .map(({ name }) => sqlName(name))
    .join(', ')}
FROM ${sqlName(database)}.${sqlName(LATEST_FROM_HISTORY_VIEW)}`;

/** The view of the live rows, by this SQL. */
export const latestView = (group: FeatureGroup, database: string, sql: string) =>
  viewInput(LATEST_VIEW, database, sql, latestColumns(group));

/** Glue's TableInput of a view: its SQL and columns as JSON in base64. */
export function viewInput(name: string, database: string, sql: string, columns: readonly Column[]) {
  const presto = {
    originalSql: sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: columns.map((column) => ({ name: column.name, type: column.type.trino })),
  };
  return {
    Name: name,
    TableType: 'VIRTUAL_VIEW',
    Parameters: { presto_view: 'true', comment: 'Presto View' },
    ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(presto)).toString('base64')} */`,
    ViewExpandedText: '/* Presto View */',
    StorageDescriptor: {
      Columns: columns.map((column) => ({ Name: column.name, Type: column.type.hive })),
      SerdeInfo: {},
    },
  };
}
