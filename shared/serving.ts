import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { SERVING_KEY } from './state-keys.ts';

/** Age up to which a prediction trusts what it last read, in milliseconds. */
const SERVING_CACHE_MS = 10_000;

const servingSchema = z.object({
  epoch: z.int(),
  attempt: z.int(),
  endpointConfigName: z.string(),
  modelName: z.string(),
  /** Of the definition that the model was trained with. */
  schemaHash: z.string(),
});

/** What the endpoint serves. */
export type Serving = Readonly<z.output<typeof servingSchema>>;

/**
 * Records what the endpoint serves now. Idempotent: only a later epoch, or attempt, takes an earlier one's place.
 *
 * @throws ConditionalCheckFailedException when a later one is recorded.
 */
export async function writeServing(
  dynamodb: Pick<DynamoDBClient, 'send'>,
  stateTable: string,
  serving: Serving,
): Promise<void> {
  await dynamodb.send(
    new PutItemCommand({
      TableName: stateTable,
      Item: marshall({ pk: SERVING_KEY, ...serving }),
      ConditionExpression: 'attribute_not_exists(pk) OR epoch < :epoch OR (epoch = :epoch AND attempt <= :attempt)',
      ExpressionAttributeValues: marshall({ ':epoch': serving.epoch, ':attempt': serving.attempt }),
    }),
  );
}

/**
 * Makes a reader of what the endpoint serves that asks DynamoDB once in {@link SERVING_CACHE_MS}. That nothing serves
 * yet is not remembered, so that the first model is seen at once.
 */
export function servingReader(
  dynamodb: Pick<DynamoDBClient, 'send'>,
  stateTable: string,
  now: () => number,
): () => Promise<Serving | undefined> {
  let known: { serving: Serving; readAt: number } | undefined;
  return async () => {
    if (known && now() - known.readAt < SERVING_CACHE_MS) return known.serving;
    const { Item } = await dynamodb.send(
      new GetItemCommand({ TableName: stateTable, Key: { pk: { S: SERVING_KEY } } }),
    );
    if (!Item) return undefined;
    known = { serving: servingSchema.parse(unmarshall(Item)), readAt: now() };
    return known.serving;
  };
}
