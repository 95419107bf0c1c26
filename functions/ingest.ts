import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import type { Pace } from '../shared/calls/pace.ts';
import { type Decoder, makeDecoder } from '../shared/changes/decode.ts';
import { type IngestConfig, ingestConfig } from '../shared/config/variables.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { deliver, type Outcome } from '../shared/delivery/deliver.ts';
import {
  CLIENT_SETTINGS,
  type DeliveryClients,
  deliveryClients,
  destinationsOf,
  systemTime,
} from '../shared/delivery/destinations.ts';
import { publishOutcome } from '../shared/delivery/metrics.ts';
import { logOutcome } from '../shared/delivery/report.ts';
import type { FeatureGroup } from '../shared/feature-groups/define.ts';
import { type Effects, isRehearsal, type RehearsalEvent, shadows } from '../shared/rehearsal/shadows.ts';
import { SentBytes } from '../shared/sinks/change-log.ts';
import { type PutObject, quarantine } from '../shared/sinks/quarantine.ts';

/** Time kept back from the sinks for leaving fences, and from both for answering, in milliseconds. */
const FENCES_RESERVE_MS = 2_000;
const ANSWER_RESERVE_MS = 1_000;

/** What ingest stands on: its configuration, the definition, the clients, and time. */
export interface IngestDependencies {
  readonly config: IngestConfig;
  readonly group: FeatureGroup;
  readonly clients: DeliveryClients;
  readonly putObject: PutObject;
  readonly time: Pick<Pace, 'now' | 'sleep' | 'random'>;
  report(outcome: Outcome): void;
}

/** Most environments never put anything into quarantine, and S3's client is the largest: it is loaded when they do. */
function objectWriter(): PutObject {
  let loaded: Promise<PutObject> | undefined;
  return async (input) => {
    loaded ??= import('../shared/quarantine/object-writer.ts').then((it) => it.s3ObjectWriter(CLIENT_SETTINGS));
    return (await loaded)(input);
  };
}

let started: Promise<IngestDependencies> | undefined;

/** Made once per execution environment, at its first invocation. */
async function production(): Promise<IngestDependencies> {
  const config = ingestConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  const sentToChangeLog = new SentBytes();
  return {
    config,
    group,
    clients: { ...deliveryClients(config), sentToChangeLog },
    putObject: objectWriter(),
    time: systemTime,
    report(outcome) {
      logOutcome(outcome);
      publishOutcome(group.name, outcome, sentToChangeLog.take(), systemTime.now());
    },
  };
}

/**
 * What is compiled from the definition, once per execution environment: compiled anew for each batch, the engine's
 * optimised code would go with the closures, and a batch would take three times as long.
 */
const compiled = new WeakMap<
  IngestDependencies,
  { decode: Decoder; destinations: ReturnType<typeof destinationsOf> }
>();

function compile(dependencies: IngestDependencies) {
  const { config, group, clients } = dependencies;
  const made = compiled.get(dependencies) ?? {
    decode: makeDecoder(group),
    destinations: destinationsOf(group, config, clients),
  };
  compiled.set(dependencies, made);
  return made;
}

/**
 * Delivers a batch of stream records: decode, deliver, answer. What is not known to have been delivered is answered as
 * failed, by the lowest sequence number from which Lambda has to deliver again.
 */
export async function ingest(
  event: { readonly Records: readonly unknown[] },
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  dependencies: IngestDependencies,
): Promise<DynamoDBBatchResponse> {
  const { config, group, putObject, time, report } = dependencies;
  const { decode, destinations } = compile(dependencies);
  const end = time.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS;
  const { featureStore, changeLog, labelLedger, fences } = destinations;
  const outcome = await deliver(
    group,
    event.Records.map((record) => ({ record, decoded: decode(record) })),
    {
      sinks: [featureStore, changeLog, labelLedger],
      fences,
      quarantine: (rejections, pace) =>
        quarantine(rejections, { bucket: config.quarantineBucket, featureGroup: group.name, putObject }, pace),
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
  const { effects, ...shadow } = shadows(dependencies.group);
  const time = { ...dependencies.time, now: () => rehearsal.now };
  const answer = await ingest({ Records }, context, { ...dependencies, ...shadow, time, report: () => {} });
  return { ...answer, effects: effects() };
}

export async function handler(event: DynamoDBStreamEvent | RehearsalEvent, context: Context) {
  started ??= production();
  const dependencies = await started;
  return isRehearsal(event) ? rehearseIngest(event, context, dependencies) : ingest(event, context, dependencies);
}
