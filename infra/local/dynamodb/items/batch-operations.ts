import { AwsError } from '../../protocol/aws-error.ts';
import type { Actions } from '../engine/action.ts';
import { type Checked, invalid, type Projection, validationOf } from '../engine/dynalite.ts';
import { type Item, imageBytes } from '../engine/image.ts';
import type { Store } from '../engine/store.ts';
import { collectionMetrics, readCapacity, writeCapacity } from './capacity.ts';
import { readItem, shown } from './item-operations.ts';
import { carryOut, type Plan, planDelete, planPut } from './plan.ts';

/** Most requests of a BatchWriteItem, keys of a BatchGetItem, and bytes of its answer. Source: their API reference. */
const WRITES_MAX = 25;
const KEYS_MAX = 100;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

interface BatchWrite extends Checked {
  RequestItems: Record<string, { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]>;
}
interface KeysAndAttributes {
  Keys: Item[];
  AttributesToGet?: string[];
  ConsistentRead?: boolean;
  ProjectionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  _projection?: Projection;
}
interface BatchGet extends Checked {
  RequestItems: Record<string, KeysAndAttributes>;
}

/** BatchWriteItem and BatchGetItem. Every item of a batch stands for itself on AWS; here a batch is one transaction. */
export function batchOperations(store: Store): Actions {
  return {
    BatchWriteItem: {
      rules: validationOf('BatchWriteItem'),
      first: problemOfWrites,
      run: (data: BatchWrite) => batchWrite(store, data),
    },
    BatchGetItem: {
      rules: validationOf('BatchGetItem'),
      first: problemOfKeys,
      run: (data: BatchGet) => batchGet(store, data),
    },
  };
}

/** Says what dynalite has other words for than AWS. */
function problemOfWrites({ RequestItems }: BatchWrite): string | undefined {
  const lists = Object.values(RequestItems ?? {});
  if (lists.length === 0) return 'The requestItems parameter is required for BatchWriteItem';
  const isAllowed = (list: unknown) => !Array.isArray(list) || (list.length >= 1 && list.length <= WRITES_MAX);
  const writes = lists.reduce((sum, list) => sum + list.length, 0);
  if (lists.every(isAllowed)) {
    return writes <= WRITES_MAX ? undefined : 'Too many items requested for the BatchWriteItem call';
  }
  return `1 validation error detected: Value '${asJavaMap(RequestItems)}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to ${WRITES_MAX}, Member must have length greater than or equal to 1]`;
}

function problemOfKeys({ RequestItems }: BatchGet): string | undefined {
  const lists = Object.entries(RequestItems ?? {});
  if (lists.length === 0) return 'The requestItems parameter is required for BatchGetItem';
  const [name] = lists.find(([, request]) => (request?.Keys?.length ?? 0) > KEYS_MAX) ?? [];
  if (name === undefined) return undefined;
  return `1 validation error detected: Value at 'RequestItems.${name}.member.Keys' failed to satisfy constraint: Member must have length less than or equal to ${KEYS_MAX}`;
}

function asJavaMap(map: object): string {
  return `{${Object.entries(map)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`;
}

function batchWrite(store: Store, data: BatchWrite): object {
  const plans: Plan[] = [];
  for (const [TableName, requests] of Object.entries(data.RequestItems)) {
    const seen = new Set<string>();
    for (const { PutRequest, DeleteRequest } of requests) {
      const plan = keyProblemsAlike(() =>
        PutRequest
          ? planPut(store, { TableName, Item: PutRequest.Item })
          : planDelete(store, { TableName, ...(DeleteRequest && { Key: DeleteRequest.Key }) }),
      );
      const key = Buffer.from(plan.key).toString('base64');
      if (seen.has(key)) throw invalid('Provided list of item keys contains duplicates');
      seen.add(key);
      plans.push(plan);
    }
  }
  for (const plan of plans) carryOut(store, plan);
  const ConsumedCapacity = writeCapacity(data, plans);
  const metrics = itemCollections(store, data, plans);
  return {
    UnprocessedItems: {},
    ...(ConsumedCapacity && { ConsumedCapacity }),
    ...(metrics && { ItemCollectionMetrics: metrics }),
  };
}

/** Metrics of every item collection that was written to, by table; undefined when they are not asked for. */
export function itemCollections(
  store: Store,
  data: Pick<Checked, 'ReturnItemCollectionMetrics'>,
  plans: readonly Plan[],
): Record<string, object[]> | undefined {
  if (data.ReturnItemCollectionMetrics !== 'SIZE') return undefined;
  const byTable: Record<string, Map<string, object>> = {};
  for (const plan of plans) {
    const metrics = collectionMetrics(store, data, plan);
    if (!metrics) continue;
    const name = plan.table.description.TableName;
    byTable[name] ??= new Map();
    byTable[name].set(JSON.stringify(metrics.ItemCollectionKey), metrics);
  }
  return Object.fromEntries(Object.entries(byTable).map(([name, metrics]) => [name, [...metrics.values()]]));
}

function keyProblemsAlike<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof AwsError && /Missing the key|Type mismatch for key/.test(error.message)) {
      throw invalid('The provided key element does not match the schema');
    }
    throw error;
  }
}

function batchGet(store: Store, data: BatchGet): object {
  const Responses: Record<string, Item[]> = {};
  const UnprocessedKeys: Record<string, object> = {};
  const capacities = [];
  let bytes = 0;
  for (const [TableName, request] of Object.entries(data.RequestItems)) {
    const { Keys, ...rest } = request;
    const read: (Item | undefined)[] = [];
    const items: Item[] = [];
    const left: Item[] = [];
    for (const Key of Keys) {
      const item = readItem(store, { TableName, Key, ...rest });
      bytes += imageBytes(item);
      if (item && bytes > ANSWER_BYTES_MAX) {
        left.push(Key);
        continue;
      }
      read.push(item);
      if (item) items.push(shown(rest, item));
    }
    Responses[TableName] = items;
    const { _projection, ...asked } = rest;
    if (left.length > 0) UnprocessedKeys[TableName] = { Keys: left, ...asked };
    capacities.push(readCapacity(data, TableName, read, rest.ConsistentRead));
  }
  return { Responses, UnprocessedKeys, ...(capacities[0] && { ConsumedCapacity: capacities }) };
}
