import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { describeExport, requestExport } from '../../../shared/history/table/exports.ts';
import { pausing } from './pausing.ts';

/** Milliseconds between two looks at an export, which takes five minutes at least on AWS. */
const LOOK_MS = 5_000;

const S3 = /^s3:\/\/([^/]+)\/?(.*?)\/?$/;

/** How an export is had. */
export interface ExportRequest {
  /** `s3://bucket/prefix`. */
  readonly to: string;
  /** Not requested before, in epoch milliseconds: an export must be younger than the stream by two margins. */
  readonly notBeforeMs: number;
  readonly signal: AbortSignal;
  /** Told what is being waited for. */
  readonly onWait: (what: string) => void;
}

/**
 * Has DynamoDB export the table, and waits for it.
 *
 * @returns the export's folder, an `s3://` URI.
 * @throws Error in one sentence when it cannot be had. One that is under way goes on: the sentence names its folder.
 */
export async function requestedExport(
  group: FeatureGroup,
  dynamodb: Pick<DynamoDBClient, 'send'>,
  { to, notBeforeMs, signal, onWait }: ExportRequest,
): Promise<string> {
  const [, bucket, prefix = ''] = S3.exec(to) ?? [];
  if (bucket === undefined) throw new Error(`--export-to: found "${to}", expected s3://bucket or s3://bucket/prefix.`);
  if (Date.now() < notBeforeMs) {
    onWait(`until ${new Date(notBeforeMs).toISOString()}, when the stream is old enough`);
    await pausing(notBeforeMs - Date.now(), signal, 'Interrupted: no export was requested.');
  }
  const { arn, folder } = await requestExport(group.table, dynamodb, { bucket, prefix });
  for (;;) {
    const told = await describeExport(dynamodb, arn);
    if (told.ExportStatus === 'COMPLETED') return folder;
    if (told.ExportStatus === 'FAILED') {
      throw new Error(`The export to ${to} failed (${told.FailureCode}: ${told.FailureMessage}).`);
    }
    onWait(`for the export ${folder}`);
    await pausing(LOOK_MS, signal, `Interrupted: when the export is complete, --export ${folder} reads it.`);
  }
}
