import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ColumnInfo } from '@aws-sdk/client-athena';
import type { DuckDBResult } from '@duckdb/node-api';
import type { ObjectStore } from '../storage/object-store.ts';
import { s3Location } from './catalog.ts';
import { type Field, formatRow } from './lazy-simple-serde.ts';
import { textWriter } from './result-text.ts';
import type { UnloadStatement } from './sql/trino-to-duckdb.ts';

/** Rows per file of an UNLOAD. Athena writes several files, as many as it has writers; readers must take any number. */
const ROWS_PER_FILE = 20_000;

/** Rows of a result as text, in batches. */
async function* rowsOf(result: DuckDBResult): AsyncGenerator<Field[][]> {
  const writers = result.columnTypes().map(textWriter);
  for await (const rows of result.yieldRows()) {
    yield rows.map((row) => row.map((value, index) => writers[index]?.(value) ?? null));
  }
}

/** Writes a query's result as Athena does: CSV with a header, every value quoted, null empty and unquoted. */
export async function writeCsv(
  objects: ObjectStore,
  location: string,
  columns: readonly ColumnInfo[],
  result: DuckDBResult,
): Promise<void> {
  const lines = [csvRow(columns.map((column) => column.Name ?? ''))];
  for await (const rows of rowsOf(result)) lines.push(...rows.map(csvRow));
  const { bucket, key } = s3Location(location);
  await objects.put(bucket, key, lines.join(''));
}

/** Reads what {@link writeCsv} wrote, header included. */
export async function readCsv(objects: ObjectStore, location: string): Promise<Field[][]> {
  const { bucket, key } = s3Location(location);
  const text = (await objects.get(bucket, key)).toString('utf8');
  const rows: Field[][] = [];
  let row: Field[] = [];
  // A value, quoted or absent, and what ends it.
  for (const [, quoted, end] of text.matchAll(/(?:"((?:[^"]|"")*)")?([,\n])/g)) {
    row.push(quoted === undefined ? null : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/**
 * Writes the files of an UNLOAD: no header, no quotes, null as \N. Files written before a failure stay, as Athena's do.
 *
 * @returns the files' s3:// locations; none for a result without rows.
 * @throws Error when the column to partition by is not the last one, or has a value that cannot name a folder.
 */
export async function writeUnload(
  objects: ObjectStore,
  statement: UnloadStatement,
  result: DuckDBResult,
): Promise<string[]> {
  const { bucket, key } = unloadTarget(statement);
  const { partitionedBy } = statement;
  if (partitionedBy !== undefined && result.columnNames().at(-1) !== partitionedBy) {
    throw new Error(`Partition keys must be the last columns in the query: ${partitionedBy}`);
  }
  const format = { fieldDelimiter: statement.fieldDelimiter, nullText: '\\N' };
  const isGzip = statement.compression === 'GZIP';
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const files: string[] = [];
  /** Lines that are not written yet, by the folder of their partition. */
  const waiting = new Map<string, string[]>();
  const writeFile = async (folder: string, lines: readonly string[]) => {
    const body = Buffer.from(lines.join(''));
    const file = `${stamp}_${String(files.length).padStart(5, '0')}_${randomUUID()}${isGzip ? '.gz' : ''}`;
    const name = `${key}${folder}${file}`;
    await objects.put(bucket, name, isGzip ? gzipSync(body) : body);
    files.push(`s3://${bucket}/${name}`);
  };
  for await (const rows of rowsOf(result)) {
    for (const row of rows) {
      const folder = partitionedBy === undefined ? '' : partitionFolder(partitionedBy, row.pop());
      const lines = waiting.get(folder) ?? [];
      waiting.set(folder, lines);
      lines.push(`${formatRow(row, format)}\n`);
      if (lines.length < ROWS_PER_FILE) continue;
      await writeFile(folder, lines);
      waiting.delete(folder);
    }
  }
  for (const [folder, lines] of waiting) await writeFile(folder, lines);
  return files;
}

/** `name=value/`. Values are taken as they are: Hive would escape some characters. */
function partitionFolder(name: string, value: Field | undefined): string {
  if (value && /^[\w.-]+$/.test(value)) return `${name}=${value}/`;
  throw new Error(`The local cloud partitions by letters, digits, dots and hyphens, not by ${JSON.stringify(value)}`);
}

/** @throws Error HIVE_PATH_ALREADY_EXISTS */
export async function checkUnloadTarget(objects: ObjectStore, statement: UnloadStatement): Promise<void> {
  const { bucket, key } = unloadTarget(statement);
  if ((await objects.list(bucket, key)).length === 0) return;
  throw new Error(
    `HIVE_PATH_ALREADY_EXISTS: Target directory for table already exists: s3://${bucket}/${key}. You may need to manually clean the data at this location before retrying. Athena will not delete data in your account.`,
  );
}

function unloadTarget({ to }: UnloadStatement): { bucket: string; key: string } {
  const { bucket, key } = s3Location(to);
  return { bucket, key: key === '' || key.endsWith('/') ? key : `${key}/` };
}

function csvRow(fields: readonly Field[]): string {
  return `${fields.map((field) => (field === null ? '' : `"${field.replaceAll('"', '""')}"`)).join(',')}\n`;
}
