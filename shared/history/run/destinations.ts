import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { CLIENT_SETTINGS } from '../../calls/client-settings.ts';
import { CHANGE_LOG_PREFIX } from '../../change-log/sql.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import { onlineStoreOf } from '../../delivery/destinations.ts';
import { directOnlineStore } from '../../online-store/direct.ts';
import { labelLedgerSink } from '../../sinks/label-ledger.ts';
import { quarantine } from '../../sinks/quarantine.ts';
import type { StateTable } from '../../state/table.ts';
import type { BackfillDestinations } from './chunk.ts';
import { type Rate, tellingThrottles } from './rate.ts';

/** Calls to Feature Store in flight at once. The sink halves them while the service throttles. */
const FEATURE_STORE_CONCURRENCY = 16;

/** Names of what a backfill writes to. */
export interface DestinationNames {
  readonly stateTable: string;
  readonly dataBucket: string;
  readonly quarantineBucket: string;
}

/** Everything that a backfill reads and writes, through clients with the time limits of the functions. */
export interface Opened {
  readonly table: StateTable;
  readonly s3: S3Client;
  /** @param rate is told when Feature Store throttles. */
  destinations(rate: Rate): BackfillDestinations;
  /** Objects of the change log. Idempotent: the same key has the same bytes. */
  putRows(key: string, rows: Uint8Array): Promise<void>;
  deleteRows(key: string): Promise<void>;
  close(): void;
}

/** @param settings of clients, such as a region; without it the environment's. */
export function openDestinations(
  group: FeatureGroup,
  { stateTable, dataBucket, quarantineBucket }: DestinationNames,
  settings: Pick<S3ClientConfig, 'region' | 'endpoint'> = {},
): Opened {
  const clientSettings = { ...CLIENT_SETTINGS, ...settings };
  const dynamodb = new DynamoDBClient(clientSettings);
  const featureStore = new SageMakerFeatureStoreRuntimeClient(clientSettings);
  const s3 = new S3Client(settings);
  const table = { name: stateTable, dynamodb };
  const waiting = {
    ...{ bucket: quarantineBucket, featureGroup: group.name },
    putObject: (input: ConstructorParameters<typeof PutObjectCommand>[0], abortSignal: AbortSignal) =>
      s3.send(new PutObjectCommand(input), { abortSignal }),
  };
  const objectOf = (key: string) => ({ Bucket: dataBucket, Key: `${CHANGE_LOG_PREFIX}${key}` });
  return {
    ...{ table, s3 },
    destinations: (rate) => ({
      onlineStore: onlineStoreOf(
        group,
        { featureStoreConcurrency: FEATURE_STORE_CONCURRENCY },
        {
          featureStore,
          onlineStore: (it) => tellingThrottles(directOnlineStore(it, featureStore), () => rate.throttled()),
        },
      ),
      ...{ table, source: dynamodb },
      // Labels of history have no place in the stream: how far its seconds may err does not matter to them.
      labelLedger: labelLedgerSink(table, 0, group.label),
      quarantine: (rejections, pace) => quarantine(rejections, waiting, pace),
    }),
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
