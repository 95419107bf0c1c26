import { AwsError } from '../../protocol/aws-error.ts';
import type { Dynalite, DynaliteOperation } from '../dynalite.ts';
import type { Image } from './image.ts';
import type { Intent, Stream, StreamLog } from './stream-log.ts';

/** Writes that the tap watches. */
export type WriteOperation = Extract<DynaliteOperation, 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem'>;

export interface StreamTap {
  /** Carries out a write, and puts on the tables' streams a record of each item it changed. */
  write(operation: WriteOperation, input: object): Promise<object>;
  /** Deletes an expired item, as DynamoDB's own time to live does. Does nothing when it has changed since it was read. */
  expire(tableName: string, item: Image, attribute: string): Promise<void>;
  /** Runs something that no write to the table may overlap. */
  exclusive<T>(tableNames: readonly string[], run: () => Promise<T>): Promise<T>;
}

interface Touched {
  readonly tableName: string;
  readonly keys: Image;
  readonly stream: Stream;
}

/**
 * Takes the images before and after each write, one write at a time per table, so that the order of records is the
 * order of writes. `tell` is called when there are new records.
 */
export function streamTap(dynalite: Dynalite, log: StreamLog, tell: () => void): StreamTap {
  const exclusive = tableLocks();

  async function imageOf(tableName: string, keys: Image): Promise<Image | undefined> {
    const { Item } = await dynalite.run<{ Item?: Image }>('GetItem', {
      TableName: tableName,
      Key: keys,
      ConsistentRead: true,
    });
    return Item;
  }

  async function settle(intents: readonly Intent[]): Promise<void> {
    const outcomes = await Promise.all(
      intents.map(async (intent) => ({ intent, after: await imageOf(intent.stream.tableName, intent.keys) })),
    );
    log.settle(outcomes);
    tell();
  }

  async function watched<T>(touched: readonly Touched[], byTimeToLive: boolean, run: () => Promise<T>): Promise<T> {
    if (touched.length === 0) return run();
    // An item that cannot be read by these keys cannot be written either: the write answers the error.
    const images = await Promise.all(touched.map((it) => imageOf(it.tableName, it.keys))).catch(() => undefined);
    if (!images) return run();
    const intents = log.intend(touched.map((it, index) => ({ ...it, before: images[index], byTimeToLive })));
    try {
      return await run();
    } finally {
      await settle(intents);
    }
  }

  return {
    exclusive,
    write(operation, input) {
      const items = itemsOf(operation, input);
      return exclusive([...new Set(items.map(({ tableName }) => tableName))], () => {
        const touched = items.flatMap(({ tableName, item }) => {
          const stream = log.enabledOn(tableName);
          const keys = stream && keysOf(item, stream.keySchema);
          return keys ? [{ tableName, keys, stream }] : [];
        });
        return watched(touched, false, () => runConditional(operation, input));
      });
    },
    expire: (tableName, item, attribute) =>
      exclusive([tableName], async () => {
        const stream = log.enabledOn(tableName);
        const keys = keysOf(item, await keySchemaOf(tableName)) ?? {};
        await watched(stream ? [{ tableName, keys, stream }] : [], true, () =>
          dynalite.run('DeleteItem', {
            TableName: tableName,
            Key: keys,
            ConditionExpression: '#expires = :read',
            ExpressionAttributeNames: { '#expires': attribute },
            ExpressionAttributeValues: { ':read': item[attribute] },
          }),
        ).catch((error) => {
          if ((error as AwsError).code !== 'ConditionalCheckFailedException') throw error;
        });
      }),
  };

  /** dynalite knows no ReturnValuesOnConditionCheckFailure: the item is read for it, while no other write can come between. */
  async function runConditional(operation: WriteOperation, input: object): Promise<object> {
    const { ReturnValuesOnConditionCheckFailure: wanted, ...rest } = input as Record<string, unknown>;
    if (wanted !== 'ALL_OLD') return dynalite.run(operation, rest);
    try {
      return await dynalite.run(operation, rest);
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') throw error;
      const [written] = itemsOf(operation, input);
      const keys = written && keysOf(written.item, await keySchemaOf(written.tableName));
      const Item = keys && (await imageOf(written.tableName, keys));
      throw new AwsError(error.code, error.message, error.status, { ...error.fields, ...(Item && { Item }) });
    }
  }

  async function keySchemaOf(tableName: string): Promise<Stream['keySchema']> {
    type Described = { Table: { KeySchema: Stream['keySchema'] } };
    return (await dynalite.run<Described>('DescribeTable', { TableName: tableName })).Table.KeySchema;
  }
}

interface Written {
  readonly tableName: string;
  /** The item put, or the key of the item updated or deleted. */
  readonly item: Image;
}

function itemsOf(operation: WriteOperation, input: object): Written[] {
  const request = input as { TableName?: string; Item?: Image; Key?: Image; RequestItems?: Record<string, unknown> };
  if (operation !== 'BatchWriteItem') {
    return [{ tableName: String(request.TableName), item: request.Item ?? request.Key ?? {} }];
  }
  return Object.entries(request.RequestItems ?? {}).flatMap(([tableName, writes]) =>
    (Array.isArray(writes) ? writes : []).map((write) => ({
      tableName,
      item: write?.PutRequest?.Item ?? write?.DeleteRequest?.Key ?? {},
    })),
  );
}

/** The key attributes of an item; undefined when one is missing, which the write itself refuses. */
function keysOf(item: Image, keySchema: Stream['keySchema']): Image | undefined {
  const keys: Record<string, Image[string]> = {};
  for (const { AttributeName: name } of keySchema) {
    const value = item[name];
    if (value === undefined) return undefined;
    keys[name] = value;
  }
  return keys;
}

/** One at a time per table. All tables of a write are taken at once, so that no two writes can wait for each other. */
function tableLocks(): StreamTap['exclusive'] {
  const tails = new Map<string, Promise<unknown>>();
  return (tableNames, run) => {
    const turn = Promise.all(tableNames.map((name) => tails.get(name))).then(run);
    const tail = turn.catch(() => undefined);
    for (const name of tableNames) {
      tails.set(name, tail);
      tail.then(() => tails.get(name) === tail && tails.delete(name));
    }
    return turn;
  };
}
