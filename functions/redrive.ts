import { S3Client } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { describeError } from '../shared/calls/failure.ts';
import type { Pace } from '../shared/calls/pace.ts';
import { type IngestConfig, ingestConfig } from '../shared/config/variables.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import {
  CLIENT_SETTINGS,
  type DeliveryClients,
  deliveryClients,
  destinationsOf,
  systemTime,
} from '../shared/delivery/destinations.ts';
import { type RedriveResult, redriveRecords } from '../shared/delivery/redrive.ts';
import type { FeatureGroup } from '../shared/feature-groups/define.ts';
import { waitingObjects } from '../shared/quarantine/waiting.ts';

/** Objects handled by one invocation when the request names no other limit. */
const LIMIT_DEFAULT = 1_000;
/** Time kept back for answering, in milliseconds. */
const ANSWER_RESERVE_MS = 5_000;

export interface RedriveRequest {
  /** `list` says what waits and why; `redrive` puts it right. Default: list. */
  readonly action?: 'list' | 'redrive';
  /** Most objects to look at. Default: 1,000. */
  readonly limit?: number;
}

export interface RedriveAnswer {
  /** Objects put right and taken away. */
  readonly redriven: readonly string[];
  /** Objects that still wait, with the number of their records and the reason. */
  readonly waiting: readonly { readonly key: string; readonly records: number; readonly reason: string }[];
}

/** What redrive stands on. The same as ingest: it writes to the same places. */
export interface RedriveDependencies {
  readonly config: IngestConfig;
  readonly group: FeatureGroup;
  readonly clients: DeliveryClients;
  readonly s3: Pick<S3Client, 'send'>;
  readonly time: Pick<Pace, 'now' | 'sleep' | 'random'>;
}

let started: Promise<RedriveDependencies> | undefined;

/** Made once per execution environment, at its first invocation. */
async function production(): Promise<RedriveDependencies> {
  const config = ingestConfig();
  return {
    config,
    group: await loadFeatureGroup(config.featureGroup),
    clients: deliveryClients(config),
    s3: new S3Client(CLIENT_SETTINGS),
    time: systemTime,
  };
}

/** Lists the records that ingest could not deliver, or puts them right from the table. */
export async function redrive(
  { action = 'list', limit = LIMIT_DEFAULT }: RedriveRequest,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
  { config, group, clients, s3, time }: RedriveDependencies,
): Promise<RedriveAnswer> {
  const pace = { ...time, deadline: time.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS };
  const objects = waitingObjects(config.quarantineBucket, group.name, s3);
  const destinations = { ...destinationsOf(group, config, clients), dynamodb: clients.dynamodb };
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
}

export async function handler(event: RedriveRequest, context: Context): Promise<RedriveAnswer> {
  started ??= production();
  return redrive(event, context, await started);
}
