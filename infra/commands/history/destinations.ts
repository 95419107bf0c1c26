import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { CLIENT_SETTINGS } from '../../../shared/calls/client-settings.ts';
import { CHANGE_LOG_PREFIX } from '../../../shared/change-log/sql.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { onlineStoreOf } from '../../../shared/delivery/destinations.ts';
import type { BackfillDestinations } from '../../../shared/history/run/chunk.ts';
import { directOnlineStore } from '../../../shared/online-store/direct.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';
import { quarantine } from '../../../shared/sinks/quarantine.ts';
import type { StateTable } from '../../../shared/state/table.ts';
import type { Sources } from '../../insight/sources.ts';
import type { ClientSettings } from '../target.ts';

/** Calls to Feature Store in flight at once. The sink halves them while the service throttles. */
const FEATURE_STORE_CONCURRENCY = 16;

/** Everything that a backfill writes to, through clients with the time limits of the functions. */
export interface Opened {
  readonly table: StateTable;
  readonly s3: S3Client;
  readonly destinations: BackfillDestinations;
  readonly putRows: (key: string, rows: Uint8Array) => Promise<void>;
  readonly deleteRows: (key: string) => Promise<void>;
  close(): void;
}

export function openDestinations(
  group: FeatureGroup,
  { stateTable, dataBucket, quarantineBucket }: Sources['names'],
  settings: ClientSettings,
): Opened {
  const clientSettings = { ...CLIENT_SETTINGS, ...settings };
  const dynamodb = new DynamoDBClient(clientSettings);
  const featureStore = new SageMakerFeatureStoreRuntimeClient(clientSettings);
  const s3 = new S3Client(settings);
  const table = { name: stateTable, dynamodb };
  const onlineStore = onlineStoreOf(
    group,
    { featureStoreConcurrency: FEATURE_STORE_CONCURRENCY },
    { featureStore, onlineStore: (it) => directOnlineStore(it, featureStore) },
  );
  const waiting = {
    ...{ bucket: quarantineBucket, featureGroup: group.name },
    putObject: (input: ConstructorParameters<typeof PutObjectCommand>[0], abortSignal: AbortSignal) =>
      s3.send(new PutObjectCommand(input), { abortSignal }),
  };
  const objectOf = (key: string) => ({ Bucket: dataBucket, Key: `${CHANGE_LOG_PREFIX}${key}` });
  return {
    ...{ table, s3 },
    destinations: {
      ...{ onlineStore, table, source: dynamodb },
      // Labels of history have no place in the stream: how far its seconds may err does not matter to them.
      labelLedger: labelLedgerSink(table, 0, group.label),
      quarantine: (rejections, pace) => quarantine(rejections, waiting, pace),
    },
    async putRows(key, rows) {
      await s3.send(new PutObjectCommand({ ...objectOf(key), Body: rows }));
    },
    async deleteRows(key) {
      await s3.send(new DeleteObjectCommand(objectOf(key)));
    },
    close() {
      for (const client of [dynamodb, featureStore, s3]) client.destroy();
    },
  };
}

/**
 * Since when every change of the table is delivered, in epoch milliseconds: since it has a stream, and the stack is there.
 *
 * @throws Error when the table has no stream.
 */
export async function coveredSince(group: FeatureGroup, { name, dynamodb }: StateTable): Promise<number> {
  const describe = async (TableName: string) => (await dynamodb.send(new DescribeTableCommand({ TableName }))).Table;
  const [source, state] = await Promise.all([describe(group.table), describe(name)]);
  if (source?.LatestStreamLabel === undefined) {
    throw new Error(`The table ${group.table} has no stream: changes that come while it is backfilled would be lost.`);
  }
  return Math.max(Date.parse(`${source.LatestStreamLabel}Z`), state?.CreationDateTime?.getTime() ?? 0);
}
