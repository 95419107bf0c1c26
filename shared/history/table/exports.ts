import {
  DescribeContinuousBackupsCommand,
  DescribeExportCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import { errorCode } from '../../calls/failure.ts';

type Client = Pick<DynamoDBClient, 'send'>;

/** Where DynamoDB is to put an export: a bucket, and a prefix without a slash at its end, or none. */
export interface ExportTarget {
  readonly bucket: string;
  readonly prefix: string;
  /** The same token asks for the same export, for eight hours. Source: ExportTableToPointInTime, ClientToken. */
  readonly token?: string;
}

/** An export that was requested. */
export interface Exporting {
  readonly arn: string;
  /** Where it will be, an `s3://` URI. */
  readonly folder: string;
}

/**
 * Has DynamoDB export a table, as of now.
 *
 * @throws Error in one sentence when it cannot be exported.
 */
export async function requestExport(
  table: string,
  dynamodb: Client,
  { bucket, prefix, token }: ExportTarget,
): Promise<Exporting> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: table }));
  const { ExportDescription } = await dynamodb
    .send(
      new ExportTableToPointInTimeCommand({
        ...{ TableArn: Table?.TableArn, S3Bucket: bucket, ExportFormat: 'DYNAMODB_JSON', ClientToken: token },
        ...(prefix !== '' && { S3Prefix: prefix }),
      }),
    )
    .catch((cause: Error) => {
      throw new Error(refusalOf(table, cause), { cause });
    });
  const arn = ExportDescription?.ExportArn ?? '';
  const folder = `s3://${bucket}/${prefix === '' ? '' : `${prefix}/`}AWSDynamoDB/${arn.split('/').at(-1)}/`;
  return { arn, folder };
}

/** Why a table cannot be exported, in one sentence; undefined when it can. */
export async function exportRefusalOf(table: string, dynamodb: Client): Promise<string | undefined> {
  const { ContinuousBackupsDescription } = await dynamodb.send(
    new DescribeContinuousBackupsCommand({ TableName: table }),
  );
  const recovery = ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  return recovery?.PointInTimeRecoveryStatus === 'ENABLED' ? undefined : withoutRecovery(table);
}

/** How an export stands. */
export async function describeExport(dynamodb: Client, ExportArn: string): Promise<ExportDescription> {
  return (await dynamodb.send(new DescribeExportCommand({ ExportArn }))).ExportDescription ?? {};
}

/** Why no export was begun, and what to do. */
function refusalOf(table: string, cause: Error): string {
  if (errorCode(cause) !== 'PointInTimeRecoveryUnavailableException') {
    return `The table ${table} cannot be exported (${cause.name}: ${cause.message}).`;
  }
  return withoutRecovery(table);
}

const withoutRecovery = (table: string): string =>
  `The table ${table} has no point-in-time recovery, which an export needs: turn it on, or read the table with --scan.`;
