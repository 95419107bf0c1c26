import type { Actions } from '../engine/action.ts';
import { type Checked, refuse, rules, validationOf } from '../engine/dynalite.ts';
import type { Item } from '../engine/image.ts';
import type { Store } from '../engine/store.ts';
import { collectionMetrics, readCapacity, writeCapacity } from './capacity.ts';
import { carryOut, checkedKey, found, type Plan, planDelete, planPut, planUpdate } from './plan.ts';

/** What dynalite does not know of writes. */
export const ON_FAILURE = { ReturnValuesOnConditionCheckFailure: { type: 'String', enum: ['ALL_OLD', 'NONE'] } };

/** PutItem, UpdateItem, DeleteItem and GetItem. */
export function itemOperations(store: Store): Actions {
  const write = (operation: string, plan: (store: Store, data: Checked) => Plan) => {
    const { types, custom } = validationOf(operation);
    return {
      rules: { types: { ...types, ...ON_FAILURE }, ...(custom && { custom }) },
      run: (data: Checked) => {
        const planned = plan(store, data);
        carryOut(store, planned);
        return written(store, data, planned);
      },
    };
  };
  return {
    PutItem: write('PutItem', planPut),
    UpdateItem: write('UpdateItem', planUpdate),
    DeleteItem: write('DeleteItem', planDelete),
    GetItem: { rules: validationOf('GetItem'), run: (data: Checked) => getItem(store, data) },
  };
}

function written(store: Store, data: Checked, plan: Plan): object {
  const [ConsumedCapacity] = writeCapacity(data, [plan]) ?? [];
  const ItemCollectionMetrics = collectionMetrics(store, data, plan);
  return {
    ...(plan.attributes && { Attributes: plan.attributes }),
    ...(ConsumedCapacity && { ConsumedCapacity }),
    ...(ItemCollectionMetrics && { ItemCollectionMetrics }),
  };
}

function getItem(store: Store, data: Checked): object {
  const item = readItem(store, data);
  const ConsumedCapacity = readCapacity(data, data.TableName, [item], data.ConsistentRead);
  return { ...(item && { Item: shown(data, item) }), ...(ConsumedCapacity && { ConsumedCapacity }) };
}

/** The whole item of a key. @throws AwsError when the request does not fit the table. */
export function readItem(store: Store, data: Checked): Item | undefined {
  const table = store.table(data.TableName);
  const key = checkedKey(table, data.Key);
  refuse(rules.validateKeyPaths(data._projection?.nestedPaths, table.description));
  return found(store, table, key).before?.item;
}

/** What a request's projection shows of an item. */
export function shown(data: Pick<Checked, '_projection' | 'AttributesToGet'>, item: Item): Item {
  const paths = data._projection?.paths ?? data.AttributesToGet;
  return paths ? rules.mapPaths(paths, item) : item;
}
