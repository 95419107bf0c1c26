import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { baseOf } from '../model/names.ts';
import { SERVING_KEY } from './keys.ts';
import { readItem, type StateTable, unlessConditionFails } from './table.ts';

/** Age up to which a prediction trusts what it last read, in milliseconds. */
const SERVING_CACHE_MS = 10_000;

/**
 * Age up to which it is used while DynamoDB does not answer, in milliseconds. An endpoint that was retired since then is
 * still there: the least grace period is 60 s.
 */
const SERVING_STALE_MS_MAX = 50_000;

/** Time in which DynamoDB has to answer where something older is known, in milliseconds. */
const SERVING_READ_MS_MAX = 1_000;

/** How often a write is tried that somebody else was faster than. */
const ROUNDS_MAX = 5;

const servingSchema = z.object({
  epoch: z.int(),
  attempt: z.int(),
  endpointConfigName: z.string(),
  modelName: z.string(),
  /** Of the definition that the model was trained with. */
  schemaHash: z.string(),
  /** Endpoint that predictions ask. Absent: the stack's own, as version 0.1.0 made it. */
  endpointName: z.optional(z.string()),
  /** Least score that the model labeled 1 among the rows it was judged by. Absent: it labeled none. */
  threshold: z.optional(z.number()),
  /** Set when a person has gone back to this model: when, from which, and why. */
  rolledBack: z.optional(z.object({ at: z.string(), from: z.string(), reason: z.string() })),
});

const recordSchema = z.extend(servingSchema, {
  /** The latest to have served, which a person may have gone back from. */
  newestEpoch: z.int(),
  newestAttempt: z.int(),
  /** Endpoints that predictions were moved away from, and when (ISO). They are deleted after a grace period. */
  retiring: z._default(z.record(z.string(), z.string()), {}),
  /** Grows with each write, so that none is lost. */
  revision: z._default(z.int(), 0),
});

/** What serves: the model, and the endpoint it is asked at. */
export type Serving = Readonly<z.output<typeof servingSchema>>;

/** What serves, with what came before it. */
export type ServingRecord = Readonly<z.output<typeof recordSchema>>;

/**
 * Records what serves from now on. Predictions move to its endpoint, and the one they asked before retires. Idempotent:
 * only an epoch or attempt that is later than every one that has served takes its place, so that a model which was
 * rolled back is not recorded again by the training that made it.
 *
 * @returns whether it serves now: false when a later one has served.
 */
export function writeServing(table: StateTable, serving: Serving, nowMs: number): Promise<boolean> {
  const { epoch, attempt } = serving;
  return replace(table, (before) => {
    if (before && (before.newestEpoch - epoch || before.newestAttempt - attempt) >= 0) return undefined;
    const retiring = retiringOnce(serving, before, nowMs);
    return { ...serving, newestEpoch: epoch, newestAttempt: attempt, retiring };
  });
}

/**
 * Records that predictions were put back to an earlier model, by a person. What is the newest to have served stays.
 *
 * @returns false when another model than `from` is recorded by now.
 */
export function writeRolledBackServing(
  table: StateTable,
  { from, to, at, reason }: { from: Serving; to: Serving; at: string; reason: string },
): Promise<boolean> {
  return replace(table, (before) => {
    if (!before || before.epoch !== from.epoch || before.attempt !== from.attempt) return undefined;
    const { newestEpoch, newestAttempt } = before;
    const retiring = retiringOnce(to, before, Date.parse(at));
    return { ...to, newestEpoch, newestAttempt, retiring, rolledBack: { at, from: from.modelName, reason } };
  });
}

/** Forgets a retired endpoint, which is gone or is to serve again. Idempotent. */
export function forgetRetired(table: StateTable, endpointName: string): Promise<boolean> {
  return replace(table, (before) => {
    if (!before || !(endpointName in before.retiring)) return undefined;
    const { [endpointName]: _, ...retiring } = before.retiring;
    return { ...before, retiring };
  });
}

/**
 * Replaces the record by one that is made of it, if nobody else has replaced it meanwhile; then it is made again.
 *
 * @param successor undefined when nothing is to be written.
 * @returns whether something was written.
 * @throws Error when others are faster each time.
 */
async function replace(
  table: StateTable,
  successor: (before: ServingRecord | undefined) => Omit<ServingRecord, 'revision'> | undefined,
): Promise<boolean> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = await readServing(table);
    const after = successor(before);
    if (!after) return false;
    const revision = (before?.revision ?? 0) + 1;
    const put = new PutItemCommand({
      TableName: table.name,
      Item: marshall({ pk: SERVING_KEY, ...after, revision }, { removeUndefinedValues: true }),
      // A record of version 0.1.0 has no revision.
      ConditionExpression: revision === 1 ? 'attribute_not_exists(revision)' : 'revision = :before',
      ...(revision > 1 && { ExpressionAttributeValues: marshall({ ':before': revision - 1 }) }),
    });
    if (await unlessConditionFails(() => table.dynamodb.send(put))) return true;
  }
  throw new Error(`What serves was replaced by somebody else ${ROUNDS_MAX} times in a row.`);
}

/** Endpoints that retire once this model serves: those that did, and the one asked before, but never the one asked now. */
function retiringOnce(serving: Serving, before: ServingRecord | undefined, nowMs: number): Record<string, string> {
  const base = serving.endpointName === undefined ? undefined : baseOf(serving.endpointName);
  const former = before && (before.endpointName ?? base);
  const all = { ...before?.retiring, ...(former !== undefined && { [former]: new Date(nowMs).toISOString() }) };
  const asked = serving.endpointName ?? '';
  const { [asked]: _, ...retiring } = all;
  return retiring;
}

/** Reads what serves (consistent read); undefined before the first model. */
export function readServing(table: StateTable): Promise<ServingRecord | undefined> {
  return readItem(table, SERVING_KEY, recordSchema);
}

/**
 * Makes a reader of what serves that asks DynamoDB once in {@link SERVING_CACHE_MS}. That nothing serves yet is not
 * remembered, so that the first model is seen at once. While DynamoDB fails or is too slow, it answers with what it knew
 * up to {@link SERVING_STALE_MS_MAX} ago: a prediction needs no more of DynamoDB than this.
 *
 * @throws Error, from the reader, whatever DynamoDB answers when nothing that young is known.
 */
export function servingReader(table: StateTable, now: () => number): () => Promise<Serving | undefined> {
  let known: { serving: Serving; readAt: number } | undefined;
  let askedAt = 0;
  const ask = async (signal?: AbortSignal) => {
    const get = new GetItemCommand({ TableName: table.name, Key: { pk: { S: SERVING_KEY } } });
    const { Item } = await table.dynamodb.send(get, signal && { abortSignal: signal });
    known = Item && { serving: servingSchema.parse(unmarshall(Item)), readAt: now() };
    return known?.serving;
  };
  return async () => {
    if (known && now() - askedAt < SERVING_CACHE_MS) return known.serving;
    askedAt = now();
    if (known && askedAt - known.readAt > SERVING_STALE_MS_MAX) known = undefined;
    if (!known) return ask();
    const { serving } = known;
    return ask(AbortSignal.timeout(SERVING_READ_MS_MAX)).catch(() => serving);
  };
}
