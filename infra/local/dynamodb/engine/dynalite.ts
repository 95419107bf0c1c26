import { createRequire } from 'node:module';
import { ACCOUNT, REGION } from '../../protocol/arn.ts';
import { AwsError } from '../../protocol/aws-error.ts';
import type { AttributeValue, Item } from './image.ts';
import type { TableDescription } from './table.ts';

/**
 * What is taken from dynalite: DynamoDB's rules for requests with the words of its refusals, the parsers of its
 * expressions, and the arithmetic of updates. dynalite's storage is not used: items are kept in SQLite.
 */

/** A path of attribute names and list positions. */
export type Path = readonly (string | number)[];
/** A condition as dynalite's parser gives it; operands are paths, values, or functions. */
export interface Expression {
  type: string;
  name?: string;
  args: (Expression | Path | AttributeValue)[];
}
export interface Parsed {
  readonly expression: Expression;
  readonly nestedPaths?: Readonly<Record<string, boolean>>;
  readonly pathHeads?: Readonly<Record<string, boolean>>;
}
export interface Projection {
  readonly paths: readonly Path[];
  readonly nestedPaths?: Readonly<Record<string, boolean>>;
}
export interface UpdateSection {
  type: 'set' | 'remove' | 'add' | 'delete';
  path: Path;
  val?: unknown;
  attrType?: string;
}
/** A condition of the APIs before expressions: KeyConditions, QueryFilter, ScanFilter. */
export interface LegacyCondition {
  readonly ComparisonOperator: string;
  readonly AttributeValueList: AttributeValue[];
}
/** A request that has been checked, and its parsed expressions. */
export interface Checked {
  TableName: string;
  Item?: Item;
  Key?: Item;
  IndexName?: string;
  Select?: string;
  Limit?: number;
  ConsistentRead?: boolean;
  ScanIndexForward?: boolean;
  ExclusiveStartKey?: Item;
  Segment?: number;
  TotalSegments?: number;
  AttributesToGet?: string[];
  QueryFilter?: Record<string, LegacyCondition>;
  ScanFilter?: Record<string, LegacyCondition>;
  KeyConditions?: Record<string, LegacyCondition>;
  AttributeUpdates?: Record<string, { Action?: string; Value?: AttributeValue }>;
  ConditionalOperator?: string;
  Expected?: Record<string, unknown>;
  ReturnValues?: string;
  ReturnValuesOnConditionCheckFailure?: string;
  ReturnConsumedCapacity?: string;
  ReturnItemCollectionMetrics?: string;
  _condition?: Parsed;
  _filter?: Parsed;
  _keyCondition?: Parsed;
  _projection?: Projection;
  _updates?: { sections: UpdateSection[]; paths: Path[]; nestedPaths: Record<string, boolean> };
}

export interface FieldTypes {
  [name: string]: unknown;
}
export interface Validation {
  readonly types: FieldTypes;
  readonly custom?: (data: never, store: object) => string | undefined;
}
type Refusal = Error | null | undefined;

interface Validations {
  checkTypes<T>(input: object, types: FieldTypes): T;
  checkValidations(input: object, types: FieldTypes, custom: unknown, store: object): void;
  validateExpressionParams(data: object, expressions: string[], others: string[]): string | undefined;
  validateExpressions(data: object): string | undefined;
  validateConditions(conditions: object | undefined): string | undefined;
  validateAttributeValue(value: AttributeValue): string | undefined;
  convertKeyCondition(expression: Expression): string | Record<string, LegacyCondition>;
  findDuplicate(values: readonly string[]): string | null;
}
interface Functions {
  validateKey(key: Item, table: TableDescription): Refusal;
  validateItem(item: Item, table: TableDescription): Refusal;
  validateKeyPiece(key: Item, name: string, type: string, isHash: boolean): Refusal;
  validateKeyPaths(paths: object | undefined, table: TableDescription): Refusal;
  checkConditional(data: object, item: Item | undefined): Refusal;
  compare(operator: string, value: AttributeValue, others: readonly AttributeValue[]): boolean;
  matchesFilter(item: Item, filter: object, operator: string | undefined): boolean;
  matchesExprFilter(item: Item, expression: Expression): boolean;
  mapPaths(paths: readonly (Path | string)[], item: Item): Item;
  mapPath(path: Path, item: Item): AttributeValue | undefined;
  itemSize(item: Item, compress?: boolean, withMeta?: boolean, rangeKey?: string): number;
  capacityUnits(item: Item | undefined, isRead: boolean, isConsistent: boolean | undefined): number;
  hashPrefix(value: string, type: string): string;
  toLexiStr(value: string, type: string): string;
}

const require = createRequire(import.meta.url);
export const validations = require('dynalite/validations') as Validations;
export const rules = require('dynalite/db') as Functions;
const updateItem = require('dynalite/actions/updateItem') as (
  store: object,
  data: Checked,
  done: (error: unknown, answer?: { Attributes?: Item }) => void,
) => void;

speakAsAws('condition', 'projection', 'update');

/** Most bytes of an item. Source: DynamoDB service quotas. */
export const ITEM_BYTES_MAX = 400 * 1024;
/** What dynalite's own rules ask of a store: the limit of items, and whose account refusals name. */
const STORE = { options: { maxItemSize: ITEM_BYTES_MAX }, tableDb: { awsAccountId: ACCOUNT, awsRegion: REGION } };

/** A table's name, in every request but the one that makes it. */
export const TABLE_NAME = {
  ...{ type: 'String', notNull: true, regex: '[a-zA-Z0-9_.-]+' },
  ...{ lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 255 },
};

/** A whole number, as a request's parameter. */
export function integer(least: number, most?: number): object {
  return { type: 'Integer', greaterThanOrEqual: least, ...(most !== undefined && { lessThanOrEqual: most }) };
}

/** dynalite's rules for the requests of an operation. */
export function validationOf(operation: string): Validation {
  const file = `dynalite/validations/${operation[0]?.toLowerCase()}${operation.slice(1)}`;
  const { types, custom } = require(file) as Validation;
  const isNew = operation === 'CreateTable' || !types.TableName;
  return { types: isNew ? types : { ...types, TableName: TABLE_NAME }, ...(custom && { custom }) };
}

/**
 * A request with its types checked and its expressions parsed. The input is left as it was.
 *
 * @throws AwsError in DynamoDB's words.
 */
export function check<T = Checked>(input: object, { types, custom }: Validation): T {
  try {
    const checked = validations.checkTypes<T & object>({ ...input }, types);
    validations.checkValidations(checked, types, custom, STORE);
    return checked;
  } catch (error) {
    throw asAwsError(error);
  }
}

/** @throws AwsError when a rule of dynalite's answered with a refusal. */
export function refuse(refusal: Refusal): void {
  if (refusal) throw asAwsError(refusal);
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/**
 * The item after an update, and what the update answers.
 *
 * @throws AwsError when the condition does not hold or the update cannot be applied.
 */
export function updated(
  table: TableDescription,
  data: Checked,
  before: Item | undefined,
): { after: Item; attributes: Item | undefined } {
  let after: Item = {};
  let attributes: Item | undefined;
  let failure: unknown;
  const items = {
    lock: (_: string, run: (release: (done: unknown) => unknown) => void) => run((done) => done),
    get: (_: string, done: (error: unknown, item?: Item) => void) => done(null, before),
    put(_: string, item: Item, done: (error: unknown) => void) {
      after = item;
      done(null);
    },
  };
  const entries = {
    put: (_: string, __: Item, done: () => void) => done(),
    del: (_: string, done: () => void) => done(),
  };
  const store = {
    ...STORE,
    getTable: (_: string, done: (error: unknown, table: TableDescription) => void) => done(null, table),
    getItemDb: () => items,
    getIndexDb: () => entries,
  };
  updateItem(store, data, (error, answer) => {
    failure = error;
    attributes = answer?.Attributes;
  });
  if (failure) throw asAwsError(failure);
  return { after, attributes };
}

function asAwsError(error: unknown): unknown {
  const { statusCode, body } = error as { statusCode?: number; body?: Record<string, unknown> };
  if (!statusCode || !body) return error;
  const { __type, message, Message, ...fields } = body;
  return new AwsError(String(__type).split('#').pop() ?? '', String(message ?? Message ?? ''), statusCode, fields);
}

interface Parser {
  parse(text: string, options: object): unknown;
}

/** dynalite says of a syntax error which characters it expected; AWS says which token it found, and what is around it. */
function speakAsAws(...names: readonly string[]): void {
  for (const name of names) {
    const parser = require(`dynalite/db/${name}Parser`) as Parser;
    const { parse } = parser;
    parser.parse = (text, options) => {
      try {
        return parse(text, options);
      } catch (error) {
        const { location } = error as { location?: { start: { offset: number } } };
        if (location && (error as Error).name === 'SyntaxError') {
          (error as Error).message = unexpectedToken(text, location.start.offset);
        }
        throw error;
      }
    };
  }
}

function unexpectedToken(text: string, offset: number): string {
  const tokens = [...text.matchAll(/[#:]?[A-Za-z0-9_]+|\S/g)];
  const at = tokens.findIndex((it) => it.index + it[0].length > offset);
  const position = at === -1 ? tokens.length : at;
  const first = tokens[Math.max(0, position - 1)];
  const last = tokens[Math.min(tokens.length - 1, position + 1)];
  const near = first && last ? text.slice(first.index, last.index + last[0].length) : '';
  return `token: "${tokens[position]?.[0] ?? '<EOF>'}", near: "${near}"`;
}
