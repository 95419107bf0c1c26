import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { chunksOf } from '../calls/chunks.ts';
import { errorCode, isInvalidInput } from '../calls/failure.ts';
import { type Pace, unprocessed, untilDeadline } from '../calls/pace.ts';
import { toEventImage } from '../changes/attribute-value.ts';
import { identifierOf } from '../changes/record-identifier.ts';
import type { FeatureGroup } from '../definition/feature-group.ts';

/** An item, or a key, as the SDK has it. */
export type Item = Record<string, AttributeValue>;

/** Items that are read, by their record identifier: undefined is an item that is not there. */
export interface SourceItems {
  readonly found: ReadonlyMap<string, Item | undefined>;
  /** Why others could not be read. */
  readonly unread: ReadonlyMap<string, string>;
}

/** Most keys of one call. Source: BatchGetItem. Its other limit, 16 MB, leaves keys unprocessed. */
const KEYS_PER_CALL_MAX = 100;
const CONCURRENCY_MAX = 4;

/** Reads items of the source table, consistently: the table is what everything else is held against. */
export async function readSourceItems(
  group: FeatureGroup,
  dynamodb: Pick<DynamoDBClient, 'send'>,
  keys: ReadonlyMap<string, Item>,
  pace: Pace,
): Promise<SourceItems> {
  const found = new Map<string, Item | undefined>();
  const unread = new Map<string, string>();
  const identify = (item: Item) => {
    const attributes = group.recordIdentifier.attributes.map((name) => [name, toEventImage(item[name])]);
    return identifierOf(Object.fromEntries(attributes), group);
  };
  const read = async (call: readonly string[]): Promise<readonly string[]> => {
    const answer = await dynamodb.send(
      new BatchGetItemCommand({
        RequestItems: {
          [group.table]: { Keys: call.map((id) => keys.get(id) as Item), ConsistentRead: true },
        },
      }),
      { abortSignal: pace.signal },
    );
    const left = new Set((answer.UnprocessedKeys?.[group.table]?.Keys ?? []).map(identify));
    const there = new Map((answer.Responses?.[group.table] ?? []).map((item) => [identify(item), item]));
    for (const id of call) if (!left.has(id)) found.set(id, there.get(id));
    return call.filter((id) => left.has(id));
  };
  const calls: (readonly string[])[] = chunksOf([...keys.keys()], KEYS_PER_CALL_MAX);
  const unfinished = await untilDeadline(calls, { pace, concurrencyMax: CONCURRENCY_MAX }, async (call) => {
    try {
      const left = await read(call);
      return left.length > 0 ? unprocessed(left) : undefined;
    } catch (error) {
      if (!isInvalidInput(errorCode(error))) throw error;
      // One key that is none has failed the call: alone, each shows whether it is the one.
      if (call.length === 1) unread.set(call[0] as string, `its key is none of the table ${group.table}`);
      else await Promise.all(call.map((id) => read([id]).catch(() => unread.set(id, 'its key could not be read'))));
      return undefined;
    }
  });
  for (const { item, message } of unfinished)
    for (const id of item) unread.set(id, `its item was not read: ${message}`);
  return { found, unread };
}
