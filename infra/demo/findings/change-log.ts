import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';

/** Prefix of the change log in the data bucket. */
const CHANGE_LOG_PREFIX = 'change-log/';

/** The change log's files as they lie in S3, each read once. */
export interface ChangeLogReader {
  /** Counts what is there now. */
  read(): Promise<{ files: number; rows: number; distinct: number }>;
}

export function changeLogReader(s3: S3Client, bucket: string): ChangeLogReader {
  const read = new Set<string>();
  const sequenceNumbers = new Set<bigint>();
  let rows = 0;
  return {
    async read() {
      for await (const { key, text } of textsUnder(s3, bucket, CHANGE_LOG_PREFIX, (key) => !read.has(key))) {
        for (const row of rowsOf(text)) {
          rows += 1;
          sequenceNumbers.add(sequenceNumberOf(row));
        }
        read.add(key);
      }
      return { files: read.size, rows, distinct: sequenceNumbers.size };
    },
  };
}

/** The first column of a row, which is digits only. As a piece of the row's text it would keep the whole file in memory. */
const sequenceNumberOf = (row: string): bigint => BigInt(row.slice(0, row.indexOf(',')));

/** Rows of LazySimpleSerDe text: no value holds a raw line break. */
const rowsOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Objects under a prefix as text, in the order of their keys. */
export async function* textsUnder(
  s3: S3Client,
  bucket: string,
  prefix: string,
  wanted: (key: string) => boolean = () => true,
): AsyncGenerator<{ key: string; text: string }> {
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key: key = '' } of page.Contents ?? []) {
      if (!wanted(key)) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      yield { key, text: (await Body?.transformToString()) ?? '' };
    }
  }
}
