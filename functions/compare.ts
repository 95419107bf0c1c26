import { Logger } from '@aws-lambda-powertools/logger';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { Context } from 'aws-lambda';
import { CLIENT_SETTINGS, systemTime } from '../shared/calls/client-settings.ts';
import { once } from '../shared/calls/once.ts';
import type { Time } from '../shared/calls/pace.ts';
import { type CompareConfig, compareConfig } from '../shared/config/compare.ts';
import type { FeatureGroup } from '../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { checkSample } from '../shared/history/reconcile/check.ts';
import { deliveryLag } from '../shared/history/reconcile/lag.ts';
import { onlineReader, tableReader } from '../shared/history/reconcile/readers.ts';
import { type CheckCounts, driftedOf, keepCheck, readCheck } from '../shared/state/checks.ts';

/** Checks come a day apart, by the state table: a deployment does not put one off. The schedule asks every hour. */
const CHECK_EACH_MS = 23.5 * 3_600_000;

/** Read units a second of the table. */
const READ_UNITS = 500;

/** How long a change takes to arrive online, and the most that a request may say, in seconds. */
const SETTLE_SECONDS = 60;
const SETTLE_SECONDS_MAX = 120;

/** Time kept back for looking again at what differs, three times, and for answering, in milliseconds. */
const LOOKS_RESERVE_MS = 500_000;

/** A person's request; the schedule's event has a `source`. */
export interface CompareRequest {
  readonly settleSeconds?: number;
}

/** What compare stands on. */
export interface CompareDependencies {
  readonly config: CompareConfig;
  readonly group: FeatureGroup;
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
  readonly featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>;
  readonly cloudWatch: Pick<CloudWatchClient, 'send'>;
  readonly time: Time;
}

/** What a check came to; `not-due` is the schedule's between two checks. */
export type CompareAnswer =
  | { readonly outcome: 'equal' | 'different'; readonly counts: CheckCounts }
  | { readonly outcome: 'not-due' };

/**
 * Checks a sample of the online store against the table, once a day or whenever a person asks, and keeps what it came to.
 *
 * @throws Error when the request is none that it knows, or something cannot be read: the schedule asks again.
 */
export async function compare(
  event: unknown,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  { config, group, dynamodb, featureStore, cloudWatch, time }: CompareDependencies,
): Promise<CompareAnswer> {
  const { isScheduled, settleMs } = requested(event);
  const state = { name: config.stateTable, dynamodb };
  const before = await readCheck(state);
  if (isScheduled && before?.atMs !== undefined && time.now() < before.atMs + CHECK_EACH_MS)
    return { outcome: 'not-due' };
  const stores = {
    table: tableReader(group, dynamodb, { readUnits: READ_UNITS, time }),
    online: onlineReader(group, featureStore, time),
  };
  const { counts, listAfter } = await checkSample(group, stores, {
    ...{ records: config.reconcileSample, settleMs, time },
    readUntilMs: time.now() + context.getRemainingTimeInMillis() - LOOKS_RESERVE_MS,
    listAfter: before?.listAfter ?? null,
    lagMs: () => deliveryLag(config.ingestFunction, cloudWatch),
  });
  const isEqual = driftedOf(counts) === 0 && counts.late === 0;
  await keepCheck(state, { atMs: time.now(), isEqual, counts, listAfter });
  return { outcome: isEqual ? 'equal' : 'different', counts };
}

function requested(event: unknown): { isScheduled: boolean; settleMs: number } {
  const { source, settleSeconds = SETTLE_SECONDS } = (event ?? {}) as { source?: unknown } & CompareRequest;
  if (!Number.isInteger(settleSeconds) || settleSeconds < 1 || settleSeconds > SETTLE_SECONDS_MAX) {
    throw new Error(
      `settleSeconds is ${JSON.stringify(settleSeconds)}: expected a whole number from 1 to ${SETTLE_SECONDS_MAX}; nothing was compared`,
    );
  }
  return { isScheduled: source === 'aws.events', settleMs: settleSeconds * 1_000 };
}

/** Made once per execution environment, at its first invocation. */
const production = once(async (): Promise<CompareDependencies> => {
  const config = compareConfig();
  return {
    config,
    group: await loadFeatureGroup(config.featureGroup),
    dynamodb: new DynamoDBClient(CLIENT_SETTINGS),
    featureStore: new SageMakerFeatureStoreRuntimeClient(CLIENT_SETTINGS),
    cloudWatch: new CloudWatchClient(CLIENT_SETTINGS),
    time: systemTime,
  };
});

const logger = new Logger();

export async function handler(event: unknown, context: Context): Promise<CompareAnswer> {
  const answer = await compare(event, context, await production());
  logger.info('Compared the online store with the table', { ...answer });
  return answer;
}
