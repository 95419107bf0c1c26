import { Logger } from '@aws-lambda-powertools/logger';
import {
  type AttributeValue,
  BatchExecuteStatementCommand,
  type BatchStatementResponse,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { errorCode, isInvalidInput, isThrottling } from '../calls/failure.ts';
import type { Rest } from '../calls/pace.ts';
import { type StateTable, unlessConditionFails } from './table.ts';

/** Most statements of one call. Source: BatchExecuteStatement, Statements. */
export const PUTS_PER_CALL_MAX = 25;

/** An item to be put where there is none, or one that the condition lets it take the place of. */
export interface ConditionalPut {
  /** Every item has the same attributes, so that it takes a place whole: one that it lacks is NULL. */
  readonly item: Readonly<Record<string, AttributeValue>> & { readonly pk: AttributeValue };
  /** Values of the condition, such as `:earlier`. */
  readonly values: Readonly<Record<string, AttributeValue>>;
  /** Whether there is known to be one, which saves an attempt. */
  readonly isThere?: boolean;
}

/** How a put is tried: as there is none, as there is one, or as there is one for certain. */
type Attempt = 'insert' | 'update' | 'update for certain';
interface Tried<T> {
  readonly put: T;
  readonly attempt: Attempt;
}

const logger = new Logger();
/** Said once in an execution environment. */
let isTold = false;

/**
 * Puts items each under its own condition, 25 in one call, which takes a fifteenth of the CPU of as many calls.
 *
 * Two statements are together what one conditional put is: INSERT where there is none; UPDATE, by the condition, where
 * there is one. Each is atomic for itself, and of two writers the condition lets only the newer have the last word.
 * Idempotent by it, too: an item that was put already, or overtaken, is answered as such and changes nothing.
 *
 * No page of AWS says that a batch takes conditions on attributes that are no keys, and none that it does not. Where it
 * refuses them, items are put one by one for as long as the execution environment lives, and the log says so once.
 *
 * @param condition for taking the place of an item: attributes, `:values`, comparisons, `attribute_not_exists`.
 */
export function conditionalPuts(table: StateTable, condition: string) {
  const where = inPartiql(condition);
  const names = condition.match(/:\w+/g) ?? [];
  let isRefused = false;

  /** @returns what is not done of one call's puts, of which no two are of one key. */
  return async function put<T extends ConditionalPut>(
    puts: readonly T[],
    abortSignal: AbortSignal,
  ): Promise<Rest<readonly T[]> | undefined> {
    const left: { readonly put: T; readonly code: string }[] = [];
    let due = puts.map((it): Tried<T> => ({ put: it, attempt: it.isThere ? 'update' : 'insert' }));
    while (due.length > 0) {
      const errors = isRefused ? await putSingly(due, abortSignal) : await execute(due, abortSignal);
      const again: Tried<T>[] = [];
      const refused: Tried<T>[] = [];
      for (const [index, { put, attempt }] of due.entries()) {
        const { Code, Item } = errors[index] ?? {};
        if (Code === undefined) continue;
        if (Code === 'DuplicateItem') again.push({ put, attempt: 'update for certain' });
        // It was thought to be there, and is gone: expired, say.
        else if (Code === 'ConditionalCheckFailed' && attempt === 'update' && !Item)
          again.push({ put, attempt: 'insert' });
        else if (Code === 'ValidationError' && attempt !== 'insert') refused.push({ put, attempt });
        else if (Code !== 'ConditionalCheckFailed') left.push({ put, code: Code });
      }
      if (refused.length > 0) refuse();
      due = [...again, ...refused];
    }
    const [first] = left;
    if (!first) return undefined;
    const isThrottled = left.some(({ code }) => isThrottling(code));
    return { item: left.map((it) => it.put), message: first.code, isThrottled };
  };

  function refuse(): void {
    isRefused = true;
    if (!isTold) logger.warn('DynamoDB refuses conditions in batches of statements: items are put one by one');
    isTold = true;
  }

  /** One call. 200 does not mean that every statement succeeded: the error of each, if it has one. */
  async function execute(due: readonly Tried<ConditionalPut>[], abortSignal: AbortSignal): Promise<StatementError[]> {
    const Statements = due.map(({ put, attempt }) => (attempt === 'insert' ? insertOf(put) : updateOf(put)));
    let Responses: BatchStatementResponse[];
    try {
      const command = new BatchExecuteStatementCommand({ Statements });
      ({ Responses = [] } = await table.dynamodb.send(command, { abortSignal }));
    } catch (error) {
      if (!isInvalidInput(errorCode(error))) throw error;
      refuse();
      return putSingly(due, abortSignal);
    }
    return due.map((_, index) => (Responses[index] ? (Responses[index].Error ?? {}) : { Code: 'InternalServerError' }));
  }

  async function putSingly(due: readonly Tried<ConditionalPut>[], abortSignal: AbortSignal): Promise<StatementError[]> {
    const putOne = async ({ put: { item, values } }: Tried<ConditionalPut>) => {
      const command = new PutItemCommand({
        TableName: table.name,
        Item: { ...item },
        ConditionExpression: `attribute_not_exists(pk) OR ${condition}`,
        ExpressionAttributeValues: { ...values },
      });
      try {
        await unlessConditionFails(() => table.dynamodb.send(command, { abortSignal }));
        return {};
      } catch (error) {
        return { Code: errorCode(error) };
      }
    };
    return Promise.all(due.map(putOne));
  }

  function insertOf({ item }: ConditionalPut) {
    const attributes = Object.keys(item).map((name) => `'${name}': ?`);
    const Statement = `INSERT INTO "${table.name}" VALUE {${attributes.join(', ')}}`;
    return { Statement, Parameters: Object.values(item) };
  }

  function updateOf({ item: { pk, ...rest }, values }: ConditionalPut) {
    const sets = Object.keys(rest).map((name) => `SET "${name}" = ?`);
    const Statement = `UPDATE "${table.name}" ${sets.join(' ')} WHERE pk = ? AND (${where})`;
    const Parameters = [...Object.values(rest), pk, ...names.map((name) => values[name] as AttributeValue)];
    return { Statement, Parameters, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const };
  }
}

interface StatementError {
  readonly Code?: string | undefined;
  /** What the condition failed on, if there is anything. */
  readonly Item?: object | undefined;
}

/** A condition expression as PartiQL has it, with values for parameters in their order. */
function inPartiql(condition: string): string {
  return condition
    .replace(/attribute_not_exists\((\w+)\)/g, '$1 IS MISSING')
    .replace(/\b(\w+)(?= (?:IS|<=?) )/g, '"$1"')
    .replace(/:\w+/g, '?');
}
