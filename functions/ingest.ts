import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { type IngestConfig, ingestConfig } from '../shared/config.ts';
import { makeDecoder } from '../shared/decode.ts';
import { deliver, type Outcome } from '../shared/deliver.ts';
import { type DeliveryClients, deliveryClients, destinationsOf, systemTime } from '../shared/destinations.ts';
import type { FeatureGroup } from '../shared/feature-groups/define.ts';
import { loadFeatureGroup } from '../shared/feature-groups/registry.ts';
import { publishCounts } from '../shared/ingest-metrics.ts';
import { logOutcome } from '../shared/log.ts';
import type { Pace } from '../shared/pace.ts';
import { type Effects, isRehearsal, type RehearsalEvent, shadows } from '../shared/rehearsal.ts';
import { quarantine } from '../shared/sinks/quarantine.ts';

/** Time kept back from the sinks for leaving fences, and from both for answering, in milliseconds. */
const FENCES_RESERVE_MS = 2_000;
const ANSWER_RESERVE_MS = 1_000;

/** What ingest stands on: its configuration, the definition, the clients, and time. */
export interface IngestDependencies {
  readonly config: IngestConfig;
  readonly group: FeatureGroup;
  readonly clients: DeliveryClients;
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
    clients: deliveryClients(),
    time: systemTime,
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
  const { featureStore, changeLog, labelLedger, fences } = destinationsOf(group, config, clients);
  const outcome = await deliver(
    group,
    event.Records.map((record) => ({ record, decoded: decode(record) })),
    {
      sinks: [featureStore, changeLog, labelLedger],
      fences,
      quarantine: (rejections, pace) =>
        quarantine(rejections, { bucket: config.quarantineBucket, featureGroup: group.name, s3: clients.s3 }, pace),
    },
    config.hazardWindowSeconds,
    { sinks: { ...time, deadline: end - FENCES_RESERVE_MS }, fences: { ...time, deadline: end } },
  );
  report(outcome);
  return { batchItemFailures: outcome.checkpoint === undefined ? [] : [{ itemIdentifier: outcome.checkpoint }] };
}

/** Sends records through ingest with shadows in place of its destinations, and answers what it would have written. */
export async function rehearseIngest(
  { rehearsal, Records }: RehearsalEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  dependencies: IngestDependencies,
): Promise<DynamoDBBatchResponse & { effects: Effects }> {
  const { clients, effects } = shadows(dependencies.group);
  const time = { ...dependencies.time, now: () => rehearsal.now };
  const answer = await ingest({ Records }, context, { ...dependencies, clients, time, report: () => {} });
  return { ...answer, effects: effects() };
}

export async function handler(event: DynamoDBStreamEvent | RehearsalEvent, context: Context) {
  started ??= production();
  const dependencies = await started;
  return isRehearsal(event) ? rehearseIngest(event, context, dependencies) : ingest(event, context, dependencies);
}
