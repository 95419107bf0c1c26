import { AwsError } from '../../protocol/aws-error.ts';
import type { Actions } from '../engine/action.ts';
import { type Checked, type FieldTypes, invalid } from '../engine/dynalite.ts';
import type { AttributeValue, Item } from '../engine/image.ts';
import type { Store } from '../engine/store.ts';
import { writeCapacity } from '../items/capacity.ts';
import { carryOut, type Plan } from '../items/plan.ts';
import { once } from '../transactions/request-tokens.ts';
import { ACTIONS_MAX } from '../transactions/transact-rules.ts';
import { carryOutTogether, checkDistinct, planTogether } from '../transactions/transaction.ts';
import { TRANSACTION_FACTOR } from '../transactions/transactions.ts';
import { type Options, planOf, select, selectOne } from './execute.ts';
import { parseStatement } from './parser.ts';
import type { Statement } from './statement.ts';

/** Most statements of a batch. Source: BatchExecuteStatement, Statements. */
const STATEMENTS_MAX = 25;

interface Given extends Options {
  Statement: string;
  Parameters?: AttributeValue[];
}
interface ExecuteStatement extends Given {
  NextToken?: string;
}
interface Batch extends Pick<Checked, 'ReturnConsumedCapacity'> {
  Statements: Given[];
}
interface Transaction extends Pick<Checked, 'ReturnConsumedCapacity'> {
  TransactStatements: Given[];
  ClientRequestToken?: string;
}

const GIVEN: FieldTypes = {
  Statement: { type: 'String', notNull: true, lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 8_192 },
  Parameters: { type: 'List', lengthGreaterThanOrEqual: 1, children: 'AttrStruct<ValueStruct>' },
  ReturnValuesOnConditionCheckFailure: { type: 'String', enum: ['ALL_OLD', 'NONE'] },
};
const CAPACITY = { ReturnConsumedCapacity: { type: 'String', enum: ['INDEXES', 'TOTAL', 'NONE'] } };

/** PartiQL: ExecuteStatement, BatchExecuteStatement and ExecuteTransaction, by the operations that there are. */
export function partiqlOperations(store: Store): Actions {
  return {
    ExecuteStatement: {
      rules: {
        types: {
          ...GIVEN,
          ...CAPACITY,
          ConsistentRead: 'Boolean',
          NextToken: 'String',
          Limit: { type: 'Integer', greaterThanOrEqual: 1 },
        },
      },
      run: (data: ExecuteStatement) => executeStatement(store, data),
    },
    BatchExecuteStatement: {
      rules: { types: { Statements: listOf('BatchStatementRequest', STATEMENTS_MAX), ...CAPACITY } },
      run: (data: Batch) => batchExecute(store, data),
    },
    ExecuteTransaction: {
      rules: {
        types: {
          TransactStatements: listOf('ParameterizedStatement', ACTIONS_MAX),
          ClientRequestToken: { type: 'String', lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 36 },
          ...CAPACITY,
        },
      },
      run: (data: Transaction) => executeTransaction(store, data),
    },
  };
}

function listOf(name: string, max: number): FieldTypes {
  const members = { ...GIVEN, ConsistentRead: 'Boolean' };
  return {
    ...{ type: 'List', notNull: true, lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: max },
    children: { type: `ValueStruct<${name}>`, children: members },
  };
}

function executeStatement(store: Store, data: ExecuteStatement): object {
  const { Statement: text, Parameters, NextToken, ...options } = data;
  const statement = parseStatement(text, Parameters);
  if (statement.kind === 'exists') throw invalid('EXISTS can be used in a transaction only');
  if (statement.kind === 'select') {
    const start = NextToken === undefined ? {} : { ExclusiveStartKey: keyIn(NextToken) };
    const { LastEvaluatedKey: last, ...page } = select(store, statement, { ...options, ...start });
    return { ...page, ...(last && { LastEvaluatedKey: last, NextToken: tokenOf(last) }) };
  }
  const plan = planOf(store, statement, options);
  carryOut(store, plan);
  const [ConsumedCapacity] = writeCapacity(data, [plan]) ?? [];
  return { Items: plan.attributes ? [plan.attributes] : [], ...(ConsumedCapacity && { ConsumedCapacity }) };
}

/** Each statement of a batch succeeds or fails for itself; they are all reads or all writes. */
function batchExecute(store: Store, data: Batch): object {
  const written: Plan[] = [];
  const Responses = data.Statements.map(({ Statement: text, Parameters, ...options }) => {
    let TableName: string | undefined;
    try {
      const statement = parseStatement(text, Parameters);
      TableName = statement.table;
      if (statement.kind === 'exists') throw invalid('EXISTS can be used in a transaction only');
      if (statement.kind === 'select') return answered(TableName, selectOne(store, statement));
      const plan = planOf(store, statement, options);
      carryOut(store, plan);
      written.push(plan);
      return answered(TableName, plan.attributes);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const Code = error.code === 'ValidationException' ? 'ValidationError' : error.code.replace(/Exception$/, '');
      return { TableName, Error: { Code, Message: error.message, ...error.fields } };
    }
  });
  const ConsumedCapacity = writeCapacity(data, written);
  return { Responses, ...(ConsumedCapacity && { ConsumedCapacity }) };
}

function answered(TableName: string, item: Item | undefined): object {
  return { TableName, ...(item && { Item: item }) };
}

function executeTransaction(store: Store, data: Transaction): object {
  const statements = data.TransactStatements.map((given) => ({
    statement: parseStatement(given.Statement, given.Parameters),
    options: given,
  }));
  const reads = statements.map(({ statement }) => statement).filter((it) => it.kind === 'select');
  if (reads.length > 0 && reads.length < statements.length) {
    throw invalid('A transaction has statements that read or statements that write, not both');
  }
  for (const { statement } of statements) store.table(statement.table);
  if (reads.length > 0) {
    const items = planTogether(reads.map((it) => () => selectOne(store, it)));
    return { Responses: items.map((item) => (item ? { Item: item } : {})) };
  }
  const run = () => {
    const plans = planTogether(
      statements.map(
        ({ statement, options }) =>
          () =>
            planOf(store, statement as Exclude<Statement, { kind: 'select' }>, options),
      ),
    );
    checkDistinct(plans);
    carryOutTogether(store, plans);
    const ConsumedCapacity = writeCapacity(data, plans, TRANSACTION_FACTOR);
    return { Responses: plans.map(() => ({})), ...(ConsumedCapacity && { ConsumedCapacity }) };
  };
  return once(store, data, run, () => ({ Responses: statements.map(() => ({})) }));
}

function tokenOf(key: Item): string {
  return Buffer.from(JSON.stringify(key)).toString('base64');
}

function keyIn(token: string): Item {
  try {
    return JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
  } catch {
    throw invalid('Invalid NextToken');
  }
}
