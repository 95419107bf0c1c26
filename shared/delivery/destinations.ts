import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { CLIENT_SETTINGS } from '../calls/client-settings.ts';
import { fencesEveryRecord } from '../changes/last-change.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { directOnlineStore } from '../online-store/direct.ts';
import { type OnlineStore, sdkOnlineStore } from '../online-store/online-store.ts';
import { changeLogSink, type SentBytes } from '../sinks/change-log.ts';
import { featureStoreSink } from '../sinks/feature-store.ts';
import { labelLedgerSink } from '../sinks/label-ledger.ts';
import { rememberingDeletes } from '../sinks/remembered-deletes.ts';
import type { Sink } from '../sinks/sink.ts';
import { type FenceForm, fencesIn } from '../state/fences/forms.ts';

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

/** Clients as the SDK configures them: region, credentials and endpoint from the environment. */
export function deliveryClients({ featureStoreWriter }: { featureStoreWriter: 'direct' | 'sdk' }): DeliveryClients {
  const featureStore = new SageMakerFeatureStoreRuntimeClient(CLIENT_SETTINGS);
  return {
    dynamodb: new DynamoDBClient(CLIENT_SETTINGS),
    featureStore,
    ...(featureStoreWriter === 'direct' && { onlineStore: (group) => directOnlineStore(group, featureStore) }),
    firehose: new FirehoseClient(CLIENT_SETTINGS),
  };
}

/** Names of the destinations, how many calls to Feature Store are in flight at once, and how far seconds may err. */
export interface DestinationOptions {
  readonly stateTable: string;
  readonly changeLogStream: string;
  readonly featureStoreConcurrency: number;
  readonly hazardWindowSeconds: number;
  readonly fences: FenceForm;
}

/** The online store as a backfill writes to it, and everybody else behind {@link rememberingDeletes}. */
export function onlineStoreOf(
  group: FeatureGroup,
  { featureStoreConcurrency }: Pick<DestinationOptions, 'featureStoreConcurrency'>,
  clients: Pick<DeliveryClients, 'featureStore' | 'onlineStore'>,
): Sink {
  const onlineStore = clients.onlineStore?.(group) ?? sdkOnlineStore(group, clients.featureStore);
  return featureStoreSink(group, onlineStore, featureStoreConcurrency);
}

/** Where the changes of a feature group go. */
export function destinationsOf(group: FeatureGroup, options: DestinationOptions, clients: DeliveryClients) {
  const table = { name: options.stateTable, dynamodb: clients.dynamodb };
  return {
    featureStore: rememberingDeletes(group, onlineStoreOf(group, options, clients), table),
    changeLog: changeLogSink(group, options.changeLogStream, clients.firehose, clients.sentToChangeLog),
    labelLedger: labelLedgerSink(table, options.hazardWindowSeconds, group.label),
    fences: fencesIn(options.fences, table, fencesEveryRecord(group)),
  };
}
