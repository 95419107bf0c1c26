import { type Checked, rules } from '../engine/dynalite.ts';
import { type Item, imageBytes } from '../engine/image.ts';
import { after, keyBytes } from '../engine/keys.ts';
import type { Store } from '../engine/store.ts';
import type { Table } from '../engine/table.ts';
import type { Plan } from './plan.ts';

/** Bytes that are shown as a gigabyte of an item collection's size. */
const GIGABYTE = 2 ** 30;

/** What a write used, when ReturnConsumedCapacity asks for it. */
export function writeCapacity(data: Pick<Checked, 'ReturnConsumedCapacity'>, plans: readonly Plan[], factor = 1) {
  if (!isAsked(data)) return undefined;
  const units = new Map<string, number>();
  for (const { table, before, after: item } of plans) {
    const name = table.description.TableName;
    units.set(name, (units.get(name) ?? 0) + factor * writeUnits(before?.item, item));
  }
  return [...units].map(([name, used]) => capacityOf(data, name, used, factor > 1 ? 'WriteCapacityUnits' : undefined));
}

/** What reads of one table used, when ReturnConsumedCapacity asks for it. */
export function readCapacity(
  data: Pick<Checked, 'ReturnConsumedCapacity'>,
  tableName: string,
  items: readonly (Item | undefined)[],
  isConsistent: boolean | undefined,
  factor = 1,
) {
  if (!isAsked(data)) return undefined;
  const used = items.reduce((sum, item) => sum + factor * rules.capacityUnits(item, true, isConsistent), 0);
  return capacityOf(data, tableName, used, factor > 1 ? 'ReadCapacityUnits' : undefined);
}

/** Sizes of the item collection a write was to, when asked for and the table has local indexes. */
export function collectionMetrics(
  store: Store,
  data: Pick<Checked, 'ReturnItemCollectionMetrics'>,
  { table, ...plan }: Plan,
) {
  const hash = table.layout.hash[0];
  const item = plan.after ?? plan.before?.item;
  if (data.ReturnItemCollectionMetrics !== 'SIZE' || !hash || !item) return undefined;
  if (!table.indexes.some((it) => !it.isGlobal)) return undefined;
  const gigabytes = collectionBytes(store, table, item) / GIGABYTE;
  return {
    ItemCollectionKey: { [hash.name]: item[hash.name] },
    // AWS gives a range of estimates, a gigabyte wide.
    SizeEstimateRangeGB: [Math.floor(gigabytes), Math.floor(gigabytes) + 1],
  };
}

function collectionBytes(store: Store, table: Table, item: Item): number {
  const from = keyBytes({ hash: table.layout.hash, range: [] }, item) ?? Buffer.alloc(0);
  let bytes = 0;
  for (const { item: one } of store.items(table, { from, to: after(from) })) bytes += imageBytes(one);
  return bytes;
}

function writeUnits(before: Item | undefined, item: Item | undefined): number {
  return Math.max(
    rules.capacityUnits(item, false, undefined),
    before ? rules.capacityUnits(before, false, undefined) : 0,
  );
}

function isAsked({ ReturnConsumedCapacity: asked }: Pick<Checked, 'ReturnConsumedCapacity'>): boolean {
  return asked === 'TOTAL' || asked === 'INDEXES';
}

function capacityOf(
  data: Pick<Checked, 'ReturnConsumedCapacity'>,
  TableName: string,
  CapacityUnits: number,
  kind: string | undefined,
) {
  const units = { CapacityUnits, ...(kind && { [kind]: CapacityUnits }) };
  return { TableName, ...units, ...(data.ReturnConsumedCapacity === 'INDEXES' && { Table: units }) };
}
