import { hash } from 'node:crypto';
import { columnsOf, type FeatureGroup } from '../definition/feature-group.ts';
import { fieldText } from './row.ts';
import { CHANGE_LOG_TEXTS_TABLE, changesSql, latestChangesSql, latestRowsOf, sqlName, sqlText } from './sql.ts';

/**
 * Digests of records, by which two stores are held against each other without moving either: each record falls into a
 * bucket by its identifier, and of a bucket its records are counted and their digests added up. A sum, as two equal
 * records would cancel each other out in an exclusive or.
 *
 * A digest is of the record's text: identifier, features and label as a row of the change log has them. Athena makes the
 * same of the change log, digit by digit, as {@link CHANGE_LOG_TEXTS_TABLE} holds texts.
 */

/** Hexadecimal digits of MD5 that name a bucket, and that each half of a digest has: sums of halves stay exact. */
const BUCKET_DIGITS = 4;
const HALF_DIGITS = 7;
export const BUCKETS = 16 ** BUCKET_DIGITS;

/** A record's features and label, in the order of `columnsOf`; null where there is none. */
export type RecordTexts = readonly (string | null)[];

/** A record in few bytes. */
export interface Digest {
  /** 0 up to {@link BUCKETS}. */
  readonly bucket: number;
  readonly high: number;
  readonly low: number;
}

/** What a digest is made of. */
export const recordText = (id: string, texts: RecordTexts): string => [id, ...texts].map(fieldText).join(',');

/** The bucket and the digest of a record. */
export function digestOf(id: string, texts: RecordTexts): Digest {
  const digest = hash('md5', recordText(id, texts));
  return {
    bucket: bucketOf(id),
    high: Number.parseInt(digest.slice(0, HALF_DIGITS), 16),
    low: Number.parseInt(digest.slice(HALF_DIGITS, 2 * HALF_DIGITS), 16),
  };
}

/** The bucket of a record, by its identifier alone. */
export const bucketOf = (id: string): number => Number.parseInt(hash('md5', id).slice(0, BUCKET_DIGITS), 16);

/** Counts and sums of all buckets: 1.5 MB, however many records there are. */
export class DigestSums {
  readonly #counts = new Float64Array(BUCKETS);
  readonly #high = new Float64Array(BUCKETS);
  readonly #low = new Float64Array(BUCKETS);

  add({ bucket, high, low }: Digest, count = 1): void {
    this.#counts[bucket] = this.count(bucket) + count;
    this.#high[bucket] = (this.#high[bucket] ?? 0) + high;
    this.#low[bucket] = (this.#low[bucket] ?? 0) + low;
  }

  count(bucket: number): number {
    return this.#counts[bucket] ?? 0;
  }

  /** Buckets in which two sets of records differ, in ascending order. */
  differing(other: DigestSums): number[] {
    const differ: number[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const isSame =
        this.#counts[bucket] === other.#counts[bucket] &&
        this.#high[bucket] === other.#high[bucket] &&
        this.#low[bucket] === other.#low[bucket];
      if (!isSame) differ.push(bucket);
    }
    return differ;
  }
}

/** Of each bucket of the live rows: number, count, and the sums of both halves. */
export function digestSumsSql(group: FeatureGroup, database: string): string {
  return `SELECT "bucket", count(*) AS "records", sum("high") AS "high", sum("low") AS "low"
FROM (
${digestsSql(group, database)}
) AS "digests"
GROUP BY "bucket"`;
}

/** Of each live row that falls into one of these buckets: record identifier, and both halves of its digest. */
export function digestsOfSql(group: FeatureGroup, database: string, buckets: readonly number[]): string {
  return `SELECT "record", "high", "low"
FROM (
${digestsSql(group, database)}
) AS "digests"
WHERE "bucket" IN (${buckets.join(', ')})`;
}

/** Of each of these records its latest change, deletions included: identifier, number, name, event time, texts. */
export function latestTextsSql(group: FeatureGroup, database: string, ids: readonly string[]): string {
  const record = sqlName(group.recordIdentifier.name);
  const columns = columnsOf(group).map(({ name }) => sqlName(name));
  const changes = `SELECT * FROM (
${textsSql(group, database)}
) AS "all_changes"
WHERE ${record} IN (${ids.map(sqlText).join(', ')})`;
  return `SELECT ${[record, '"sequence_number"', '"event_name"', '"event_time"', ...columns].join(', ')}
FROM (
${latestChangesSql(group, changes)}
) AS "latest_changes"`;
}

const textsSql = (group: FeatureGroup, database: string): string =>
  changesSql(group, database, '*', undefined, CHANGE_LOG_TEXTS_TABLE);

function digestsSql(group: FeatureGroup, database: string): string {
  const record = sqlName(group.recordIdentifier.name);
  const fields = [group.recordIdentifier.name, ...columnsOf(group).map(({ name }) => name)].map(fieldSql);
  const md5 = (text: string) => `to_hex(md5(to_utf8(${text})))`;
  const number = (digits: string) => `from_base(${digits}, 16)`;
  return `SELECT "record", ${number(`substr("of_record", 1, ${BUCKET_DIGITS})`)} AS "bucket",
  ${number(`substr("of_text", 1, ${HALF_DIGITS})`)} AS "high",
  ${number(`substr("of_text", ${HALF_DIGITS + 1}, ${HALF_DIGITS})`)} AS "low"
FROM (
  SELECT ${record} AS "record", ${md5(record)} AS "of_record", ${md5(fields.join(" || ',' || "))} AS "of_text"
  FROM (
${latestRowsOf(group, latestChangesSql(group, textsSql(group, database)))}
  ) AS "latest_rows"
) AS "hashes"`;
}

/** A column as {@link fieldText} writes it. */
function fieldSql(name: string): string {
  const column = sqlName(name);
  const escaped = `replace(replace(${column}, ${sqlText('\\')}, ${sqlText('\\\\')}), ',', ${sqlText('\\,')})`;
  return `COALESCE(${escaped}, ${sqlText(fieldText(null))})`;
}
