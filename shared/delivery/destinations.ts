import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { Pace } from '../calls/pace.ts';
import type { IngestConfig } from '../config/variables.ts';
import type { FeatureGroup } from '../feature-groups/define.ts';
import { directOnlineStore } from '../online-store/direct.ts';
import { type OnlineStore, sdkOnlineStore } from '../online-store/online-store.ts';
import { changeLogSink, type SentBytes } from '../sinks/change-log.ts';
import { featureStoreSink } from '../sinks/feature-store.ts';
import { labelLedgerSink } from '../sinks/label-ledger.ts';
import { fenceStore } from '../state/fences.ts';

/** AWS clients that changes are delivered through. */
export interface DeliveryClients {
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
  readonly featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>;
  readonly firehose: Pick<FirehoseClient, 'send'>;
  /** Takes the place of the SDK's commands in writing to the online store. */
  readonly onlineStore?: (group: FeatureGroup) => OnlineStore;
  /** Told what Firehose has taken. */
  readonly sentToChangeLog?: SentBytes;
}

/**
 * A call that hangs would hold the batch until Lambda ends the invocation. The SDK has no time limits of its own:
 * these are in milliseconds, far above what the services take.
 */
export const CLIENT_SETTINGS = {
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};

/** Clients as the SDK configures them: region, credentials and endpoint from the environment. */
export function deliveryClients({ featureStoreWriter }: Pick<IngestConfig, 'featureStoreWriter'>): DeliveryClients {
  const featureStore = new SageMakerFeatureStoreRuntimeClient(CLIENT_SETTINGS);
  return {
    dynamodb: new DynamoDBClient(CLIENT_SETTINGS),
    featureStore,
    ...(featureStoreWriter === 'direct' && { onlineStore: (group) => directOnlineStore(group, featureStore) }),
    firehose: new FirehoseClient(CLIENT_SETTINGS),
  };
}

/** Time as it passes. */
export const systemTime: Pick<Pace, 'now' | 'sleep' | 'random'> = {
  now: Date.now,
  sleep: (ms) => sleep(ms),
  random: Math.random,
};

/** Where the changes of a feature group go. */
export function destinationsOf(group: FeatureGroup, config: IngestConfig, clients: DeliveryClients) {
  return {
    featureStore: featureStoreSink(
      group,
      clients.onlineStore?.(group) ?? sdkOnlineStore(group, clients.featureStore),
      config.featureStoreConcurrency,
    ),
    changeLog: changeLogSink(group, config.changeLogStream, clients.firehose, clients.sentToChangeLog),
    labelLedger: labelLedgerSink(config.stateTable, clients.dynamodb),
    fences: fenceStore(config.stateTable, clients.dynamodb, group.eventTime.attribute !== undefined),
  };
}
