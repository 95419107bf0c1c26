import type { Customer } from '../customers/customers.ts';
import { type Item, itemOf } from '../customers/item.ts';
import { BAD_RECORD, type Fates } from '../stage/cast.ts';
import type { Stage } from '../stage/stage.ts';

/** Customers of each fate: enough to see, few enough to leave the figures alone. */
const CHANGED = 8;
const DELETED = 5;

/** Deals out the fates in the order of the customers. */
export function dealFates(customers: readonly Customer[]): Fates {
  const [corrected, broughtBack, ...others] = customers as readonly [Customer, Customer, ...Customer[]];
  return {
    corrected,
    broughtBack,
    changed: others.slice(0, CHANGED),
    deleted: others.slice(CHANGED, CHANGED + DELETED),
    untouched: others.slice(CHANGED + DELETED),
  };
}

/**
 * Life after the campaign: features change (twice within a second, too), a label is corrected, customers leave, one
 * leaves and is back at once, and one record is written that no definition can take.
 */
export async function changeCustomers({ table, group }: Stage, fates: Fates): Promise<void> {
  for (const { id, features } of fates.changed) {
    await table.update(id, { duration: { N: String(Number(features.duration) + 60) } });
    await table.update(id, {
      campaign: { N: String(Number(features.campaign) + 1) },
      euribor3m: { N: String(Number((Number(features.euribor3m) + 0.125).toFixed(3))) },
    });
  }
  const { corrected, broughtBack } = fates;
  await table.update(corrected.id, { [group.label.attribute]: { N: corrected.label === '1' ? '0' : '1' } });
  for (const { id } of fates.deleted) await table.delete(id);
  await table.delete(broughtBack.id);
  await table.insert({ ...itemOf(broughtBack, group), [group.label.attribute]: { N: broughtBack.label } });
  await table.insert(badRecord(broughtBack, group));
}

function badRecord(like: Customer, group: Stage['group']): Item {
  return { ...itemOf({ ...like, id: BAD_RECORD }, group), age: { S: 'unknown' } };
}
