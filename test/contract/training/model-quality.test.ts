import { expect, test } from 'vitest';
import { generateCustomers } from '../../../infra/demo/customers/customers.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';
import { aucsOf, withoutFeature } from '../../given/model-quality.ts';

const CUSTOMERS = generateCustomers(2_000, 1);
const SPLITS = 4;

/** As printed on 2026-11-26. The same rows give the same models, so the margin is for rounding, not for chance. */
const MEAN_AUC = { allFeatures: 0.904, withoutDuration: 0.751 };
const DIGITS = 2;

const meanAucOf = async (definition: typeof group) => {
  const aucs = await aucsOf(definition, CUSTOMERS, SPLITS);
  return aucs.reduce((sum, auc) => sum + auc, 0) / aucs.length;
};

test('a change of the code does not change how well the example learns', async () => {
  expect(await meanAucOf(group)).toBeCloseTo(MEAN_AUC.allFeatures, DIGITS);
});

test('without the duration of the call, which is known only after it, a model ranks worse, but above chance', async () => {
  expect(await meanAucOf(withoutFeature(group, 'duration'))).toBeCloseTo(MEAN_AUC.withoutDuration, DIGITS);
});
