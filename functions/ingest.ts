import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { CLIENT_SETTINGS, systemTime } from '../shared/calls/client-settings.ts';
import { once } from '../shared/calls/once.ts';
import { paceUntil, type Time } from '../shared/calls/pace.ts';
import { makeDecoder } from '../shared/changes/decode.ts';
import { type IngestConfig, ingestConfig } from '../shared/config/ingest.ts';
import type { FeatureGroup } from '../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { type Destinations, deliver, type Outcome } from '../shared/delivery/deliver.ts';
import { type DeliveryClients, deliveryClients, destinationsOf } from '../shared/delivery/destinations.ts';
import { logOutcome, publishOutcome } from '../shared/delivery/report.ts';
import type { PutObject } from '../shared/quarantine/object-writer.ts';
import { type Effects, isRehearsal, type RehearsalEvent } from '../shared/rehearsal/effects.ts';
import { shadows } from '../shared/rehearsal/shadows.ts';
import { SentBytes } from '../shared/sinks/change-log.ts';
import { quarantine } from '../shared/sinks/quarantine.ts';

/** Time kept back from the sinks for leaving fences, and from both for answering, in milliseconds. */
const FENCES_RESERVE_MS = 2_000;
const ANSWER_RESERVE_MS = 1_000;

/** What ingest stands on: its configuration, the definition, the clients, and time. */
export interface IngestDependencies {
  readonly config: IngestConfig;
  readonly group: FeatureGroup;
  readonly clients: DeliveryClients;
  readonly putObject: PutObject;
  readonly time: Time;
  report(outcome: Outcome): void;
}

/** Most environments never put anything into quarantine, and S3's client is the largest: it is loaded when they do. */
function objectWriter(): PutObject {
  const load = once(async () => {
    const { s3ObjectWriter } = await import('../shared/quarantine/object-writer.ts');
    return s3ObjectWriter(CLIENT_SETTINGS);
  });
  return async (input, abortSignal) => (await load())(input, abortSignal);
}

/** One invocation of ingest. */
export type Ingest = (
  event: { readonly Records: readonly unknown[] },
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<DynamoDBBatchResponse>;

/**
 * Makes ingest, which delivers batches of stream records: decode, deliver, answer. What is not known to have been
 * delivered is answered as failed, by the lowest sequence number from which Lambda has to deliver again.
 *
 * Made once per execution environment: compiled anew for each batch, the engine's optimized code would go with the
 * closures, and a batch would take three times as long.
 */
export function makeIngest({ config, group, clients, putObject, time, report }: IngestDependencies): Ingest {
  const decode = makeDecoder(group);
  const { featureStore, changeLog, labelLedger, fences } = destinationsOf(group, config, clients);
  const place = { bucket: config.quarantineBucket, featureGroup: group.name, putObject };
  const destinations: Destinations = {
    sinks: [featureStore, changeLog, labelLedger],
    fences,
    quarantine: (rejections, pace) => quarantine(rejections, place, pace),
  };
  return async ({ Records }, context) => {
    const end = time.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS;
    const records = Records.map((record) => ({ record, decoded: decode(record) }));
    const outcome = await deliver(group, records, destinations, config.hazardWindowSeconds, {
      sinks: paceUntil(time, end - FENCES_RESERVE_MS),
      fences: paceUntil(time, end),
    });
    report(outcome);
    return { batchItemFailures: outcome.checkpoint === undefined ? [] : [{ itemIdentifier: outcome.checkpoint }] };
  };
}

/** Sends records through ingest with shadows in place of its destinations, and answers what it would have written. */
export async function rehearseIngest(
  { rehearsal, Records }: RehearsalEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  dependencies: IngestDependencies,
): Promise<DynamoDBBatchResponse & { effects: Effects }> {
  const { config, group } = dependencies;
  const { effects, ...shadow } = shadows(group, { writer: config.featureStoreWriter, key: rehearsal.key });
  // Time stands still but for waits, which take none: what cannot be written is given up at the deadline here too.
  let waited = 0;
  const time: Time = {
    ...dependencies.time,
    now: () => rehearsal.now + waited,
    async sleep(ms) {
      waited += ms;
    },
  };
  const ingest = makeIngest({ ...dependencies, ...shadow, time, report: () => {} });
  const answer = await ingest({ Records }, context);
  return { ...answer, effects: effects() };
}

/** Made once per execution environment, at its first invocation. */
const production = once(async () => {
  const config = ingestConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  const sentToChangeLog = new SentBytes();
  const dependencies: IngestDependencies = {
    config,
    group,
    clients: { ...deliveryClients(config), sentToChangeLog },
    putObject: objectWriter(),
    time: systemTime,
    report(outcome) {
      logOutcome(outcome);
      publishOutcome(group, outcome, sentToChangeLog.take(), systemTime.now());
    },
  };
  return { dependencies, ingest: makeIngest(dependencies) };
});

export async function handler(event: DynamoDBStreamEvent | RehearsalEvent, context: Context) {
  const { dependencies, ingest } = await production();
  return isRehearsal(event) ? rehearseIngest(event, context, dependencies) : ingest(event, context);
}
