import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Scheduler } from '../world/scheduler.ts';
import { AwsError, type AwsService, type Caller } from './aws-call.ts';
import { fulfils, type Item, type Names, updated, type Values } from './expression.ts';
import type { Faults } from './faults.ts';
import { writeOfStatement } from './partiql.ts';

/** Items that a page of a query holds at most; AWS's limit is 1 MB, which no simulation would ever reach. */
const QUERY_PAGE_ITEMS = 40;
/** Bytes that an item of fences may have: AWS's 400 KB are more than a simulated batch would ever need. */
const FENCES_BYTES_MAX = 4_096;
/** How far the index lags behind the table, in milliseconds. */
const INDEX_LAG_MS = 200;
const INDEX_HASH = 'epochLabelShard';

interface Request {
  readonly TableName: string;
  readonly Key: Item;
  readonly Item: Item;
  readonly ConsistentRead?: boolean;
  readonly ConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly UpdateExpression: string;
  readonly KeyConditionExpression?: string;
  readonly IndexName?: string;
  readonly Select?: string;
  readonly ExclusiveStartKey?: Item;
  readonly Segment?: number;
  readonly TotalSegments?: number;
  readonly ExpressionAttributeNames?: Names;
  readonly ExpressionAttributeValues?: Values;
  readonly Statements: readonly StatementOf[];
  readonly RequestItems: Record<string, { Keys: Item[]; ConsistentRead?: boolean }>;
}

interface StatementOf {
  readonly Statement: string;
  readonly Parameters: readonly AttributeValue[];
  readonly ReturnValuesOnConditionCheckFailure?: string;
}

/** What becomes of conditions on attributes that are no keys in a batch of statements: no page of AWS says. */
export type ConditionsInBatches = 'taken' | 'refused each' | 'refused whole';

/** When each table began, and its stream: before everything that a simulated world does. */
const OLD_STREAM = '2025-01-01T00:00:00.000';

/** A page of a segment of the source table, behind a key. */
export type SourceScan = (
  segment: number,
  of: number,
  after: Item | undefined,
) => { Items: Item[]; LastEvaluatedKey?: Item | undefined };

export type StateWriteListener = (pk: string, before: Item | undefined, after: Item, caller: Caller) => void;

/** DynamoDB: the state table with its index and its TTL, and consistent reads of the source table. */
export class DynamoDb implements AwsService {
  readonly name = 'DynamoDB';
  readonly throttlingCode = 'ProvisionedThroughputExceededException';
  readonly state = new Map<string, Item>();
  readonly #index = new Map<string, Set<string>>();
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #stateTable: string;
  readonly #readSource: (key: Item) => Item | undefined;
  readonly #scanSource: SourceScan | undefined;
  readonly #onWrite: StateWriteListener;
  readonly #conditionsInBatches: ConditionsInBatches;

  constructor(around: {
    scheduler: Scheduler;
    faults: Faults;
    stateTable: string;
    conditionsInBatches?: ConditionsInBatches;
    readSource(key: Item): Item | undefined;
    scanSource?: SourceScan;
    onWrite: StateWriteListener;
  }) {
    this.#scheduler = around.scheduler;
    this.#faults = around.faults;
    this.#stateTable = around.stateTable;
    this.#conditionsInBatches = around.conditionsInBatches ?? 'taken';
    this.#readSource = around.readSource;
    this.#scanSource = around.scanSource;
    this.#onWrite = around.onWrite;
  }

  handle(operation: string, input: unknown, caller: Caller): unknown {
    const request = input as Request;
    switch (operation) {
      case 'GetItemCommand':
        if (request.TableName !== this.#stateTable) {
          if (!request.ConsistentRead) throw new Error('the source table is the truth: read it consistently');
          return { Item: this.#readSource(request.Key) };
        }
        return { Item: this.#live(request.Key.pk?.S ?? '') };
      case 'BatchGetItemCommand':
        return this.#batchGet(request);
      case 'PutItemCommand':
        return this.#write(request, request.Item.pk?.S ?? '', () => request.Item, caller);
      case 'UpdateItemCommand':
        return this.#write(request, request.Key.pk?.S ?? '', (item) => this.#update(request, item), caller);
      case 'BatchExecuteStatementCommand':
        return this.#batchExecute(request.Statements, caller);
      case 'QueryCommand':
        return this.#query(request);
      case 'ScanCommand':
        return this.#scan(request);
      case 'DescribeTableCommand':
        return { Table: { LatestStreamLabel: OLD_STREAM, CreationDateTime: new Date(`${OLD_STREAM}Z`) } };
      default:
        throw new Error(`not simulated: ${operation} of DynamoDB`);
    }
  }

  /** Keys of the label ledger by the index's hash key, as a query that does not lag would find them. */
  labelShards(): Map<string, string[]> {
    const shards = new Map<string, string[]>();
    for (const [pk, item] of this.state) {
      const shard = item[INDEX_HASH]?.S;
      if (shard !== undefined) shards.set(shard, [...(shards.get(shard) ?? []), pk]);
    }
    return shards;
  }

  #live(pk: string): Item | undefined {
    const item = this.state.get(pk);
    if (item?.expiresAt?.N === undefined || Number(item.expiresAt.N) * 1_000 > this.#scheduler.now) return item;
    // DynamoDB removes expired items some time later; here at the first opportunity, which is the harder case.
    this.state.delete(pk);
    return undefined;
  }

  #batchGet({ RequestItems }: Request) {
    const [table, request] = Object.entries(RequestItems)[0] ?? [];
    if (!request || table === undefined || Object.keys(RequestItems).length > 1) {
      throw new Error('not simulated: BatchGetItem of several tables');
    }
    if (!request.ConsistentRead) throw new Error('both tables are the truth of what they hold: read them consistently');
    if (request.Keys.length > 100) throw new AwsError('ValidationException', 'Too many items requested');
    const found: Item[] = [];
    const unprocessed: Item[] = [];
    for (const key of request.Keys) {
      if (this.#faults.strikes('a key was left unprocessed')) {
        unprocessed.push(key);
        continue;
      }
      const item = table === this.#stateTable ? this.#live(key.pk?.S ?? '') : this.#readSource(key);
      if (item) found.push(item);
    }
    return {
      Responses: { [table]: found },
      UnprocessedKeys: unprocessed.length > 0 ? { [table]: { ...request, Keys: unprocessed } } : {},
    };
  }

  #write(request: Request, pk: string, change: (item: Item) => Item, caller: Caller) {
    if (request.TableName !== this.#stateTable) throw new Error('the product never writes to the source table');
    const before = this.#live(pk);
    const {
      ConditionExpression: condition,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    } = request;
    if (condition !== undefined && !fulfils(condition, before ?? {}, names, values)) {
      throw new AwsError('ConditionalCheckFailedException', 'The conditional request failed');
    }
    const after = change(before ?? { pk: { S: pk } });
    if (pk.startsWith('fences#') && (after.fences?.S?.length ?? 0) > FENCES_BYTES_MAX) {
      throw new AwsError('ValidationException', 'Item size has exceeded the maximum allowed size');
    }
    this.state.set(pk, after);
    this.#reindex(pk, before?.[INDEX_HASH]?.S, after[INDEX_HASH]?.S);
    this.#onWrite(pk, before, after, caller);
    return {};
  }

  /** PartiQL: each statement succeeds or fails for itself. */
  #batchExecute(statements: readonly StatementOf[], caller: Caller) {
    if (statements.length > 25)
      throw new AwsError('ValidationException', 'Member must have length less than or equal to 25');
    if (this.#conditionsInBatches === 'refused whole' && statements.some((it) => it.Statement.startsWith('UPDATE'))) {
      throw new AwsError('ValidationException', 'a condition on an attribute that is no key');
    }
    return { Responses: statements.map((it) => ({ TableName: this.#stateTable, ...this.#statement(it, caller) })) };
  }

  #statement({ Statement, Parameters, ReturnValuesOnConditionCheckFailure: shown }: StatementOf, caller: Caller) {
    const error = (Code: string, Item?: Item) => ({ Error: { Code, Message: Code, ...(Item && { Item }) } });
    if (this.#faults.strikes('a statement was throttled')) return error('ProvisionedThroughputExceeded');
    const write = writeOfStatement(Statement, Parameters);
    const before = this.#live(write.pk);
    if (write.kind === 'insert' && before) return error('DuplicateItem');
    if (write.kind === 'update') {
      if (this.#conditionsInBatches === 'refused each') return error('ValidationError');
      if (!before || !fulfils(write.condition, before, undefined, write.values)) {
        return error('ConditionalCheckFailed', shown === 'ALL_OLD' ? before : undefined);
      }
    }
    const request = { TableName: this.#stateTable } as Request;
    this.#write(request, write.pk, () => ({ ...(write.kind === 'update' && before), ...write.item }), caller);
    return this.#faults.strikes('a statement took effect and failed') ? error('InternalServerError') : {};
  }

  #update(request: Request, item: Item): Item {
    const { UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues } = request;
    return updated(UpdateExpression, item, ExpressionAttributeNames, ExpressionAttributeValues);
  }

  #reindex(pk: string, before: string | undefined, after: string | undefined): void {
    if (before === after) return;
    this.#scheduler.after(INDEX_LAG_MS, () => {
      if (before !== undefined) this.#index.get(before)?.delete(pk);
      if (after === undefined) return;
      const shard = this.#index.get(after) ?? new Set();
      this.#index.set(after, shard.add(pk));
    });
  }

  #scan(request: Request) {
    const {
      TableName,
      ConsistentRead,
      FilterExpression,
      ExpressionAttributeValues: values,
      ExclusiveStartKey,
    } = request;
    if (TableName !== this.#stateTable && ConsistentRead && this.#scanSource) {
      return this.#scanSource(request.Segment ?? 0, request.TotalSegments ?? 1, ExclusiveStartKey);
    }
    const tombstones = 'begins_with(pk, :tombstones) AND eventTimeMs > :after';
    if (TableName !== this.#stateTable || !ConsistentRead || FilterExpression !== tombstones) {
      throw new Error('not simulated: a scan other than a consistent one for tombstones');
    }
    const start = ExclusiveStartKey?.pk?.S ?? '';
    const keys = [...this.state.keys()].sort().filter((pk) => pk > start);
    const page = keys.slice(0, QUERY_PAGE_ITEMS);
    const last = page.at(-1);
    const found = page.map((pk) => (pk.startsWith(values?.[':tombstones']?.S ?? '') ? this.#live(pk) : undefined));
    const Items = found.filter((item) => Number(item?.eventTimeMs?.N) > Number(values?.[':after']?.N));
    return { Items, ...(keys.length > page.length && last !== undefined && { LastEvaluatedKey: { pk: { S: last } } }) };
  }

  #query({ IndexName, KeyConditionExpression, Select, ExpressionAttributeValues, ExclusiveStartKey }: Request) {
    if (IndexName === undefined || KeyConditionExpression !== `${INDEX_HASH} = :shard` || Select !== 'COUNT') {
      throw new Error('not simulated: a query other than counting a shard of the label index');
    }
    const start = ExclusiveStartKey?.pk?.S ?? '';
    const shard = ExpressionAttributeValues?.[':shard']?.S ?? '';
    const keys = [...(this.#index.get(shard) ?? [])].sort().filter((pk) => pk > start);
    const page = keys.slice(0, QUERY_PAGE_ITEMS);
    const last = page.at(-1);
    return {
      Count: page.length,
      ...(keys.length > page.length && last !== undefined && { LastEvaluatedKey: { pk: { S: last } } }),
    };
  }
}
