import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { chunksOf } from '../calls/chunks.ts';
import { errorCode } from '../calls/failure.ts';
import { type Pace, unprocessed, untilDeadline } from '../calls/pace.ts';

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

/** Most keys of one call. Source: BatchGetItem. */
const KEYS_PER_CALL_MAX = 100;
/** Calls in flight at once. */
const CONCURRENCY_MAX = 32;

/**
 * Reads many items (consistent reads), whatever it takes within the time: 200 does not mean that all was read.
 *
 * @param onItem is given each item that there is, in any order.
 * @throws Error when some could not be read in time.
 */
export async function readItems(
  { name, dynamodb }: StateTable,
  keys: readonly string[],
  pace: Pace,
  onItem: (item: Record<string, AttributeValue>) => void,
): Promise<void> {
  const calls = chunksOf(keys, KEYS_PER_CALL_MAX);
  const left = await untilDeadline(calls, { pace, concurrencyMax: CONCURRENCY_MAX }, async (call) => {
    const Keys = call.map((pk) => ({ pk: { S: pk } }));
    const { Responses, UnprocessedKeys } = await dynamodb.send(
      new BatchGetItemCommand({ RequestItems: { [name]: { Keys, ConsistentRead: true } } }),
      { abortSignal: pace.signal },
    );
    for (const item of Responses?.[name] ?? []) onItem(item);
    const rest = (UnprocessedKeys?.[name]?.Keys ?? []).map(({ pk }) => pk?.S ?? '');
    return rest.length > 0 ? unprocessed(rest) : undefined;
  });
  const unread = left.reduce((sum, { item }) => sum + item.length, 0);
  if (unread > 0) {
    throw new Error(`${unread} of ${keys.length} items of the state table could not be read: ${left.at(-1)?.message}`);
  }
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
