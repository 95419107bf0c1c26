import type { Customer } from '../customers/customers.ts';
import { itemOf } from '../customers/item.ts';
import type { Stage } from '../stage/stage.ts';
import { writeConcurrently } from '../stage/table.ts';
import type { LagMeter } from './lag.ts';

/** Writes customers as the application does when it first hears of them: every feature, no label. */
export async function writeCustomers(stage: Stage, customers: readonly Customer[], lag: LagMeter): Promise<void> {
  const { group, table, progress } = stage;
  progress.step('Writing customers to DynamoDB');
  await writeConcurrently(customers, async (customer) => {
    await table.insert(itemOf(customer, group));
    lag.written(customer.id, { name: group.recordIdentifier.name, value: customer.id });
    const { inserted } = table.changes;
    progress.at(`${inserted} of ${customers.length}`, inserted / customers.length);
  });
  progress.done(`${customers.length}`);
}

/** The outcome of each call becomes known: `SET y = ...` on an item that is there. */
export async function labelCustomers(stage: Stage, customers: readonly Customer[], lag: LagMeter): Promise<void> {
  const { group, table, progress } = stage;
  let labeled = 0;
  await writeConcurrently(customers, async ({ id, label }) => {
    await table.update(id, { [group.label.attribute]: { N: label } });
    lag.written(id, { name: group.label.name, value: label });
    labeled += 1;
    progress.at(`${labeled} of ${customers.length} labels`, labeled / customers.length);
  });
}
