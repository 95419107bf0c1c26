import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { errorCode } from '../calls/failure.ts';

/** The pipeline's own table: its name, and the client that reaches it. */
export interface StateTable {
  readonly name: string;
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
}

/**
 * Reads one item (a consistent read) and checks it.
 *
 * @returns undefined when there is no such item.
 * @throws whatever the schema throws when the item is another than expected.
 */
export async function readItem<T>(
  { name, dynamodb }: StateTable,
  key: string,
  schema: { parse(item: unknown): T },
): Promise<T | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: name, Key: { pk: { S: key } }, ConsistentRead: true }),
  );
  return Item && schema.parse(unmarshall(Item));
}

/**
 * A condition that fails is an answer: somebody else was there first.
 *
 * @returns whether the write took effect.
 */
export async function unlessConditionFails(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (errorCode(error) === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
