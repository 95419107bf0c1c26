import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type {
  DescribeContinuousBackupsOutput,
  DescribeExportInput,
  ExportDescription,
  ExportTableToPointInTimeInput,
  ListExportsInput,
} from '@aws-sdk/client-dynamodb';
import { AwsError, notImplemented, refuseUnknown } from '../../protocol/aws-error.ts';
import { pageOf } from '../../protocol/page.ts';
import type { Operation } from '../../protocol/service.ts';
import { manifestKey, objectsOf } from './layout.ts';
import { SNAPSHOT_OPERATION, type TableSnapshot } from './snapshot.ts';

/** Where exports are written to. */
export interface ExportBuckets {
  hasBucket(bucket: string): Promise<boolean>;
  put(bucket: string, key: string, body: Uint8Array): Promise<unknown>;
}

/** What exports stand on: where they are remembered, where they go, and the engine. */
export interface ExportsOptions {
  readonly db: DatabaseSync;
  readonly buckets: ExportBuckets;
  /** Calls an operation of the engine. */
  readonly call: (operation: string, input: object) => Promise<unknown>;
}

/** Time for which a client token stands for the same export. Source: ExportTableToPointInTime, ClientToken: 8 hours. */
const TOKEN_MS = 8 * 3_600_000;
/** Exports of a page. Source: ListExports, MaxResults 1 to 25. */
const PAGE_MAX = 25;
/** Time for which exports are listed. Source: "Requesting a table export": 90 days. */
const LISTED_MS = 90 * 86_400_000;

const HONOURED = ['TableArn', 'S3Bucket', 'S3Prefix', 'ClientToken', 'ExportFormat', 'ExportType', 'ExportTime'].concat(
  ...['S3BucketOwner', 'S3SseAlgorithm', 'S3SseKmsKeyId'],
);

/** As it is kept and answered: times are numbers on the wire. */
type Kept = Omit<ExportDescription, 'ExportTime' | 'StartTime' | 'EndTime'> & {
  readonly ExportArn: string;
  readonly ExportTime: number;
  readonly StartTime: number;
  readonly EndTime?: number;
};

/**
 * Exports of tables to S3 in the layout of AWS: full ones, as of the moment of the request. The local cloud keeps no
 * history, so it refuses those of a moment before, and incremental ones.
 */
export function exportOperations({ db, buckets, call }: ExportsOptions): Readonly<Record<string, Operation>> {
  db.exec(
    'CREATE TABLE IF NOT EXISTS table_exports (arn TEXT PRIMARY KEY, started INTEGER, request TEXT, export TEXT)',
  );
  const insert = db.prepare('INSERT INTO table_exports VALUES (?, ?, ?, ?)');
  const update = db.prepare('UPDATE table_exports SET export = ? WHERE arn = ?');
  const all = (): { request: string; kept: Kept }[] =>
    db
      .prepare('SELECT request, export FROM table_exports WHERE started > ? ORDER BY started DESC, arn')
      .all(Date.now() - LISTED_MS)
      .map((row) => ({ request: String(row.request), kept: JSON.parse(String(row.export)) as Kept }));
  const save = (kept: Kept) => update.run(JSON.stringify(kept), kept.ExportArn);
  const ended = (kept: Kept, outcome: Partial<Kept>) =>
    save({ ...kept, ...outcome, EndTime: Math.floor(Date.now() / 1_000) });
  // Whoever exported has gone.
  for (const { kept } of all()) {
    if (kept.ExportStatus === 'IN_PROGRESS') ended(kept, failed('InternalServerError', 'The local cloud was ended.'));
  }

  async function write(kept: Kept, snapshot: TableSnapshot): Promise<void> {
    const { S3Bucket = '', S3Prefix } = kept;
    if (!(await buckets.hasBucket(S3Bucket))) {
      ended(kept, failed('S3NoSuchBucket', 'The specified bucket does not exist'));
      return;
    }
    const times = { exportTimeMs: kept.ExportTime * 1_000, startTimeMs: kept.StartTime * 1_000 };
    const of = {
      ...{ arn: kept.ExportArn, tableArn: kept.TableArn ?? '', bucket: S3Bucket, prefix: S3Prefix, ...times },
      ...{ sseAlgorithm: kept.S3SseAlgorithm ?? 'AES256', sseKmsKeyId: kept.S3SseKmsKeyId },
    };
    for (const [key, content] of objectsOf(of, snapshot)) await buckets.put(S3Bucket, key, content);
    ended(kept, {
      ...{ ExportStatus: 'COMPLETED', ExportManifest: manifestKey(of) },
      ...{ BilledSizeBytes: snapshot.bytes, ItemCount: snapshot.items.length },
    });
  }

  return {
    ExportTableToPointInTime: async (input: ExportTableToPointInTimeInput) => {
      refuseUnknown('dynamodb', 'ExportTableToPointInTime', input, [...HONOURED, 'IncrementalExportSpecification']);
      const { TableArn = '', S3Bucket = '', ClientToken } = checked(input);
      const request = JSON.stringify(Object.entries(input).sort());
      if (ClientToken !== undefined) {
        const before = all().find(
          ({ kept }) => kept.ClientToken === ClientToken && kept.StartTime * 1_000 > Date.now() - TOKEN_MS,
        );
        if (before?.request === request) return { ExportDescription: before.kept };
        if (before) {
          const message = 'An export with this client token was requested with other parameters';
          throw new AwsError('ExportConflictException', message);
        }
      }
      const nowMs = Date.now();
      await checkTable(call, TableArn, epochMillis(input.ExportTime), nowMs);
      const TableName = TableArn.replace(/^.*\//, '');
      const snapshot = (await call(SNAPSHOT_OPERATION, { TableName })) as TableSnapshot;
      const id = `0${Date.now()}-${randomBytes(4).toString('hex')}`;
      const kept: Kept = {
        ...{ ExportArn: `${TableArn}/export/${id}`, ExportStatus: 'IN_PROGRESS', TableArn, TableId: snapshot.tableId },
        ...{ StartTime: Math.floor(nowMs / 1_000), ExportTime: Date.now() / 1_000, S3Bucket },
        ...(ClientToken !== undefined && { ClientToken }),
        ...(input.S3Prefix !== undefined && { S3Prefix: input.S3Prefix }),
        ...(input.S3BucketOwner !== undefined && { S3BucketOwner: input.S3BucketOwner }),
        ...{ S3SseAlgorithm: input.S3SseAlgorithm ?? 'AES256' },
        ...(input.S3SseKmsKeyId !== undefined && { S3SseKmsKeyId: input.S3SseKmsKeyId }),
        ...{ ExportFormat: 'DYNAMODB_JSON', ExportType: 'FULL_EXPORT' },
      };
      insert.run(kept.ExportArn, nowMs, request, JSON.stringify(kept));
      write(kept, snapshot).catch((error: Error) => ended(kept, failed('UNKNOWN', error.message)));
      return { ExportDescription: kept };
    },
    ...readOperations(all),
  };
}

/** Telling of exports. @param all those that are remembered, the last first. */
function readOperations(all: () => readonly { readonly kept: Kept }[]): Readonly<Record<string, Operation>> {
  return {
    DescribeExport: ({ ExportArn, ...rest }: DescribeExportInput) => {
      refuseUnknown('dynamodb', 'DescribeExport', rest, []);
      const found = all().find(({ kept }) => kept.ExportArn === ExportArn);
      if (found) return { ExportDescription: found.kept };
      throw new AwsError('ExportNotFoundException', `Export not found: ${ExportArn}`);
    },
    ListExports: ({ TableArn, MaxResults = PAGE_MAX, NextToken, ...rest }: ListExportsInput) => {
      refuseUnknown('dynamodb', 'ListExports', rest, []);
      if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > PAGE_MAX) {
        throw new AwsError('ValidationException', `MaxResults must be 1 to ${PAGE_MAX}`);
      }
      const listed = all().filter(({ kept }) => TableArn === undefined || kept.TableArn === TableArn);
      const { items, next } = pageOf(listed, MaxResults, NextToken);
      return {
        ExportSummaries: items.map(({ kept: { ExportArn, ExportStatus, ExportType } }) => ({
          ...{ ExportArn, ExportStatus, ExportType },
        })),
        ...(next !== undefined && { NextToken: next }),
      };
    },
  };
}

const failed = (FailureCode: string, FailureMessage: string) => ({
  ExportStatus: 'FAILED' as const,
  FailureCode,
  FailureMessage,
});

/** A time as JSON has it: epoch seconds. */
const epochMillis = (time: unknown): number | undefined => (time === undefined ? undefined : Number(time) * 1_000);

/** @throws AwsError when something is missing, or is none that the local cloud can write. */
function checked(input: ExportTableToPointInTimeInput): ExportTableToPointInTimeInput {
  for (const name of ['TableArn', 'S3Bucket'] as const) {
    if (typeof input[name] === 'string' && input[name] !== '') continue;
    const message = `1 validation error detected: Value null at '${name[0]?.toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must not be null`;
    throw new AwsError('ValidationException', message);
  }
  const { ExportFormat = 'DYNAMODB_JSON', ExportType = 'FULL_EXPORT' } = input;
  if (ExportFormat !== 'DYNAMODB_JSON') throw notImplemented('dynamodb', `exports in ${ExportFormat}`);
  if (ExportType !== 'FULL_EXPORT' || input.IncrementalExportSpecification) {
    throw notImplemented('dynamodb', 'incremental exports', 'It keeps no history of a table: export the whole table.');
  }
  return input;
}

/** @throws AwsError as AWS does when the table is not there, or does not keep its history, or not that of the time. */
async function checkTable(
  call: ExportsOptions['call'],
  TableArn: string,
  exportTimeMs: number | undefined,
  nowMs: number,
): Promise<void> {
  const TableName = TableArn.replace(/^.*\//, '');
  const { ContinuousBackupsDescription: backups } = (await call('DescribeContinuousBackups', { TableName }).catch(
    (error: AwsError) => {
      if (error.code !== 'TableNotFoundException' && error.code !== 'ResourceNotFoundException') throw error;
      throw new AwsError('TableNotFoundException', `Table not found: ${TableArn}`);
    },
  )) as DescribeContinuousBackupsOutput;
  const recovery = backups?.PointInTimeRecoveryDescription;
  if (recovery?.PointInTimeRecoveryStatus !== 'ENABLED') {
    throw new AwsError(
      'PointInTimeRecoveryUnavailableException',
      `Point in time recovery is not enabled for table '${TableName}'`,
    );
  }
  if (exportTimeMs === undefined) return;
  const earliestMs = Number(recovery.EarliestRestorableDateTime) * 1_000;
  if (exportTimeMs > nowMs || exportTimeMs < earliestMs) {
    throw new AwsError(
      'InvalidExportTimeException',
      'The specified ExportTime is outside of the point in time recovery window',
    );
  }
  throw notImplemented('dynamodb', 'exports as of a time before the request', 'Leave ExportTime out.');
}
