import { createWriteStream } from 'node:fs';
import { access, constants, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { sqlText } from '../../shared/change-log/sql.ts';
import type { Column } from './query.ts';

/** Formats of a file, and how DuckDB writes each. In CSV, NULL is nothing and an empty text is `""`. */
const FORMATS = {
  csv: "FORMAT csv, HEADER true, NULLSTR ''",
  parquet: 'FORMAT parquet, COMPRESSION zstd',
} as const;

export type Format = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as Format[];

/** Column of the part that a source's rows are of. */
const PART = 'part';

/** DuckDB's type for each of Athena's that a definition's columns have; anything else stays text. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ boolean: 'BOOLEAN', tinyint: 'TINYINT', integer: 'INTEGER', bigint: 'BIGINT', double: 'DOUBLE' },
};

/** CSV in S3 that goes into the file: every line, or those of one part. */
interface Source {
  readonly bucket: string;
  readonly key: string;
  readonly part?: string;
}

/** What a file is made of. */
export interface Contents {
  readonly sources: readonly Source[];
  /** Whether each source begins with a line of names. */
  readonly header: boolean;
  /** Of the sources, and so of the file, but for the part. */
  readonly columns: readonly Column[];
  /** Columns whose order the rows get; none: as they come. */
  readonly orderBy: readonly string[];
}

/** Names of the file's columns, the part included. */
export const columnNames = ({ columns, sources }: Contents): string[] => [
  ...columns.map(({ name }) => name),
  ...(sources.some(({ part }) => part !== undefined) ? [PART] : []),
];

/** @throws Error before any work is done, when the file could not be written after it. */
export async function expectWritable(file: string): Promise<void> {
  await access(dirname(resolve(file)), constants.W_OK).catch((cause: Error) => {
    throw new Error(`--out: found ${file}, expected a file in a folder that is there and can be written.`, { cause });
  });
}

/**
 * Writes a file by DuckDB, the whole of it or nothing: it is made beside its place, and moved there once it is complete.
 *
 * @returns how many rows and bytes it has.
 */
export async function writeDataFile(
  s3: S3Client,
  contents: Contents,
  file: string,
  format: Format,
): Promise<{ rows: number; bytes: number }> {
  const out = resolve(file);
  const work = await mkdtemp(join(dirname(out), `.${basename(out)}-`));
  try {
    const selects: string[] = [];
    for (const [index, source] of contents.sources.entries()) {
      const local = join(work, `${index}.csv`);
      await download(s3, source, local);
      if ((await stat(local)).size > 0) selects.push(selectSql(contents, source, local));
    }
    const made = join(work, 'made');
    const order = contents.orderBy.length === 0 ? '' : ` ORDER BY ${contents.orderBy.map(duckName).join(', ')}`;
    const rows = await copy(`(${selects.join('\nUNION ALL\n')}${order})`, made, format, join(work, 'spilled'));
    const { size: bytes } = await stat(made);
    await rename(made, out);
    return { rows, bytes };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(s3: S3Client, { bucket, key }: Source, file: string): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  await pipeline(Body as Readable, createWriteStream(file, { mode: 0o600 }));
}

function selectSql({ columns, header }: Contents, { part }: Source, file: string): string {
  const types = columns.map(({ name, type }) => `${sqlText(name)}: '${TYPES[type] ?? 'VARCHAR'}'`);
  // Athena quotes every value but NULL, so that an empty text is told from it.
  const options = `header = ${header}, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false`;
  const read = `read_csv(${sqlText(file)}, auto_detect = false, ${options}, columns = {${types.join(', ')}})`;
  return `SELECT *${part === undefined ? '' : `, ${sqlText(part)} AS ${duckName(PART)}`} FROM ${read}`;
}

async function copy(select: string, file: string, format: Format, spillFolder: string): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { temp_directory: spillFolder });
  try {
    const connection = await instance.connect();
    const result = await connection.run(`COPY ${select} TO ${sqlText(file)} (${FORMATS[format]})`);
    return result.rowsChanged;
  } finally {
    instance.closeSync();
  }
}

const duckName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
