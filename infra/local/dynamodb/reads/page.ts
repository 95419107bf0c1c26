import { type Checked, invalid, type LegacyCondition, type Parsed, refuse, rules } from '../engine/dynalite.ts';
import type { Item } from '../engine/image.ts';
import { type KeyLayout, keyBytes } from '../engine/keys.ts';
import { type KeyRange, projected, type Store } from '../engine/store.ts';
import { type Index, keyNames, type Table } from '../engine/table.ts';
import { shown } from '../items/item-operations.ts';

/** Most bytes a Query or Scan looks at for one page. Source: their API reference. */
const PAGE_BYTES_MAX = 1024 * 1024;

/** A table or one of its indexes, to be read. */
export interface Source {
  readonly table: Table;
  readonly index: Index | undefined;
  readonly layout: KeyLayout;
}

/** @throws AwsError when there is no such table or index, or the index cannot be read in this way. */
export function sourceOf(store: Store, data: Checked): Source {
  const table = store.table(data.TableName);
  if (data.IndexName === undefined) return { table, index: undefined, layout: table.layout };
  const index = table.indexes.find((it) => it.description.IndexName === data.IndexName);
  if (!index) throw invalid(`The table does not have the specified index: ${data.IndexName}`);
  if (index.isGlobal && data.ConsistentRead) {
    throw invalid('Consistent reads are not supported on global secondary indexes');
  }
  return { table, index, layout: index.layout };
}

/** @throws AwsError when a global index is asked for attributes that it does not have. */
export function checkSelect({ index }: Source, { Select, IndexName }: Checked): void {
  if (Select !== 'ALL_ATTRIBUTES' || !index?.isGlobal || index.description.Projection.ProjectionType === 'ALL') return;
  throw invalid(
    `One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${IndexName} because its projection type is not ALL`,
  );
}

/** Why a request's Select does not go with its other parameters. */
export function problemOfSelect(data: Checked): string | undefined {
  const { Select, AttributesToGet, _projection: projection } = data;
  const isProjected = projection !== undefined || AttributesToGet !== undefined;
  if (Select === 'SPECIFIC_ATTRIBUTES' && !isProjected) {
    return 'One or more parameter values were invalid: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES';
  }
  if (Select !== undefined && Select !== 'SPECIFIC_ATTRIBUTES' && isProjected) {
    const parameter = projection ? 'ProjectionExpression' : 'AttributesToGet';
    return `One or more parameter values were invalid: Cannot specify the ${parameter} when choosing to get ${Select === 'COUNT' ? 'only the Count' : Select}`;
  }
  if (Select === 'ALL_PROJECTED_ATTRIBUTES' && data.IndexName === undefined) {
    return 'One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName';
  }
  return undefined;
}

/** AWS names this limit otherwise than those of other parameters. */
export function problemOfLimit({ Limit }: Checked): string | undefined {
  if (typeof Limit !== 'number' || Limit >= 1) return undefined;
  return "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1";
}

/** @throws AwsError when an expression reaches into a key attribute. */
export function checkPaths({ table }: Source, data: Checked): void {
  refuse(rules.validateKeyPaths(data._projection?.nestedPaths, table.description));
  refuse(rules.validateKeyPaths(data._filter?.nestedPaths, table.description));
}

/** Where to go on after an ExclusiveStartKey that has been checked. */
export function startBytes({ table, index, layout }: Source, start: Item): Buffer {
  const key = keyBytes(table.layout, start) ?? Buffer.alloc(0);
  return index ? Buffer.concat([keyBytes(layout, start) ?? Buffer.alloc(0), key]) : key;
}

/** One page of a Query or a Scan. */
export function readPage(store: Store, source: Source, range: KeyRange, data: Checked): object {
  const { table, index } = source;
  const isReverse = data.ScanIndexForward === false;
  const rows = index ? store.entries(index, range, isReverse) : store.items(table, range, isReverse);
  const rangeKey = table.description.KeySchema[1]?.AttributeName;
  const isWhole = !index || (data.Select === 'ALL_ATTRIBUTES' && !index.isGlobal) || reachesBeyond(source, data);
  const items: Item[] = [];
  let bytes = 0;
  let usedBytes = 0;
  let scanned = 0;
  let last: Item | undefined;
  for (const { item } of rows) {
    const visible = index && !isWhole ? projected(table, index, item) : item;
    scanned += 1;
    bytes += rules.itemSize(visible, true, true, rangeKey);
    if (data.ReturnConsumedCapacity) usedBytes += rules.itemSize(visible);
    last = item;
    if (passes(data, visible)) items.push(shown(data, visible));
    if (scanned === data.Limit || bytes >= PAGE_BYTES_MAX) break;
  }
  const isFull = scanned === data.Limit || bytes >= PAGE_BYTES_MAX;
  const next = isFull && last ? keysOf(table, index, last) : undefined;
  const capacity = pageCapacity(source, data, usedBytes);
  return {
    ...(data.Select !== 'COUNT' && { Items: items }),
    Count: items.length,
    ScannedCount: scanned,
    ...(next && { LastEvaluatedKey: next }),
    ...(capacity && { ConsumedCapacity: capacity }),
  };
}

/** A local index fetches from the table what it is asked for and does not have. */
function reachesBeyond({ index }: Source, data: Checked): boolean {
  return index !== undefined && !index.isGlobal && (data._projection ?? data.AttributesToGet) !== undefined;
}

function keysOf(table: Table, index: Index | undefined, item: Item): Item {
  return Object.fromEntries(keyNames(table, index).map((name) => [name, item[name] ?? {}]));
}

function passes(data: Checked, item: Item): boolean {
  if (data._filter) return rules.matchesExprFilter(item, data._filter.expression);
  const filter: Record<string, LegacyCondition> | undefined = data.QueryFilter ?? data.ScanFilter;
  return !filter || rules.matchesFilter(item, filter, data.ConditionalOperator);
}

function pageCapacity({ index }: Source, data: Checked, bytes: number) {
  const { ReturnConsumedCapacity: asked, TableName, IndexName = '' } = data;
  if (asked !== 'TOTAL' && asked !== 'INDEXES') return undefined;
  const units = Math.max(1, Math.ceil(bytes / 1024 / 4)) * (data.ConsistentRead ? 1 : 0.5);
  if (asked === 'TOTAL') return { TableName, CapacityUnits: units };
  if (!index) return { TableName, CapacityUnits: units, Table: { CapacityUnits: units } };
  const kind = index.isGlobal ? 'GlobalSecondaryIndexes' : 'LocalSecondaryIndexes';
  return {
    TableName,
    CapacityUnits: units,
    Table: { CapacityUnits: 0 },
    [kind]: { [IndexName]: { CapacityUnits: units } },
  };
}

/** @throws AwsError when a filter of a Query names a key attribute. */
export function checkFilterHeads(layout: KeyLayout, filter: Parsed | undefined, legacy: object | undefined): void {
  const heads = legacy ?? filter?.pathHeads;
  const name = legacy ? 'QueryFilter' : 'Filter Expression';
  const key = [...layout.hash, ...layout.range].find((it) => heads && it.name in heads);
  if (key) throw invalid(`${name} can only contain non-primary key attributes: Primary key attribute: ${key.name}`);
}
