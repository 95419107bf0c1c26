import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ColumnInfo } from '@aws-sdk/client-athena';
import type { DuckDBResult } from '@duckdb/node-api';
import type { ObjectStore } from '../../storage/object-store.ts';
import { s3Location } from '../catalog.ts';
import type { Engine } from '../engine.ts';
import { type Field, formatRow } from '../lazy-simple-serde.ts';
import type { OutputColumn } from '../sql/context.ts';
import type { Translation } from '../sql/sql.ts';
import { SqlError } from '../sql/sql-error.ts';
import { sqlOf } from '../sql/values/expr.ts';
import { hiveTypeOf } from '../statements/hive.ts';
import type { WriteOptions } from '../statements/write-options.ts';
import { textWriter } from './result-text.ts';

/** Rows per file of an UNLOAD. Athena writes several files, as many as it has writers; readers must take any number. */
const ROWS_PER_FILE = 20_000;

/** Source: Athena, UNLOAD and CREATE TABLE AS: at most 100 partitions. */
const PARTITIONS_MAX = 100;

/** Folder in the store's own for files that are being made. No bucket's name begins with a dot. */
const WORK_FOLDER = '.uploads';

/** Rows of a result as text, in batches. */
async function* rowsOf(result: DuckDBResult, columns: readonly OutputColumn[]): AsyncGenerator<Field[][]> {
  const writers = columns.map(({ type }) => textWriter(type));
  for await (const rows of result.yieldRows()) {
    yield rows.map((row) => row.map((value, index) => writers[index]?.(value) ?? null));
  }
}

/** Writes a query's result as Athena does: CSV with a header, every value quoted, null empty and unquoted. */
export async function writeCsv(
  objects: ObjectStore,
  location: string,
  { columns }: Translation,
  infos: readonly ColumnInfo[],
  result: DuckDBResult,
): Promise<void> {
  const lines = [csvRow(infos.map((column) => column.Name ?? ''))];
  for await (const rows of rowsOf(result, columns)) lines.push(...rows.map(csvRow));
  const { bucket, key } = s3Location(location);
  await objects.put(bucket, key, lines.join(''));
}

/** Reads what {@link writeCsv} wrote, header included. */
export async function readCsv(objects: ObjectStore, location: string): Promise<Field[][]> {
  const { bucket, key } = s3Location(location);
  const text = (await objects.get(bucket, key)).toString('utf8');
  const rows: Field[][] = [];
  let row: Field[] = [];
  for (let at = 0; at < text.length; at++) {
    let field: Field = null;
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1);
      field = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    }
    row.push(field);
    if (text[at] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** Where a quoted value ends: at a quote that is not followed by another. */
function closingQuote(text: string, from: number): number {
  let end = text.indexOf('"', from);
  while (text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end;
}

/** What is written, where. */
export interface Written {
  readonly translation: Translation;
  readonly options: WriteOptions;
  /** s3:// folder, empty, with a slash at its end. */
  readonly folder: string;
}

/**
 * Writes the files of an UNLOAD or a CREATE TABLE AS. Files written before a failure stay, as Athena's do.
 *
 * @returns the files' s3:// locations; none for a result without rows.
 * @throws SqlError when the columns to partition by are not the last ones, or have values that cannot name folders.
 */
export async function writeFiles(engine: Engine, objects: ObjectStore, written: Written): Promise<string[]> {
  const { translation, options } = written;
  const names = translation.columns.map(({ name }, index) => name ?? `_col${index}`);
  const keys = names.slice(names.length - options.partitionedBy.length);
  if (keys.some((key, index) => key !== options.partitionedBy[index])) {
    throw new SqlError(
      'HIVE_COLUMN_ORDER_MISMATCH',
      `Partition keys must be the last columns in the table and in the same order as the table properties: [${options.partitionedBy.join(', ')}]`,
    );
  }
  if (options.format === 'PARQUET') return writeParquet(engine, objects, written, names);
  return writeText(await engine.stream(translation.sql), objects, written);
}

/** No header, no quotes, null as \N. */
async function writeText(
  result: DuckDBResult,
  objects: ObjectStore,
  { translation, options, folder }: Written,
): Promise<string[]> {
  const { bucket, key } = s3Location(folder);
  const { partitionedBy, fieldDelimiter, compression } = options;
  const format = { fieldDelimiter, nullText: '\\N' };
  const isGzip = compression === 'GZIP';
  const files: string[] = [];
  /** Lines that are not written yet, by the folder of their partition. */
  const waiting = new Map<string, string[]>();
  const partitions = new Set<string>();
  const writeFile = async (partition: string, lines: readonly string[]) => {
    const body = Buffer.from(lines.join(''));
    const name = `${key}${partition}${fileName(files.length)}${isGzip ? '.gz' : ''}`;
    await objects.put(bucket, name, isGzip ? gzipSync(body) : body);
    files.push(`s3://${bucket}/${name}`);
  };
  for await (const rows of rowsOf(result, translation.columns)) {
    for (const row of rows) {
      const values = partitionedBy.length > 0 ? row.splice(row.length - partitionedBy.length) : [];
      const partition = partitionFolder(partitionedBy, values);
      partitions.add(partition);
      checkPartitions(partitions.size);
      const lines = waiting.get(partition) ?? [];
      waiting.set(partition, lines);
      lines.push(`${formatRow(row, format)}\n`);
      if (lines.length < ROWS_PER_FILE) continue;
      await writeFile(partition, lines);
      waiting.delete(partition);
    }
  }
  for (const [partition, lines] of waiting) await writeFile(partition, lines);
  return files;
}

/** One file for each partition, written by DuckDB. */
async function writeParquet(
  engine: Engine,
  objects: ObjectStore,
  written: Written,
  names: readonly string[],
): Promise<string[]> {
  const { translation, options, folder } = written;
  for (const [index, { type }] of translation.columns.entries()) {
    if (hiveTypeOf(type)) continue;
    throw new SqlError('NOT_SUPPORTED', `Unsupported Hive type: ${type.kind}, of the column ${names[index]}`);
  }
  if (new Set(names).size < names.length)
    throw new SqlError('DUPLICATE_COLUMN_NAME', `Duplicate column names: ${names.join(', ')}`);
  const { bucket, key } = s3Location(folder);
  const work = join(objects.root, WORK_FOLDER, randomUUID());
  await mkdir(work, { recursive: true });
  const table = sqlOf.name(`written ${randomUUID()}`);
  const columns = names.map(sqlOf.name);
  try {
    await engine.run(`CREATE TEMP TABLE ${table} AS SELECT * FROM (${translation.sql}) AS q(${columns.join(', ')})`);
    const count = options.partitionedBy.length;
    const [data, keys] = [columns.slice(0, columns.length - count), columns.slice(columns.length - count)];
    const keyTypes = translation.columns.slice(columns.length - count);
    const distinct =
      count > 0 ? `SELECT DISTINCT ${keys.join(', ')} FROM ${table} ORDER BY ALL` : `SELECT 1 FROM ${table} LIMIT 1`;
    const partitions = await engine.run(distinct);
    checkPartitions(partitions.length);
    const files: string[] = [];
    for (const partition of partitions) {
      const texts = keyTypes.map(({ type }, index) => textWriter(type)(partition[index] as never));
      const conditions = keys.map((it, index) =>
        texts[index] === null ? `${it} IS NULL` : `CAST(${it} AS VARCHAR) = ${sqlOf.text(texts[index] ?? '')}`,
      );
      const where = count > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
      const file = join(work, String(files.length));
      const codec = options.compression === 'NONE' ? 'UNCOMPRESSED' : options.compression;
      await engine.run(
        `COPY (SELECT ${data.join(', ')} FROM ${table}${where}) TO ${sqlOf.text(file)} (FORMAT parquet, COMPRESSION ${codec})`,
      );
      const name = `${key}${partitionFolder(options.partitionedBy, texts)}${fileName(files.length)}`;
      await objects.put(bucket, name, await readFile(file));
      files.push(`s3://${bucket}/${name}`);
    }
    return files;
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${table}`);
    await rm(work, { recursive: true, force: true });
  }
}

function fileName(count: number): string {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  return `${stamp}_${String(count).padStart(5, '0')}_${randomUUID()}`;
}

function checkPartitions(count: number): void {
  if (count <= PARTITIONS_MAX) return;
  const message = `Exceeded limit of ${PARTITIONS_MAX} open writers for partitions/buckets. Write fewer partitions in one statement`;
  throw new SqlError('HIVE_TOO_MANY_OPEN_PARTITIONS', message);
}

/** `name=value/`. Values are taken as they are: Hive would escape some characters. */
function partitionFolder(names: readonly string[], values: readonly Field[]): string {
  return names
    .map((name, index) => {
      const value = values[index] ?? '__HIVE_DEFAULT_PARTITION__';
      if (/^[\w.-]+$/.test(value)) return `${name}=${value}/`;
      throw new SqlError(
        'NOT_SUPPORTED',
        `The local Athena partitions by letters, digits, dots and hyphens, not by ${JSON.stringify(value)}`,
      );
    })
    .join('');
}

/** @throws SqlError HIVE_PATH_ALREADY_EXISTS */
export async function checkIsEmpty(objects: ObjectStore, folder: string): Promise<void> {
  const { bucket, key } = s3Location(folder);
  if ((await objects.list(bucket, key)).length === 0) return;
  throw new SqlError(
    'HIVE_PATH_ALREADY_EXISTS',
    `Target directory for table already exists: ${folder}. You may need to manually clean the data at this location before retrying. Athena will not delete data in your account.`,
  );
}

function csvRow(fields: readonly Field[]): string {
  return `${fields.map((field) => (field === null ? '' : `"${field.replaceAll('"', '""')}"`)).join(',')}\n`;
}
