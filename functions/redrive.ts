import { S3Client } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { CLIENT_SETTINGS, systemTime } from '../shared/calls/client-settings.ts';
import { describeError } from '../shared/calls/failure.ts';
import { once } from '../shared/calls/once.ts';
import type { Time } from '../shared/calls/pace.ts';
import { type IngestConfig, ingestConfig } from '../shared/config/ingest.ts';
import type { FeatureGroup } from '../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { type DeliveryClients, deliveryClients, destinationsOf } from '../shared/delivery/destinations.ts';
import {
  type RedriveAnswer,
  type RedriveRequest,
  type RedriveResult,
  redriveRecords,
} from '../shared/delivery/redrive.ts';
import { waitingObjects } from '../shared/quarantine/waiting.ts';

/** Objects handled by one invocation when the request names no other limit. */
const LIMIT_DEFAULT = 1_000;
/** Time kept back for answering, in milliseconds. */
const ANSWER_RESERVE_MS = 5_000;

/** What redrive stands on. The same as ingest: it writes to the same places. */
export interface RedriveDependencies {
  readonly config: IngestConfig;
  readonly group: FeatureGroup;
  readonly clients: DeliveryClients;
  readonly s3: Pick<S3Client, 'send'>;
  readonly time: Time;
}

/** One invocation of redrive. */
export type Redrive = (
  request: RedriveRequest,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<RedriveAnswer>;

/** Makes redrive, which lists the records that ingest could not deliver, or puts them right from the table. */
export function makeRedrive({ config, group, clients, s3, time }: RedriveDependencies): Redrive {
  const objects = waitingObjects(config.quarantineBucket, group.name, s3);
  const destinations = { ...destinationsOf(group, config, clients), dynamodb: clients.dynamodb };
  return async ({ action = 'list', limit = LIMIT_DEFAULT }, context) => {
    const pace = { ...time, deadline: time.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS };
    const redriven: string[] = [];
    const waiting: RedriveAnswer['waiting'][number][] = [];
    for (const key of await objects.keys(limit)) {
      try {
        const { records, reason } = await objects.read(key);
        const result: RedriveResult =
          action === 'list' ? { status: 'waiting', reason } : await redriveRecords(group, records, destinations, pace);
        if (result.status === 'waiting') waiting.push({ key, records: records.length, reason: result.reason });
        else {
          await objects.remove(key);
          redriven.push(key);
        }
      } catch (error) {
        waiting.push({ key, records: 0, reason: describeError(error) });
      }
    }
    return { redriven, waiting };
  };
}

/** Made once per execution environment, at its first invocation. */
const production = once(async () => {
  const config = ingestConfig();
  return makeRedrive({
    config,
    group: await loadFeatureGroup(config.featureGroup),
    clients: deliveryClients(config),
    s3: new S3Client(CLIENT_SETTINGS),
    time: systemTime,
  });
});

export async function handler(event: RedriveRequest, context: Context): Promise<RedriveAnswer> {
  const redrive = await production();
  return redrive(event, context);
}
