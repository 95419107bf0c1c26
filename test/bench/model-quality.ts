import { readBankCsv } from '../../infra/demo/customers/bank-csv.ts';
import { generateCustomers } from '../../infra/demo/customers/customers.ts';
import { newCommand, runCommand } from '../../infra/terminal/command.ts';
import { wholeNumber } from '../../infra/terminal/options.ts';
import group from '../../shared/feature-groups/bank-marketing.ts';
import { aucsOf, withoutFeature } from '../given/model-quality.ts';

/** Customers that are generated where no file is given: as many as UCI's small file has. */
const GENERATED = 4_119;

const SPLITS = 20;
const SPLITS_MAX = 1_000;

export const command = newCommand(
  'model-quality',
  "Measures the AUC of the example's model over many splits: with `duration`, known only after the outcome, and without.",
  'node test/bench/model-quality.ts',
)
  .option('--csv <FILE>', `customers from a file; without it, ${GENERATED} are generated`)
  .option(
    '--splits <N>',
    'splits into rows to train on and to validate on',
    wholeNumber('splits', 2, SPLITS_MAX),
    SPLITS,
  )
  .action(async ({ csv, splits }) => {
    const customers = csv ? await readBankCsv(csv, group) : generateCustomers(GENERATED, 1);
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
  });

if (import.meta.main) await runCommand(command);
