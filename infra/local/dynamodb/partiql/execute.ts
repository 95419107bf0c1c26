import { AwsError } from '../../protocol/aws-error.ts';
import { type Checked, type Expression, invalid, type Path, rules, type UpdateSection } from '../engine/dynalite.ts';
import type { AttributeValue, Item } from '../engine/image.ts';
import type { Store } from '../engine/store.ts';
import { type Plan, planCheck, planDelete, planPut, planUpdate } from '../items/plan.ts';
import { sourceOf } from '../reads/page.ts';
import { query } from '../reads/query.ts';
import { scan } from '../reads/scan.ts';
import type { Assignment, Delete, Exists, Insert, Operand, Operation, Select, Update } from './statement.ts';
import { joined, lookup, oneItem } from './where.ts';

/** What a statement is carried out with beside its text. */
export type Options = Pick<
  Checked,
  'ConsistentRead' | 'Limit' | 'ExclusiveStartKey' | 'ReturnConsumedCapacity' | 'ReturnValuesOnConditionCheckFailure'
>;
export interface Page {
  Items: Item[];
  LastEvaluatedKey?: Item;
  ConsumedCapacity?: object;
}

/** Reads a page of what a SELECT asks for: a query where its WHERE names a partition, a scan otherwise. */
export function select(store: Store, statement: Select, options: Options): Page {
  const { table: TableName, index, columns, where, isDescending } = statement;
  const request: Checked = { TableName, ...(index !== undefined && { IndexName: index }), ...options };
  const found = lookup(sourceOf(store, request), where);
  const data = { ...request, ...found, ...(isDescending && { ScanIndexForward: false }) };
  const { Items, LastEvaluatedKey, ConsumedCapacity } = (
    found.KeyConditions ? query(store, data) : scan(store, data)
  ) as Page;
  return {
    Items: columns ? Items.map((item) => columnsOf(item, columns)) : Items,
    ...(LastEvaluatedKey && { LastEvaluatedKey }),
    ...(ConsumedCapacity && { ConsumedCapacity }),
  };
}

/** The one item a SELECT names by its whole key. @throws AwsError when it names none. */
export function selectOne(store: Store, statement: Select): Item | undefined {
  const table = store.table(statement.table);
  oneItem(table, statement.where);
  return select(store, statement, { ConsistentRead: true }).Items[0];
}

/** What a writing statement would do. @throws AwsError as the operations do that it is like. */
export function planOf(store: Store, statement: Insert | Update | Delete | Exists, options: Options = {}): Plan {
  const { table: TableName } = statement;
  const { ReturnValuesOnConditionCheckFailure: onFailure } = options;
  const common = { TableName, ...(onFailure !== undefined && { ReturnValuesOnConditionCheckFailure: onFailure }) };
  if (statement.kind === 'insert') return planInsert(store, { ...common, Item: statement.item }, onFailure);
  const table = store.table(TableName);
  const { Key, rest } = oneItem(table, statement.where);
  const exists: Expression = {
    type: 'function',
    name: 'attribute_exists',
    args: [[table.description.KeySchema[0]?.AttributeName ?? '']],
  };
  const all = statement.kind === 'delete' ? rest : joined([exists, ...(rest ? [rest] : [])]);
  const data: Checked = { ...common, Key, ...(all && { _condition: { expression: all } }) };
  switch (statement.kind) {
    case 'exists':
      return planCheck(store, data);
    case 'delete':
      return planDelete(store, { ...data, ...returned(statement.returning) });
    default:
      return planUpdate(store, { ...data, ...returned(statement.returning), _updates: updatesOf(statement) });
  }
}

function planInsert(store: Store, data: Checked, onFailure: string | undefined): Plan {
  const plan = planPut(store, data);
  if (!plan.before) return plan;
  const shown = onFailure === 'ALL_OLD' ? { Item: plan.before.item } : {};
  throw new AwsError('DuplicateItemException', 'Duplicate primary key exists in table', 400, shown);
}

function returned(returning: string | undefined): Pick<Checked, 'ReturnValues'> {
  return returning === undefined ? {} : { ReturnValues: returning };
}

function updatesOf({ assignments, removed }: Update): NonNullable<Checked['_updates']> {
  const sections: UpdateSection[] = [
    ...assignments.map(sectionOf),
    ...removed.map((path) => ({ type: 'remove' as const, path })),
  ];
  const paths = sections.map((it) => it.path);
  const nestedPaths = Object.fromEntries(paths.filter((it) => it.length > 1).map((it) => [it[0], true]));
  return { sections, paths, nestedPaths };
}

function sectionOf({ path, value }: Assignment): UpdateSection {
  if (!isOperation(value)) return { type: 'set', path, val: value, ...typeOf(value) };
  if (value.name !== 'set_add' && value.name !== 'set_delete') return { type: 'set', path, val: value };
  const [of, elements] = value.args;
  if (!Array.isArray(of) || !elements || Array.isArray(elements) || isOperation(elements)) {
    throw invalid(`${value.name} takes an attribute and a set`);
  }
  return { type: value.name === 'set_add' ? 'add' : 'delete', path: of, val: elements, ...typeOf(elements) };
}

function isOperation(value: Operand): value is Operation {
  return !Array.isArray(value) && typeof (value as { type?: unknown }).type === 'string';
}

function typeOf(value: AttributeValue | Path): { attrType?: string } {
  const [type] = Array.isArray(value) ? [] : Object.keys(value);
  return type === undefined ? {} : { attrType: type };
}

/** Columns by the last name of their paths; one that ends in a position by its place among them. */
function columnsOf(item: Item, columns: readonly Path[]): Item {
  const shown: Item = {};
  for (const [place, path] of columns.entries()) {
    const value = rules.mapPath(path, item);
    const name = path.at(-1);
    if (value != null) shown[typeof name === 'string' ? name : `_${place + 1}`] = value;
  }
  return shown;
}
