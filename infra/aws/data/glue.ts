import { CHANGE_COLUMNS } from '../../../shared/change-log/row.ts';
import {
  CHANGE_LOG_TABLE,
  DATASOURCE_VIEW,
  datasourceSql,
  LATEST_VIEW,
  latestRowsSql,
} from '../../../shared/change-log/sql.ts';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import {
  SNAPSHOT_KEY,
  SNAPSHOT_TABLE,
  type SnapshotColumn,
  snapshotColumns,
  snapshotsFolder,
} from '../../../shared/training/snapshot.ts';
import { type Intrinsic, join, type Resource, type Resources, ref } from '../cloudformation/intrinsics.ts';
import { CHANGE_LOG_PREFIX } from './buckets.ts';

/** First day of the partitions: no change log is older than this. Every day after it costs a listing, if it is empty. */
const FIRST_DAY = '2026-01-01';

/** A column's type by its two names: Hive's in Glue's tables, Trino's in Athena's views. */
type ColumnType = { readonly hive: string; readonly trino: string };
const TEXT: ColumnType = { hive: 'string', trino: 'varchar' };
const BOOLEAN: ColumnType = { hive: 'boolean', trino: 'boolean' };
const FLAG: ColumnType = { hive: 'tinyint', trino: 'tinyint' };
const INTEGER: ColumnType = { hive: 'bigint', trino: 'bigint' };
const DOUBLE: ColumnType = { hive: 'double', trino: 'double' };

interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

function typeOf(feature: SnapshotColumn['holds']): ColumnType {
  if (feature === 'label') return FLAG;
  if (feature === 'text' || feature === 'record') return TEXT;
  switch (feature.type) {
    case 'boolean':
      return FLAG;
    case 'integral':
      return INTEGER;
    case 'fractional':
      return DOUBLE;
    case 'string':
    case 'categorical':
      return TEXT;
  }
}

/** Athena's database: the change log as a table, the views over it, and the snapshots that trainings are made from. */
export function glueDatabase(group: FeatureGroup, database: string): Resources {
  const recordIdentifier = { name: group.recordIdentifier.name.toLowerCase(), type: TEXT };
  const features = columnsOf(group).map(({ name, feature }) => ({ name: name.toLowerCase(), type: typeOf(feature) }));
  const change = CHANGE_COLUMNS.map((name) => ({ name, type: name === 'ttl_expired' ? BOOLEAN : TEXT }));
  const latest = [recordIdentifier, { name: 'event_time', type: TEXT }, ...features];
  return {
    GlueDatabase: {
      Type: 'AWS::Glue::Database',
      Properties: { CatalogId: ref('AWS::AccountId'), DatabaseInput: { Name: database } },
    },
    ChangeLogTable: changeLogTable([...change, recordIdentifier, ...features]),
    SnapshotTable: snapshotTable(group),
    LatestView: view(LATEST_VIEW, database, latestRowsSql(group, database), latest),
    DatasourceView: view(DATASOURCE_VIEW, database, datasourceSql(group, database), features),
  };
}

function changeLogTable(columns: readonly Column[]): Resource {
  const location = join('s3://', ref('DataBucket'), `/${CHANGE_LOG_PREFIX}`);
  return textTable(CHANGE_LOG_TABLE, columns, location, 'dt', {
    // Partition projection: Athena works the days out itself, so no crawler and no statement per day is needed.
    'projection.dt.type': 'date',
    'projection.dt.format': 'yyyy-MM-dd',
    'projection.dt.range': `${FIRST_DAY},NOW+1DAYS`,
    'projection.dt.interval': '1',
    'projection.dt.interval.unit': 'DAYS',
    'storage.location.template': join(location, 'dt=$', '{dt}/'),
  });
}

/** All snapshots under one table: UNLOAD writes none, but a folder, and a query names the folder that it reads. */
function snapshotTable(group: FeatureGroup): Resource {
  const location = join('s3://', ref('DataBucket'), `/${snapshotsFolder(group)}`);
  const columns = snapshotColumns(group).map(({ name, holds }) => ({ name: name.toLowerCase(), type: typeOf(holds) }));
  return textTable(SNAPSHOT_TABLE, columns, location, SNAPSHOT_KEY, {
    [`projection.${SNAPSHOT_KEY}.type`]: 'injected',
    'storage.location.template': join(location, '$', `{${SNAPSHOT_KEY}}/`),
  });
}

/** A table over text in the form of the change log, partitioned by one key whose values are projected. */
function textTable(
  name: string,
  columns: readonly Column[],
  location: Intrinsic,
  partitionKey: string,
  projection: Readonly<Record<string, string | Intrinsic>>,
): Resource {
  return table({
    Name: name,
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: [{ Name: partitionKey, Type: 'string' }],
    Parameters: { EXTERNAL: 'TRUE', classification: 'csv', 'projection.enabled': 'true', ...projection },
    StorageDescriptor: {
      Columns: columns.map((column) => ({ Name: column.name, Type: column.type.hive })),
      Location: location,
      InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
      OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
      SerdeInfo: {
        SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
        Parameters: { 'field.delim': ',', 'escape.delim': '\\', 'serialization.null.format': '\\N' },
      },
    },
  });
}

/** A view as Athena itself stores one: its SQL and columns as JSON in base64. */
function view(name: string, database: string, sql: string, columns: readonly Column[]): Resource {
  const presto = {
    originalSql: sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: columns.map((column) => ({ name: column.name, type: column.type.trino })),
  };
  return table({
    Name: name,
    TableType: 'VIRTUAL_VIEW',
    Parameters: { presto_view: 'true', comment: 'Presto View' },
    ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(presto)).toString('base64')} */`,
    ViewExpandedText: '/* Presto View */',
    StorageDescriptor: {
      Columns: columns.map((column) => ({ Name: column.name, Type: column.type.hive })),
      SerdeInfo: {},
    },
  });
}

function table(input: Readonly<Record<string, string | object | Intrinsic>>): Resource {
  return {
    Type: 'AWS::Glue::Table',
    Properties: { CatalogId: ref('AWS::AccountId'), DatabaseName: ref('GlueDatabase'), TableInput: input },
  };
}
