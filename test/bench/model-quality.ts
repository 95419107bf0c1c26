import { parseArgs } from 'node:util';
import { readBankCsv } from '../../infra/demo/customers/bank-csv.ts';
import { generateCustomers } from '../../infra/demo/customers/customers.ts';
import group from '../../shared/feature-groups/bank-marketing.ts';
import { aucsOf, withoutFeature } from '../given/model-quality.ts';

/**
 * How well the example's model ranks customers whom it has not learnt from, with `duration` and without, which is known
 * only after the outcome: mean and standard deviation of the AUC over splits.
 *
 *     node test/bench/model-quality.ts [--csv FILE] [--splits N]
 */

/** Customers that are generated where no file is given: as many as UCI's small file has. */
const GENERATED = 4_119;

const { values: options } = parseArgs({
  options: { csv: { type: 'string' }, splits: { type: 'string', default: '20' } },
});
const splits = Number(options.splits);
const customers = options.csv ? await readBankCsv(options.csv, group) : generateCustomers(GENERATED, 1);
console.log(`AUC over ${splits} splits of ${customers.length} customers, a fifth validating\n`);
for (const [name, definition] of [
  ['all features', group],
  ['without duration', withoutFeature(group, 'duration')],
] as const) {
  const aucs = await aucsOf(definition, customers, splits);
  const mean = aucs.reduce((sum, auc) => sum + auc, 0) / splits;
  const deviation = Math.sqrt(aucs.reduce((sum, auc) => sum + (auc - mean) ** 2, 0) / (splits - 1));
  const [least, most] = [Math.min(...aucs), Math.max(...aucs)];
  const numbers = [mean, deviation, least, most].map((it) => it.toFixed(3));
  console.log(`${name.padEnd(18)}mean ${numbers[0]}, sd ${numbers[1]}, from ${numbers[2]} to ${numbers[3]}`);
}
