import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { SERVING_KEY } from './keys.ts';
import { readItem, type StateTable } from './table.ts';

/** Age up to which a prediction trusts what it last read, in milliseconds. */
const SERVING_CACHE_MS = 10_000;

const servingSchema = z.object({
  epoch: z.int(),
  attempt: z.int(),
  endpointConfigName: z.string(),
  modelName: z.string(),
  /** Of the definition that the model was trained with. */
  schemaHash: z.string(),
  /** Set when a person has gone back to this model: when, from which, and why. */
  rolledBack: z.optional(z.object({ at: z.string(), from: z.string(), reason: z.string() })),
});

/** What the endpoint serves. */
export type Serving = Readonly<z.output<typeof servingSchema>>;

/**
 * Records what the endpoint serves now. Idempotent: only an epoch or attempt that is later than every one that has
 * served takes its place, so that a model which was rolled back is not recorded again by the training that made it.
 *
 * @throws ConditionalCheckFailedException when a later one has served.
 */
export async function writeServing(table: StateTable, serving: Serving): Promise<void> {
  await table.dynamodb.send(
    new PutItemCommand({
      TableName: table.name,
      Item: marshall({ pk: SERVING_KEY, ...serving, newestEpoch: serving.epoch, newestAttempt: serving.attempt }),
      ConditionExpression:
        'attribute_not_exists(pk) OR newestEpoch < :epoch OR (newestEpoch = :epoch AND newestAttempt < :attempt)' +
        ' OR (epoch = :epoch AND attempt = :attempt)',
      ExpressionAttributeValues: marshall({ ':epoch': serving.epoch, ':attempt': serving.attempt }),
    }),
  );
}

/**
 * Records that the endpoint was put back to an earlier model, by a person. What is the newest to have served stays.
 *
 * @throws ConditionalCheckFailedException when another model than `from` is recorded by now.
 */
export async function writeRolledBackServing(
  table: StateTable,
  { from, to, at, reason }: { from: Serving; to: Serving; at: string; reason: string },
): Promise<void> {
  const { rolledBack, ...target } = to;
  const serving = { ...target, rolledBack: { at, from: from.modelName, reason } };
  await table.dynamodb.send(
    new UpdateItemCommand({
      TableName: table.name,
      Key: { pk: { S: SERVING_KEY } },
      UpdateExpression: `SET ${Object.keys(serving)
        .map((name) => `#${name} = :${name}`)
        .join(', ')}`,
      ConditionExpression: '#epoch = :fromEpoch AND #attempt = :fromAttempt',
      ExpressionAttributeNames: Object.fromEntries(Object.keys(serving).map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: marshall({
        ...Object.fromEntries(Object.entries(serving).map(([name, value]) => [`:${name}`, value])),
        ':fromEpoch': from.epoch,
        ':fromAttempt': from.attempt,
      }),
    }),
  );
}

/** Reads what the endpoint serves (consistent read); undefined before the first model. */
export function readServing(table: StateTable): Promise<Serving | undefined> {
  return readItem(table, SERVING_KEY, servingSchema);
}

/**
 * Makes a reader of what the endpoint serves that asks DynamoDB once in {@link SERVING_CACHE_MS}. That nothing serves
 * yet is not remembered, so that the first model is seen at once.
 */
export function servingReader(table: StateTable, now: () => number): () => Promise<Serving | undefined> {
  let known: { serving: Serving; readAt: number } | undefined;
  return async () => {
    if (known && now() - known.readAt < SERVING_CACHE_MS) return known.serving;
    const { Item } = await table.dynamodb.send(
      new GetItemCommand({ TableName: table.name, Key: { pk: { S: SERVING_KEY } } }),
    );
    if (!Item) return undefined;
    known = { serving: servingSchema.parse(unmarshall(Item)), readAt: now() };
    return known.serving;
  };
}
