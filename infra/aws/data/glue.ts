import { CHANGE_COLUMNS } from '../../../shared/change-log/row.ts';
import {
  CHANGE_LOG_PREFIX,
  CHANGE_LOG_TABLE,
  CHANGE_LOG_TEXTS_TABLE,
  DATASOURCE_VIEW,
  datasourceSql,
  LATEST_FROM_HISTORY_VIEW,
  latestRowsSql,
} from '../../../shared/change-log/sql.ts';
import {
  type Column,
  type ColumnType,
  columnComment,
  columnType,
  featureColumns,
  latestBeforeSnapshotsSql,
  latestColumns,
  latestView,
  TEXT,
  viewInput,
} from '../../../shared/change-log/view.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import {
  PREDICTION_COLUMNS,
  PREDICTION_LOG_PREFIX,
  PREDICTION_LOG_TABLE,
  type PredictionColumn,
} from '../../../shared/prediction-log/row.ts';
import {
  SNAPSHOT_KEY,
  SNAPSHOT_PART_KEY,
  SNAPSHOT_PARTS,
  SNAPSHOT_TABLE,
  SNAPSHOTS_PREFIX,
  type SnapshotColumn,
  snapshotColumns,
} from '../../../shared/training/snapshot.ts';
import { type Intrinsic, join, type Resource, type Resources, ref } from '../cloudformation/intrinsics.ts';

/** First day of the partitions: no log is older than this. Every day after it costs a listing, if it is empty. */
const FIRST_DAY = '2026-01-01';

const BOOLEAN: ColumnType = { hive: 'boolean', trino: 'boolean' };

/** Columns of the prediction log that are no texts. */
const PREDICTION_TYPES: Partial<Record<PredictionColumn, ColumnType>> = {
  score: { hive: 'double', trino: 'double' },
  threshold: { hive: 'double', trino: 'double' },
  predicted_label: columnType('label', undefined),
};

/** Text in the form of the change log. */
const TEXT_FILES = {
  classification: 'csv',
  InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  SerdeInfo: {
    SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
    Parameters: { 'field.delim': ',', 'escape.delim': '\\', 'serialization.null.format': '\\N' },
  },
};

/** Parquet, whose columns Athena finds by their names. */
const PARQUET_FILES = {
  classification: 'parquet',
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerdeInfo: {
    SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
    Parameters: { 'serialization.format': '1' },
  },
};

const typeOf = (holds: SnapshotColumn['holds'], label: FeatureGroup['label']): ColumnType =>
  holds === 'text' || holds === 'record' ? TEXT : columnType(holds, label);

/** Athena's database: the change log as a table, the views over it, and its snapshots. */
export function glueDatabase(group: FeatureGroup, database: string): Resources {
  const recordIdentifier = { name: group.recordIdentifier.name.toLowerCase(), type: TEXT };
  const features = featureColumns(group);
  const texts = features.map((it) => ({ ...it, type: TEXT }));
  const change = CHANGE_COLUMNS.map((name) => ({ name, type: name === 'ttl_expired' ? BOOLEAN : TEXT }));
  const fromHistory = latestRowsSql(group, database);
  return {
    GlueDatabase: {
      Type: 'AWS::Glue::Database',
      Properties: { CatalogId: ref('AWS::AccountId'), DatabaseInput: { Name: database } },
    },
    ChangeLogTable: changeLogTable(CHANGE_LOG_TABLE, [...change, recordIdentifier, ...features]),
    ChangeLogTextsTable: changeLogTable(CHANGE_LOG_TEXTS_TABLE, [...change, recordIdentifier, ...texts]),
    SnapshotsTable: snapshotsTable(group),
    LatestFromHistoryView: table(viewInput(LATEST_FROM_HISTORY_VIEW, database, fromHistory, latestColumns(group))),
    // Swapped after each snapshot. CloudFormation puts this back only where the columns are others.
    LatestView: table(latestView(group, database, latestBeforeSnapshotsSql(group, database))),
    DatasourceView: table(viewInput(DATASOURCE_VIEW, database, datasourceSql(group, database), features)),
  };
}

const changeLogTable = (name: string, columns: readonly Column[]): Resource =>
  dailyTable(name, columns, CHANGE_LOG_PREFIX);

/** The predictions that predict keeps. */
export function predictionLogTable(): Resources {
  const columns = PREDICTION_COLUMNS.map((name) => ({ name, type: PREDICTION_TYPES[name] ?? TEXT }));
  return { PredictionLogTable: dailyTable(PREDICTION_LOG_TABLE, columns, PREDICTION_LOG_PREFIX) };
}

/** A table over text in a folder for each day of arrival. */
function dailyTable(name: string, columns: readonly Column[], prefix: string): Resource {
  const location = join('s3://', ref('DataBucket'), `/${prefix}`);
  return projectedTable(name, columns, ['dt'], TEXT_FILES, location, {
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
function snapshotsTable(group: FeatureGroup): Resource {
  const location = join('s3://', ref('DataBucket'), `/${SNAPSHOTS_PREFIX}`);
  const columns = snapshotColumns(group).map(({ name, holds }) => ({
    ...{ name: name.toLowerCase(), type: typeOf(holds, group.label) },
    comment: typeof holds === 'string' ? undefined : columnComment(holds),
  }));
  return projectedTable(SNAPSHOT_TABLE, columns, [SNAPSHOT_KEY, SNAPSHOT_PART_KEY], PARQUET_FILES, location, {
    [`projection.${SNAPSHOT_KEY}.type`]: 'injected',
    [`projection.${SNAPSHOT_PART_KEY}.type`]: 'enum',
    [`projection.${SNAPSHOT_PART_KEY}.values`]: SNAPSHOT_PARTS.join(),
    'storage.location.template': join(
      ...[location, '$', `{${SNAPSHOT_KEY}}/${SNAPSHOT_PART_KEY}=`, '$', `{${SNAPSHOT_PART_KEY}}/`],
    ),
  });
}

/** A table over files of one format, partitioned by keys whose values are projected. */
function projectedTable(
  name: string,
  columns: readonly Column[],
  partitionKeys: readonly string[],
  { classification, ...files }: typeof TEXT_FILES | typeof PARQUET_FILES,
  location: Intrinsic,
  projection: Readonly<Record<string, string | Intrinsic>>,
): Resource {
  return table({
    Name: name,
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: partitionKeys.map((key) => ({ Name: key, Type: 'string' })),
    Parameters: { EXTERNAL: 'TRUE', classification, 'projection.enabled': 'true', ...projection },
    StorageDescriptor: {
      Columns: columns.map(({ name: Name, type, comment }) => ({
        ...{ Name, Type: type.hive },
        ...(comment !== undefined && { Comment: comment }),
      })),
      Location: location,
      ...files,
    },
  });
}

function table(input: Readonly<Record<string, string | object | Intrinsic>>): Resource {
  return {
    Type: 'AWS::Glue::Table',
    Properties: { CatalogId: ref('AWS::AccountId'), DatabaseName: ref('GlueDatabase'), TableInput: input },
  };
}
