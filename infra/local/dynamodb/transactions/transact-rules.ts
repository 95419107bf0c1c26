import { type Checked, type FieldTypes, type Validation, validationOf, validations } from '../engine/dynalite.ts';
import { ON_FAILURE } from '../items/item-operations.ts';

/** Most actions of a transaction. Source: TransactWriteItems, TransactItems. */
export const ACTIONS_MAX = 100;

export type ActionName = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';
export type TransactItem = Partial<Record<ActionName | 'Get', Checked>>;

/** Operations an action of a transaction is like, and the parameters of those that it has. */
const ACTIONS: Readonly<Record<ActionName, { like: string; parameters: readonly string[] }>> = {
  Put: { like: 'PutItem', parameters: ['Item'] },
  Update: { like: 'UpdateItem', parameters: ['Key', 'UpdateExpression'] },
  Delete: { like: 'DeleteItem', parameters: ['Key'] },
  ConditionCheck: { like: 'DeleteItem', parameters: ['Key'] },
};
const COMMON = ['TableName', 'ConditionExpression', 'ExpressionAttributeNames', 'ExpressionAttributeValues'];
const REQUIRED: Partial<Record<ActionName, string>> = {
  Update: 'UpdateExpression',
  ConditionCheck: 'ConditionExpression',
};
const CAPACITY = { ReturnConsumedCapacity: { type: 'String', enum: ['INDEXES', 'TOTAL', 'NONE'] } };

export function transactWriteRules(): Validation {
  const actions = Object.entries(ACTIONS).map(([name, { like, parameters }]) => {
    const types = picked(validationOf(like).types, [...COMMON, ...parameters]);
    const required = REQUIRED[name as ActionName];
    if (required) types[required] = { ...(types[required] as FieldTypes), notNull: true };
    return [name, { type: `FieldStruct<${name}>`, children: { ...types, ...ON_FAILURE } }];
  });
  return {
    types: {
      TransactItems: listOf('TransactWriteItem', Object.fromEntries(actions)),
      ClientRequestToken: { type: 'String', lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 36 },
      ...CAPACITY,
      ReturnItemCollectionMetrics: { type: 'String', enum: ['SIZE', 'NONE'] },
    },
    custom: ({ TransactItems }: { TransactItems: TransactItem[] }, store: object) => {
      for (const item of TransactItems) {
        const names = Object.keys(item) as ActionName[];
        const [name] = names;
        if (names.length !== 1 || name === undefined) {
          return 'TransactItems can only contain one of Check, Put, Update or Delete';
        }
        const problem = validationOf(ACTIONS[name].like).custom?.(item[name] as never, store);
        if (problem) return problem;
      }
      return undefined;
    },
  };
}

export function transactGetRules(): Validation {
  const types = picked(validationOf('GetItem').types, [
    ...['TableName', 'Key', 'ProjectionExpression', 'ExpressionAttributeNames'],
  ]);
  return {
    types: {
      TransactItems: listOf('TransactGetItem', { Get: { type: 'FieldStruct<Get>', notNull: true, children: types } }),
      ...CAPACITY,
    },
    custom: ({ TransactItems }: { TransactItems: TransactItem[] }) => {
      for (const { Get } of TransactItems) {
        const problem = Get && (problemOfKey(Get) ?? validations.validateExpressions(Get));
        if (problem) return problem;
      }
      return undefined;
    },
  };
}

function problemOfKey({ Key = {} }: Checked): string | undefined {
  return Object.values(Key)
    .map((value) => validations.validateAttributeValue(value))
    .find((it) => it !== undefined);
}

function listOf(name: string, children: FieldTypes): FieldTypes {
  return {
    type: 'List',
    notNull: true,
    lengthGreaterThanOrEqual: 1,
    lengthLessThanOrEqual: ACTIONS_MAX,
    children: { type: `ValueStruct<${name}>`, children },
  };
}

function picked(types: FieldTypes, names: readonly string[]): FieldTypes {
  return Object.fromEntries(names.map((name) => [name, types[name]]));
}
