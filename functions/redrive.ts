import { S3Client } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { CLIENT_SETTINGS, systemTime } from '../shared/calls/client-settings.ts';
import { describeError } from '../shared/calls/failure.ts';
import { once } from '../shared/calls/once.ts';
import { type Pace, paceUntil, type Time } from '../shared/calls/pace.ts';
import { type IngestConfig, ingestConfig } from '../shared/config/ingest.ts';
import type { FeatureGroup } from '../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { type DeliveryClients, deliveryClients, destinationsOf } from '../shared/delivery/destinations.ts';
import { type RedriveAnswer, recordRedriver } from '../shared/delivery/redrive.ts';
import { type WaitingObject, waitingObjects } from '../shared/quarantine/waiting.ts';

/** Objects looked at by one invocation when the request names no other limit, and most that it may name. */
const LIMIT_DEFAULT = 1_000;
const LIMIT_MAX = 10_000;
/** Records that are read before they are put right together. */
const RECORDS_PER_ROUND = 500;
/** Time kept back for answering, in milliseconds. */
const ANSWER_RESERVE_MS = 5_000;

/** What a person asks of redrive. */
export interface RedriveRequest {
  /** `list` says what waits and why; `redrive` puts it right. Default: list. */
  readonly action?: 'list' | 'redrive';
  /** Most objects to look at. Default: 1,000. */
  readonly limit?: number;
  /** Begins behind this object: what the answer before named as next. */
  readonly after?: string;
}

/** What redrive stands on. The same as ingest: it writes to the same places. */
export interface RedriveDependencies {
  readonly config: IngestConfig;
  readonly group: FeatureGroup;
  readonly clients: DeliveryClients;
  readonly s3: Pick<S3Client, 'send'>;
  readonly time: Time;
}

/** One invocation of redrive. @throws Error when the request is none that it knows. */
export type Redrive = (
  request: RedriveRequest,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<RedriveAnswer>;

/** Makes redrive, which lists the records that ingest could not deliver, or puts them right from the table. */
export function makeRedrive({ config, group, clients, s3, time }: RedriveDependencies): Redrive {
  const objects = waitingObjects(config.quarantineBucket, group.name, s3);
  const destinations = { ...destinationsOf(group, config, clients), dynamodb: clients.dynamodb };
  const redriveRecords = recordRedriver(group, destinations, config.hazardWindowSeconds);

  /** Puts the records of some objects right, and takes them out of their objects. */
  async function putRight(round: readonly WaitingObject[], answer: Answer, pace: Pace): Promise<void> {
    const records = round.flatMap((object) => object.records.map(({ record }) => record));
    const reasons = await redriveRecords(records, pace);
    let at = 0;
    for (const object of round) {
      const ofObject = reasons.slice(at, at + object.records.length);
      at += object.records.length;
      const done = new Set(ofObject.flatMap((reason, place) => (reason === undefined ? [place] : [])));
      await objects.remove(object, done, pace.signal);
      const [reason] = ofObject.filter((it) => it !== undefined);
      if (reason === undefined) answer.redriven.push(object.key);
      else answer.waiting.push({ key: object.key, records: ofObject.length - done.size, reason });
    }
  }

  return async (request, context) => {
    const { action, limit, after } = validated(request);
    const pace = paceUntil(time, time.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS);
    const answer: Answer = { redriven: [], waiting: [] };
    let round: WaitingObject[] = [];
    /** The last object of those that are through, and of those that were read. */
    let through = after;
    let last = after;
    const unfinished = () => ({ ...answer, ...(through !== undefined && { next: through }) });
    const finishRound = async () => {
      if (action === 'redrive') await putRight(round, answer, pace);
      else for (const object of round) answer.waiting.push(listed(object));
      round = [];
      if (pace.now() < pace.deadline) through = last;
    };
    let looked = 0;
    try {
      for await (const key of objects.keys(after, pace.signal)) {
        if (looked === limit || pace.now() >= pace.deadline) {
          await finishRound();
          return unfinished();
        }
        looked += 1;
        try {
          round.push(await objects.read(key, pace.signal));
        } catch (error) {
          answer.waiting.push({ key, records: 0, reason: describeError(error) });
        }
        last = key;
        if (round.reduce((sum, { records }) => sum + records.length, 0) >= RECORDS_PER_ROUND) await finishRound();
      }
      await finishRound();
    } catch (error) {
      // What was put right is so; what was not is where it was. An answer says more than an error.
      for (const { key, records } of round) {
        answer.waiting.push({ key, records: records.length, reason: describeError(error) });
      }
      return unfinished();
    }
    return pace.now() < pace.deadline ? answer : unfinished();
  };
}

interface Answer {
  readonly redriven: string[];
  readonly waiting: RedriveAnswer['waiting'][number][];
}

function listed({ key, records }: WaitingObject): Answer['waiting'][number] {
  return { key, records: records.length, reason: records[0]?.reason ?? 'it holds no records' };
}

function validated(request: RedriveRequest) {
  const { action = 'list', limit = LIMIT_DEFAULT, after } = request ?? {};
  if (action !== 'list' && action !== 'redrive') {
    throw new Error(`action is ${JSON.stringify(action)}: expected "list" or "redrive"; nothing was done`);
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    throw new Error(
      `limit is ${JSON.stringify(limit)}: expected a whole number from 1 to ${LIMIT_MAX}; nothing was done`,
    );
  }
  if (after !== undefined && typeof after !== 'string') {
    throw new Error('after is no text: expected what an answer named as next; nothing was done');
  }
  return { action, limit, after };
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
