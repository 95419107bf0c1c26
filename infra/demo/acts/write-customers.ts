import { labelOf } from '../../../shared/definition/feature-group.ts';
import type { Customer } from '../customers/customers.ts';
import type { Cast } from '../stage/cast.ts';
import type { Stage } from '../stage/stage.ts';
import { writeInBatches } from '../stage/table.ts';
import type { LagMeter } from './lag.ts';

/** Writes customers as an application does that imports them: every feature, no label. */
export async function writeCustomers(
  stage: Stage,
  { customers, others }: Pick<Cast, 'customers' | 'others'>,
  lag: LagMeter,
): Promise<void> {
  const { group, table, material, progress } = stage;
  progress.step(`Writing ${material.plural.toLowerCase()} to DynamoDB`);
  await writeInBatches(customers, async (batch) => {
    await table.insertBatch(batch.map((customer) => material.itemOf(customer)));
    for (const { id } of batch) lag.written(id, { name: group.recordIdentifier.name, value: id });
    const { inserted } = table.changes;
    progress.at(`${inserted} of ${customers.length}`, inserted / customers.length);
  });
  await writeInBatches(others, (batch) => table.insertBatch(batch));
  progress.done(`${customers.length + others.length}`);
}

/** The outcomes of calls become known, a batch at a time: `SET y = ...` on items that are there. */
export async function labelCustomers(stage: Stage, customers: readonly Customer[], lag: LagMeter): Promise<void> {
  const { group, table, material, progress } = stage;
  let labeled = 0;
  await writeInBatches(customers, async (batch) => {
    await table.updateBatch(
      batch.map((customer) => ({ id: customer.id, values: material.withLabel(customer, customer.label) })),
    );
    for (const { id, label } of batch) lag.written(id, { name: labelOf(group).name, value: label });
    labeled += batch.length;
    progress.at(`${labeled} of ${customers.length} labels`, labeled / customers.length);
  });
}
