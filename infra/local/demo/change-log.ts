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
  const sequenceNumbers = new Set<string>();
  let rows = 0;
  return {
    async read() {
      for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: CHANGE_LOG_PREFIX })) {
        for (const { Key = '' } of page.Contents ?? []) {
          if (read.has(Key)) continue;
          const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
          for (const row of linesOf((await Body?.transformToString()) ?? '')) {
            rows += 1;
            // The first column holds digits only, so nothing in it is escaped.
            sequenceNumbers.add(row.slice(0, row.indexOf(',')));
          }
          read.add(Key);
        }
      }
      return { files: read.size, rows, distinct: sequenceNumbers.size };
    },
  };
}

/** Rows of LazySimpleSerDe text: no value holds a raw line break. */
const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
