import type { Customer } from '../customers/customers.ts';
import type { Fates } from '../stage/cast.ts';
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
 * Life after the labels: features change (twice within a second, too), a label is corrected, records go, one goes and is
 * back at once, and one is written that no definition can take.
 *
 * @returns the identifier of the last, if the definition leaves room for one.
 */
export async function changeCustomers({ table, material }: Stage, fates: Fates): Promise<string | undefined> {
  for (const customer of fates.changed) {
    for (const values of material.changesOf(customer)) await table.update(customer.id, values);
  }
  const { corrected, broughtBack } = fates;
  await table.update(corrected.id, material.withLabel(corrected, corrected.label === '1' ? '0' : '1'));
  for (const { id } of fates.deleted) await table.delete(id);
  await table.delete(broughtBack.id);
  await table.insert({ ...material.itemOf(broughtBack), ...material.withLabel(broughtBack, broughtBack.label) });
  const bad = material.badRecord(broughtBack);
  if (bad) await table.insert(bad.item);
  return bad?.id;
}
