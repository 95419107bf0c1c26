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
import { type RedriveSelection, SELECTED_BY, selectionTest } from '../shared/delivery/redrive-selection.ts';
import {
  itemRepairer,
  REPAIRS_PER_CALL_MAX,
  type RepairAnswer,
  type RepairItem,
} from '../shared/delivery/repair-items.ts';
import { type WaitingObject, waitingObjects } from '../shared/quarantine/waiting.ts';

/** Objects looked at by one invocation when the request names no other limit, and most that it may name. */
const LIMIT_DEFAULT = 1_000;
const LIMIT_MAX = 10_000;
/** Records that are read before they are put right together. */
const RECORDS_PER_ROUND = 500;
/** Time kept back for answering, in milliseconds. */
const ANSWER_RESERVE_MS = 5_000;

/** What a person asks of redrive. */
export interface RedriveRequest extends RedriveSelection {
  /** `list` says what waits and why; `redrive` puts it right. Default: list. */
  readonly action?: 'list' | 'redrive';
  /** Most objects to look at. Default: 1,000. */
  readonly limit?: number;
  /** Begins behind this object: what the answer before named as next. */
  readonly after?: string;
  /** Looks at this object alone. */
  readonly object?: string;
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
  async function putRight(round: readonly Chosen[], answer: Answer, pace: Pace): Promise<void> {
    const records = round.flatMap(({ object, places }) => places.map((place) => object.records[place]?.record));
    const reasons = await redriveRecords(records, pace);
    let at = 0;
    for (const { object, places } of round) {
      const ofObject = reasons.slice(at, at + places.length);
      at += places.length;
      const done = new Set(places.filter((_, index) => ofObject[index] === undefined));
      await objects.remove(object, done, pace.signal);
      const [reason] = ofObject.filter((it) => it !== undefined);
      if (reason === undefined) answer.redriven.push(object.key);
      else answer.waiting.push({ key: object.key, records: places.length - done.size, reason });
    }
  }

  return async (request, context) => {
    const { action, limit, after, object: named, ...selection } = validated(request);
    const isChosen = selectionTest(group, selection);
    const pace = paceUntil(time, time.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS);
    const answer: Answer = { redriven: [], waiting: [] };
    let round: Chosen[] = [];
    /** The last object of those that are through, and of those that were read. */
    let through = after;
    let last = after;
    const unfinished = () => ({ ...answer, ...(through !== undefined && { next: through }) });
    const finishRound = async () => {
      if (action === 'redrive') await putRight(round, answer, pace);
      else answer.waiting.push(...round.map(listed));
      round = [];
      if (pace.now() < pace.deadline) through = last;
    };
    let looked = 0;
    try {
      for await (const key of named === undefined ? objects.keys(after, pace.signal) : [named]) {
        if (looked === limit || pace.now() >= pace.deadline) {
          await finishRound();
          return unfinished();
        }
        looked += 1;
        try {
          const object = await objects.read(key, pace.signal);
          const places = object.records.flatMap((record, place) => (isChosen(record) ? [place] : []));
          if (places.length > 0) round.push({ object, places });
        } catch (error) {
          answer.waiting.push({ key, records: 0, reason: describeError(error) });
        }
        last = key;
        if (round.reduce((sum, { places }) => sum + places.length, 0) >= RECORDS_PER_ROUND) await finishRound();
      }
      await finishRound();
    } catch (error) {
      // What was put right is so; what was not is where it was. An answer says more than an error.
      for (const { object, places } of round) {
        answer.waiting.push({ key: object.key, records: places.length, reason: describeError(error) });
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

/** An object of the quarantine bucket, and the places of those of its records that are asked for. */
interface Chosen {
  readonly object: WaitingObject;
  readonly places: readonly number[];
}

function listed({ object: { key, records }, places: [first = 0, ...others] }: Chosen): Answer['waiting'][number] {
  return { key, records: 1 + others.length, reason: records[first]?.reason ?? 'it holds no records' };
}

function validated(request: RedriveRequest) {
  const { action = 'list', limit = LIMIT_DEFAULT, after, object, reason, place, item } = request ?? {};
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
  for (const [name, value] of Object.entries({ object, reason, place, item })) {
    if (value === undefined || typeof value === 'string') continue;
    throw new Error(`${name} is no text: expected what a list of redrive names so; nothing was done`);
  }
  return { action, limit, after, object, ...chosenBy({ reason, place, item }) };
}

/** What is given of a selection. */
function chosenBy(given: Readonly<Record<(typeof SELECTED_BY)[number], string | undefined>>): RedriveSelection {
  return Object.fromEntries(SELECTED_BY.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

/** Records to be put right of which nothing waits: a comparison has found them. */
export interface RepairRequest {
  readonly action: 'repair';
  readonly items: readonly RepairItem[];
}

/** Makes the repair of records that are not what their items are. */
export function makeRepair({ config, group, clients, time }: Omit<RedriveDependencies, 's3'>) {
  const destinations = { ...destinationsOf(group, config, clients), dynamodb: clients.dynamodb };
  const repair = itemRepairer(group, destinations, config.hazardWindowSeconds);
  return ({ items }: RepairRequest, { getRemainingTimeInMillis }: Pick<Context, 'getRemainingTimeInMillis'>) => {
    if (!Array.isArray(items) || items.length > REPAIRS_PER_CALL_MAX || !items.every(isRepairItem)) {
      throw new Error(`items are not up to ${REPAIRS_PER_CALL_MAX} records to be repaired; nothing was done`);
    }
    return repair(items, paceUntil(time, time.now() + getRemainingTimeInMillis() - ANSWER_RESERVE_MS));
  };
}

function isRepairItem({ id, keys, knownMs, sequenceNumber }: RepairItem): boolean {
  const isKnown = Number.isFinite(knownMs) && /^\d{1,40}$/.test(sequenceNumber);
  return typeof id === 'string' && typeof keys === 'object' && isKnown;
}

/** Made once per execution environment, at its first invocation. */
const production = once(async () => {
  const config = ingestConfig();
  const dependencies = {
    config,
    group: await loadFeatureGroup(config.featureGroup),
    clients: deliveryClients(config),
    s3: new S3Client(CLIENT_SETTINGS),
    time: systemTime,
  };
  return { redrive: makeRedrive(dependencies), repair: makeRepair(dependencies) };
});

export async function handler(
  event: RedriveRequest | RepairRequest,
  context: Context,
): Promise<RedriveAnswer | RepairAnswer> {
  const { redrive, repair } = await production();
  return event?.action === 'repair' ? repair(event, context) : redrive(event, context);
}
