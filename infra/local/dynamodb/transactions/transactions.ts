import type { Actions } from '../engine/action.ts';
import type { Checked } from '../engine/dynalite.ts';
import type { Item } from '../engine/image.ts';
import type { Store } from '../engine/store.ts';
import { itemCollections } from '../items/batch-operations.ts';
import { readCapacity, writeCapacity } from '../items/capacity.ts';
import { readItem, shown } from '../items/item-operations.ts';
import { found, type Plan, planCheck, planDelete, planPut, planUpdate } from '../items/plan.ts';
import { once } from './request-tokens.ts';
import { type ActionName, type TransactItem, transactGetRules, transactWriteRules } from './transact-rules.ts';
import { carryOutTogether, checkDistinct, planTogether } from './transaction.ts';

/** Transactions read and write with twice the capacity. Source: developer guide, "Transactional capacity". */
export const TRANSACTION_FACTOR = 2;

const PLANS: Readonly<Record<ActionName, (store: Store, data: Checked) => Plan>> = {
  Put: planPut,
  Update: planUpdate,
  Delete: planDelete,
  ConditionCheck: planCheck,
};

interface Transact extends Checked {
  TransactItems: TransactItem[];
  ClientRequestToken?: string;
}

/** TransactWriteItems and TransactGetItems. */
export function transactions(store: Store): Actions {
  return {
    TransactWriteItems: { rules: transactWriteRules(), run: (data: Transact) => transactWrite(store, data) },
    TransactGetItems: { rules: transactGetRules(), run: (data: Transact) => transactGet(store, data) },
  };
}

function transactWrite(store: Store, data: Transact): object {
  const actions = data.TransactItems.map((item) => {
    const [[name, action] = []] = Object.entries(item) as [ActionName, Checked][];
    if (!name || !action) throw new Error('an action that is none was let through');
    return { plan: PLANS[name], action };
  });
  const planned = () => {
    checkDistinct(actions.map(({ action }) => target(store, action, action.Item ?? action.Key ?? {})));
    return planTogether(
      actions.map(
        ({ plan, action }) =>
          () =>
            plan(store, action),
      ),
    );
  };
  const answer = (plans: readonly Plan[]) => {
    const ConsumedCapacity = writeCapacity(data, plans, TRANSACTION_FACTOR);
    const metrics = itemCollections(store, data, plans);
    return { ...(ConsumedCapacity && { ConsumedCapacity }), ...(metrics && { ItemCollectionMetrics: metrics }) };
  };
  const run = () => {
    const plans = planned();
    carryOutTogether(store, plans);
    return answer(plans);
  };
  return once(store, data, run, () => ({}));
}

function transactGet(store: Store, data: Transact): object {
  const gets = data.TransactItems.flatMap(({ Get }) => (Get ? [Get] : []));
  checkDistinct(gets.map((get) => target(store, get, get.Key ?? {})));
  const items = planTogether(gets.map((get) => () => readItem(store, get)));
  const byTable = new Map<string, (Item | undefined)[]>();
  for (const [position, { TableName }] of gets.entries()) {
    byTable.set(TableName, [...(byTable.get(TableName) ?? []), items[position]]);
  }
  const capacities = [...byTable].map(([name, read]) => readCapacity(data, name, read, true, TRANSACTION_FACTOR));
  return {
    Responses: gets.map((get, position) => {
      const item = items[position];
      return item ? { Item: shown(get, item) } : {};
    }),
    ...(capacities[0] && { ConsumedCapacity: capacities }),
  };
}

/** @throws AwsError when the table is not there: it is looked for before anything else of an action. */
function target(store: Store, { TableName }: Checked, item: Item) {
  const table = store.table(TableName);
  return { table, key: found(store, table, item).key };
}
