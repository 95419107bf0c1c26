import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { type IngestConfig, ingestConfig } from '../shared/config.ts';
import { makeDecoder } from '../shared/decode.ts';
import { deliver, type Outcome } from '../shared/deliver.ts';
import type { FeatureGroup } from '../shared/feature-groups/define.ts';
import { loadFeatureGroup } from '../shared/feature-groups/registry.ts';
import { fenceStore } from '../shared/fences.ts';
import { publishCounts } from '../shared/ingest-metrics.ts';
import { logOutcome } from '../shared/log.ts';
import type { Pace } from '../shared/pace.ts';
import { changeLogSink } from '../shared/sinks/change-log.ts';
import { featureStoreSink } from '../shared/sinks/feature-store.ts';
import { labelLedgerSink } from '../shared/sinks/label-ledger.ts';
import { quarantine } from '../shared/sinks/quarantine.ts';

/** Time kept back from the sinks for leaving fences, and from both for answering, in milliseconds. */
const FENCES_RESERVE_MS = 2_000;
const ANSWER_RESERVE_MS = 1_000;

/** AWS clients that ingest calls. */
export interface IngestClients {
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
  readonly featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>;
  readonly firehose: Pick<FirehoseClient, 'send'>;
  readonly s3: Pick<S3Client, 'send'>;
}

/** What ingest stands on: its configuration, the definition, the clients, and time. */
export interface IngestDependencies {
  readonly config: IngestConfig;
  readonly group: FeatureGroup;
  readonly clients: IngestClients;
  readonly time: Pick<Pace, 'now' | 'sleep' | 'random'>;
  report(outcome: Outcome): void;
}

let started: Promise<IngestDependencies> | undefined;

/** Made once per execution environment, at its first invocation. */
async function production(): Promise<IngestDependencies> {
  const config = ingestConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  return {
    config,
    group,
    clients: {
      dynamodb: new DynamoDBClient(),
      featureStore: new SageMakerFeatureStoreRuntimeClient(),
      firehose: new FirehoseClient(),
      s3: new S3Client(),
    },
    time: { now: Date.now, sleep: (ms) => sleep(ms), random: Math.random },
    report(outcome) {
      logOutcome(outcome);
      publishCounts(group.name, outcome.counts);
    },
  };
}

/**
 * Delivers a batch of stream records: decode, deliver, answer. What is not known to have been delivered is answered as
 * failed, by the lowest sequence number from which Lambda has to deliver again.
 */
export async function ingest(
  event: { readonly Records: readonly unknown[] },
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  { config, group, clients, time, report }: IngestDependencies,
): Promise<DynamoDBBatchResponse> {
  const end = time.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS;
  const decode = makeDecoder(group);
  const { stateTable, quarantineBucket } = config;
  const outcome = await deliver(
    group,
    event.Records.map((record) => ({ record, decoded: decode(record) })),
    {
      sinks: [
        featureStoreSink(group, clients.featureStore, config.featureStoreConcurrency),
        changeLogSink(group, config.changeLogStream, clients.firehose),
        labelLedgerSink(stateTable, clients.dynamodb),
      ],
      fences: fenceStore(stateTable, clients.dynamodb, group.eventTime.attribute !== undefined),
      quarantine: (rejections, pace) =>
        quarantine(rejections, { bucket: quarantineBucket, featureGroup: group.name, s3: clients.s3 }, pace),
    },
    config.hazardWindowSeconds,
    { sinks: { ...time, deadline: end - FENCES_RESERVE_MS }, fences: { ...time, deadline: end } },
  );
  report(outcome);
  return {
    batchItemFailures: outcome.checkpoint === undefined ? [] : [{ itemIdentifier: outcome.checkpoint }],
  };
}

export async function handler(event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> {
  started ??= production();
  return ingest(event, context, await started);
}
