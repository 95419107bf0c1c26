import type { ColumnInfo } from '@aws-sdk/client-athena';
import type { ObjectStore } from '../../storage/object-store.ts';
import { type GlueCatalog, PARQUET_SERDE, s3Location, type TableInput, TEXT_SERDE, viewInput } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { columnInfo } from '../results/result-text.ts';
import { checkIsEmpty, writeCsv, writeFiles } from '../results/results.ts';
import { SqlError } from '../sql/sql-error.ts';
import { typeName, VARCHAR } from '../sql/values/trino-types.ts';
import type { ScanSize } from '../tables/table-loader.ts';
import type { Answer } from './describe.ts';
import { hiveTypeOf } from './hive.ts';
import { partitionsOf } from './partitions.ts';
import type { Statement } from './statements.ts';

export interface Running {
  readonly objects: ObjectStore;
  readonly catalog: GlueCatalog;
  readonly engine: Engine;
  /** s3:// location of the results without their extension. */
  readonly output: string;
}

export interface Outcome {
  readonly columns: readonly ColumnInfo[];
  readonly scanned: ScanSize;
}

const NOTHING: ScanSize = { rows: 0, bytes: 0 };

/** Carries a statement out. Its results are below `output` then. @throws SqlError */
export async function run(statement: Statement, running: Running): Promise<Outcome> {
  switch (statement.kind) {
    case 'SELECT': {
      const { objects, engine, output } = running;
      const scanned = await engine.prepare(statement.scans);
      const infos = statement.columns.map(columnInfo);
      await writeCsv(objects, `${output}.csv`, statement, infos, await engine.stream(statement.sql));
      return { columns: infos, scanned };
    }
    case 'UNLOAD':
      return unload(statement, running);
    case 'CREATE_TABLE_AS_SELECT':
      return createTable(statement, running);
    case 'CREATE_VIEW':
      return createView(statement, running);
    case 'DROP_VIEW':
    case 'DROP_TABLE':
      return drop(statement, running);
    default:
      return answer(statement, running);
  }
}

async function unload(
  statement: Statement & { kind: 'UNLOAD' },
  { objects, engine, output }: Running,
): Promise<Outcome> {
  const folder = statement.to.endsWith('/') ? statement.to : `${statement.to}/`;
  await checkIsEmpty(objects, folder);
  const scanned = await engine.prepare(statement.scans);
  await writeManifest(
    objects,
    output,
    await writeFiles(engine, objects, { ...statement, translation: statement, folder }),
  );
  return { columns: [], scanned };
}

async function writeManifest(objects: ObjectStore, output: string, files: readonly string[]): Promise<void> {
  const { bucket, key } = s3Location(`${output}-manifest.csv`);
  await objects.put(bucket, key, files.map((file) => `${file}\n`).join(''));
}

async function createTable(
  statement: Statement & { kind: 'CREATE_TABLE_AS_SELECT' },
  running: Running,
): Promise<Outcome> {
  const { database, name, ifNotExists, withData, options, columns } = statement;
  const { objects, catalog, engine, output } = running;
  if (isThere(catalog, database, name)) {
    if (ifNotExists) return { columns: [], scanned: NOTHING };
    throw new SqlError('TABLE_ALREADY_EXISTS', `Table 'awsdatacatalog.${database}.${name}' already exists`);
  }
  const cut = output.lastIndexOf('/');
  const chosen = statement.location ?? `${output.slice(0, cut)}/tables/${output.slice(cut + 1)}/`;
  const folder = chosen.endsWith('/') ? chosen : `${chosen}/`;
  await checkIsEmpty(objects, folder);
  const list = columns.map((column, index) => {
    if (column.name === undefined)
      throw new SqlError('MISSING_COLUMN_NAME', `Column name not specified at position ${index + 1}`);
    const type = hiveTypeOf(column.type);
    if (!type)
      throw new SqlError(
        'NOT_SUPPORTED',
        `Unsupported Hive type: ${typeName(column.type)}, of the column ${column.name}`,
      );
    return { Name: column.name, Type: type };
  });
  const cutAt = list.length - options.partitionedBy.length;
  const input = tableInput(name, list.slice(0, cutAt), list.slice(cutAt), folder, options);
  const scanned = withData ? await engine.prepare(statement.scans) : NOTHING;
  const files = withData ? await writeFiles(engine, objects, { ...statement, translation: statement, folder }) : [];
  await writeManifest(objects, output, files);
  catalog.registerTable(database, input, { hasListedPartitions: true, isKept: true });
  return { columns: [], scanned };
}

function tableInput(
  name: string,
  columns: readonly { Name: string; Type: string }[],
  keys: readonly { Name: string; Type: string }[],
  location: string,
  { format, fieldDelimiter }: { format: string; fieldDelimiter: string },
): TableInput {
  const isParquet = format === 'PARQUET';
  const io = isParquet
    ? ['parquet.MapredParquetInputFormat', 'parquet.MapredParquetOutputFormat'].map(
        (it) => `org.apache.hadoop.hive.ql.io.${it}`,
      )
    : ['org.apache.hadoop.mapred.TextInputFormat', 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'];
  return {
    Name: name,
    TableType: 'EXTERNAL_TABLE',
    Parameters: { EXTERNAL: 'TRUE', classification: isParquet ? 'parquet' : 'csv', has_encrypted_data: 'false' },
    PartitionKeys: keys,
    StorageDescriptor: {
      Columns: columns,
      Location: location,
      InputFormat: io[0] ?? '',
      OutputFormat: io[1] ?? '',
      SerdeInfo: isParquet
        ? { SerializationLibrary: PARQUET_SERDE, Parameters: { 'serialization.format': '1' } }
        : {
            SerializationLibrary: TEXT_SERDE,
            Parameters: { 'field.delim': fieldDelimiter, 'serialization.format': fieldDelimiter },
          },
    },
  };
}

function isThere({ tables, views }: GlueCatalog, database: string, name: string): boolean {
  return tables.has(`${database}.${name}`) || views.has(`${database}.${name}`);
}

async function createView(statement: Statement & { kind: 'CREATE_VIEW' }, { catalog }: Running): Promise<Outcome> {
  const { database, name, orReplace, source, columns } = statement;
  if (catalog.tables.has(`${database}.${name}`) || (isThere(catalog, database, name) && !orReplace)) {
    throw new SqlError('TABLE_ALREADY_EXISTS', `View already exists: 'awsdatacatalog.${database}.${name}'`);
  }
  const list = columns.map((it) => ({ Name: it.name ?? '', Type: typeName(it.type) }));
  catalog.registerTable(database, viewInput(name, source, list, database), { isKept: true });
  return { columns: [], scanned: NOTHING };
}

async function drop(
  statement: Statement & { kind: 'DROP_VIEW' | 'DROP_TABLE' },
  { catalog }: Running,
): Promise<Outcome> {
  const { kind, database, name, ifExists } = statement;
  const [wanted, other] = kind === 'DROP_VIEW' ? [catalog.views, catalog.tables] : [catalog.tables, catalog.views];
  const key = `${database}.${name}`;
  if (other.has(key)) {
    const message = kind === 'DROP_VIEW' ? `${key} is a table: write DROP TABLE` : `${key} is a view: write DROP VIEW`;
    throw new SqlError('FAILED', message);
  }
  if (!wanted.has(key)) {
    if (ifExists) return { columns: [], scanned: NOTHING };
    throw new SqlError(
      kind === 'DROP_VIEW' ? 'TABLE_NOT_FOUND' : 'FAILED',
      `SemanticException [Error 10001]: Table not found ${key}`,
    );
  }
  catalog.remove(database, name);
  return { columns: [], scanned: NOTHING };
}

/** Writes the lines of an answer as text. Their columns are Hive's: strings, parted by tabs. */
async function answer(statement: Answer, { objects, output }: Running): Promise<Outcome> {
  const lines = statement.partitionsOf ? await partitionsOf(statement.partitionsOf, objects) : statement.lines;
  const { bucket, key } = s3Location(`${output}.txt`);
  await objects.put(bucket, key, lines.map((line) => `${line}\n`).join(''));
  const columns = statement.names.map((name, index) => ({
    ...columnInfo({ name, type: VARCHAR }, index),
    Type: 'string',
    Precision: 0,
    CaseSensitive: false,
  }));
  return { columns, scanned: NOTHING };
}
