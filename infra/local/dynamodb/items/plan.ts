import { AwsError } from '../../protocol/aws-error.ts';
import { type Checked, ITEM_BYTES_MAX, invalid, refuse, rules, updated } from '../engine/dynalite.ts';
import { type Item, imageBytes, sortSets } from '../engine/image.ts';
import { keyBytes } from '../engine/keys.ts';
import type { Store, StoredItem } from '../engine/store.ts';
import type { Table } from '../engine/table.ts';

/** A write that can be made: everything that can refuse it has been looked at, and nothing is changed yet. */
export interface Plan {
  readonly table: Table;
  readonly key: Uint8Array;
  readonly before: StoredItem | undefined;
  /** The item as it will be; undefined: there will be none. */
  readonly after: Item | undefined;
  /** Bytes of `after`. */
  readonly bytes: number;
  /** Attributes that the request's ReturnValues asks for. */
  readonly attributes: Item | undefined;
}

/** @throws AwsError when the request does not fit the table, or its condition does not hold. */
export function planPut(store: Store, data: Checked): Plan {
  const table = store.table(data.TableName);
  const item = data.Item ?? {};
  refuse(rules.validateItem(item, table.description));
  checkIndexKeys(table, item);
  const bytes = checkedSize(item, 'Item size has exceeded the maximum allowed size');
  sortSets(item);
  const { key, before } = found(store, table, item);
  checkCondition(data, before);
  return {
    table,
    key,
    before,
    after: item,
    bytes,
    attributes: data.ReturnValues === 'ALL_OLD' ? before?.item : undefined,
  };
}

/** @throws AwsError when the request does not fit the table, or its condition does not hold. */
export function planDelete(store: Store, data: Checked): Plan {
  const table = store.table(data.TableName);
  const { key, before } = found(store, table, checkedKey(table, data.Key));
  checkCondition(data, before);
  const attributes = data.ReturnValues === 'ALL_OLD' ? before?.item : undefined;
  return { table, key, before, after: undefined, bytes: 0, attributes };
}

/** @throws AwsError when the request does not fit the table, its condition does not hold, or it cannot be applied. */
export function planUpdate(store: Store, data: Checked): Plan {
  const table = store.table(data.TableName);
  const { key, before } = found(store, table, checkedKey(table, data.Key));
  try {
    const { after, attributes } = updated(table.description, data, before?.item);
    checkIndexKeys(table, after);
    const bytes = checkedSize(after, 'Item size to update has exceeded the maximum allowed size');
    sortSets(after);
    return { table, key, before, after, bytes, attributes };
  } catch (error) {
    throw withItem(error, data, before);
  }
}

/** A condition on an item that the request does not write. @throws AwsError when it does not hold. */
export function planCheck(store: Store, data: Checked): Plan {
  const table = store.table(data.TableName);
  const { key, before } = found(store, table, checkedKey(table, data.Key));
  checkCondition(data, before);
  return { table, key, before, after: before?.item, bytes: before?.bytes ?? 0, attributes: undefined };
}

export function carryOut(store: Store, { table, key, before, after, bytes }: Plan): void {
  store.write(table, key, before, after && { item: after, bytes });
}

/** @throws AwsError when a key does not fit the table's schema. */
export function checkedKey(table: Table, key: Item = {}): Item {
  refuse(rules.validateKey(key, table.description));
  return key;
}

export function found(store: Store, table: Table, item: Item): { key: Uint8Array; before: StoredItem | undefined } {
  const key = keyBytes(table.layout, item) ?? Buffer.alloc(0);
  return { key, before: store.get(table, key) };
}

function checkCondition(data: Checked, before: StoredItem | undefined): void {
  try {
    refuse(rules.checkConditional(data, before?.item));
  } catch (error) {
    throw withItem(error, data, before);
  }
}

/** A failed condition answers the item it failed on, when that is asked for. */
function withItem(error: unknown, data: Checked, before: StoredItem | undefined): unknown {
  if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') return error;
  if (data.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD' || !before) return error;
  return new AwsError(error.code, error.message, error.status, { Item: before.item });
}

/** An attribute that is an index's key cannot be empty. Source: PutItem, "an empty value for a key attribute". */
function checkIndexKeys(table: Table, item: Item): void {
  for (const { layout, description } of table.indexes) {
    for (const { name, type } of [...layout.hash, ...layout.range]) {
      if (item[name]?.[type] !== '') continue;
      const what = type === 'B' ? 'binary' : 'string';
      throw invalid(
        `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty ${what} value. IndexName: ${description.IndexName}, IndexKey: ${name}`,
      );
    }
  }
}

/** Bytes of an item. @throws AwsError when it has too many. */
function checkedSize(item: Item, message: string): number {
  const bytes = imageBytes(item);
  if (bytes > ITEM_BYTES_MAX) throw invalid(message);
  return bytes;
}
