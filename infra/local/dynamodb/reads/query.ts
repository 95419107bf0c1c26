import type { Action } from '../engine/action.ts';
import {
  type Checked,
  invalid,
  type LegacyCondition,
  refuse,
  rules,
  validationOf,
  validations,
} from '../engine/dynalite.ts';
import type { Item } from '../engine/image.ts';
import { after, hashBytes, type KeyPart, partBytes } from '../engine/keys.ts';
import type { KeyRange, Store } from '../engine/store.ts';
import { keyNames } from '../engine/table.ts';
import {
  checkFilterHeads,
  checkPaths,
  checkSelect,
  problemOfLimit,
  problemOfSelect,
  readPage,
  type Source,
  sourceOf,
  startBytes,
} from './page.ts';
import { checkTableKey } from './scan.ts';

type Conditions = Readonly<Record<string, LegacyCondition>>;

const NOT_INDEXABLE = ['NULL', 'NOT_NULL', 'NE', 'CONTAINS', 'NOT_CONTAINS', 'IN'];

export function queryAction(store: Store): Action {
  return {
    rules: { types: validationOf('Query').types, custom: problemOfQuery },
    first: problemOfLimit,
    run: (data: Checked) => query(store, data),
  };
}

/** dynalite's rules of a query, less the number of conditions: an index may have up to eight key attributes. */
function problemOfQuery(data: Checked): string | undefined {
  const { validateExpressionParams, validateConditions, validateAttributeValue, findDuplicate } = validations;
  const { AttributesToGet, ExclusiveStartKey = {} } = data;
  const expressions = ['ProjectionExpression', 'FilterExpression', 'KeyConditionExpression'];
  const others = ['AttributesToGet', 'QueryFilter', 'ConditionalOperator', 'KeyConditions'];
  const duplicate = AttributesToGet && findDuplicate(AttributesToGet);
  const problem =
    validateExpressionParams(data, expressions, others) ??
    validateConditions(data.QueryFilter) ??
    (duplicate
      ? `One or more parameter values were invalid: Duplicate value in attribute name: ${duplicate}`
      : undefined);
  if (problem) return problem;
  for (const value of Object.values(ExclusiveStartKey)) {
    const wrong = validateAttributeValue(value);
    // dynalite: AWS adds its beginning to some of these only.
    const isAlone = /contains duplicates|number set|numeric value|significant digits|number with magnitude/.test(
      wrong ?? '',
    );
    if (wrong) return isAlone ? wrong : `The provided starting key is invalid: ${wrong}`;
  }
  if (data.KeyConditions === undefined && !('KeyConditionExpression' in data)) {
    return 'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.';
  }
  const invalidExpression = validations.validateExpressions(data);
  if (invalidExpression) return invalidExpression;
  if (data._keyCondition) {
    const conditions = validations.convertKeyCondition(data._keyCondition.expression);
    if (typeof conditions === 'string') return conditions;
    data.KeyConditions = conditions;
  }
  return validateConditions(data.KeyConditions) ?? problemOfSelect(data);
}

/** Reads a page of the items, in order, that a partition of a table or an index has in a range. @throws AwsError */
export function query(store: Store, data: Checked): object {
  const source = sourceOf(store, data);
  const conditions = data.KeyConditions ?? {};
  const start = data.ExclusiveStartKey;
  if (start && Object.keys(start).length !== keyNames(source.table, source.index).length) {
    throw invalid('The provided starting key is invalid');
  }
  checkConditions(source, conditions, start);
  if (start) checkStart(source, conditions, start);
  checkPaths(source, { TableName: data.TableName, ...(data._projection && { _projection: data._projection }) });
  checkFilterHeads(source.layout, data._filter, data.QueryFilter);
  checkSelect(source, data);
  checkPaths(source, data);
  const range = rangeOf(source, conditions);
  if (!start) return readPage(store, source, range, data);
  const at = startBytes(source, start);
  const rest =
    data.ScanIndexForward === false
      ? { from: range.from, to: Buffer.compare(at, range.to) < 0 ? at : range.to }
      : { from: Buffer.concat([at, Buffer.alloc(1)]), to: range.to };
  return readPage(store, source, rest, data);
}

/** @throws AwsError when the conditions are not those of a partition and a range in it. */
function checkConditions({ layout }: Source, conditions: Conditions, start: Item | undefined): void {
  const given = Object.keys(conditions).length;
  const parts = [...layout.hash, ...layout.range];
  if (given > Math.max(2, parts.length) || given === 0) throw invalid('Conditions can be of length 1 or 2 only');
  let isOver = false;
  for (const [position, { name, type }] of parts.entries()) {
    const isHash = position < layout.hash.length;
    if (start) {
      if (!start[name]) throw invalid('The provided starting key is invalid');
      refuse(rules.validateKeyPiece(start, name, type, position === 0));
    }
    if (isHash && parts.length === 1 && given > 1) throw invalid('Query key condition not supported');
    const condition = conditions[name];
    if (!condition) {
      const isMissed = isHash || parts.slice(position).some((it) => conditions[it.name]) || given > position;
      if (isMissed) throw invalid(`Query condition missed key schema element: ${name}`);
      return;
    }
    if (NOT_INDEXABLE.includes(condition.ComparisonOperator)) {
      throw invalid('Attempted conditional constraint is not an indexable operation');
    }
    if (condition.AttributeValueList.some((value) => value[type] === undefined)) {
      throw invalid('One or more parameter values were invalid: Condition parameter type does not match schema type');
    }
    // A range attribute can have a condition other than equality only if no other follows it.
    if (isOver || (isHash && condition.ComparisonOperator !== 'EQ')) throw invalid('Query key condition not supported');
    isOver = condition.ComparisonOperator !== 'EQ';
  }
  if (given > parts.length) throw invalid('Query key condition not supported');
}

function checkStart({ table, layout }: Source, conditions: Conditions, start: Item): void {
  checkTableKey(table, start);
  const isOutside = layout.hash.some(({ name, type }) => start[name]?.[type] !== equalTo(conditions, { name, type }));
  const ranged = layout.range.filter(({ name }) => conditions[name]);
  if (ranged.length === 0 && isOutside) {
    throw invalid('The provided starting key is outside query boundaries based on provided conditions');
  }
  for (const { name } of ranged) {
    const { ComparisonOperator: operator = '', AttributeValueList: values = [] } = conditions[name] ?? {};
    if (!rules.compare(operator, start[name] ?? {}, values)) {
      throw invalid('The provided starting key does not match the range key predicate');
    }
  }
  if (isOutside) throw invalid('The query can return at most one row and cannot be restarted');
}

/** The keys that conditions which have been checked let through. */
function rangeOf({ layout }: Source, conditions: Conditions): KeyRange {
  const [first] = layout.hash;
  let prefix = first ? hashBytes(equalTo(conditions, first), first.type) : Buffer.alloc(0);
  for (const part of layout.hash)
    prefix = Buffer.concat([prefix, partBytes(equalTo(conditions, part), part.type, true)]);
  for (const part of layout.range) {
    const condition = conditions[part.name];
    if (!condition) break;
    const [low = '', high = ''] = condition.AttributeValueList.map((it) => String(it[part.type]));
    const bytes = (value: string, ended = true) => Buffer.concat([prefix, partBytes(value, part.type, ended)]);
    const all = { from: prefix, to: after(prefix) };
    switch (condition.ComparisonOperator) {
      case 'EQ':
        prefix = bytes(low);
        continue;
      case 'LT':
        return { ...all, to: bytes(low) };
      case 'LE':
        return { ...all, to: after(bytes(low)) };
      case 'GT':
        return { ...all, from: after(bytes(low)) };
      case 'GE':
        return { ...all, from: bytes(low) };
      case 'BEGINS_WITH':
        return { from: bytes(low, false), to: after(bytes(low, false)) };
      default:
        return { from: bytes(low), to: after(bytes(high)) };
    }
  }
  return { from: prefix, to: after(prefix) };
}

function equalTo(conditions: Conditions, { name, type }: KeyPart): string {
  return String(conditions[name]?.AttributeValueList[0]?.[type]);
}
