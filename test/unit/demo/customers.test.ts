import { describe, expect, test } from 'vitest';
import { parseBankCsv } from '../../../infra/demo/customers/bank-csv.ts';
import { type Customer, generateCustomers } from '../../../infra/demo/customers/customers.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';

const customers = generateCustomers(4_000, 7);
const share = (holds: (customer: Customer) => boolean) => customers.filter(holds).length / customers.length;

describe('generated customers', () => {
  test('are the same for the same seed, and others for another', () => {
    expect(generateCustomers(50, 7)).toEqual(customers.slice(0, 50));
    expect(generateCustomers(50, 8)).not.toEqual(customers.slice(0, 50));
  });

  test('are valid by the definition, every column present', () => {
    const names = group.features.map((feature) => feature.name);
    const lines = customers.map(({ features, label }) => [...names.map((name) => features[name]), label].join(','));
    const read = parseBankCsv('generated', [[...names, 'y'].join(','), ...lines].join('\n'), group);
    expect(read).toEqual(customers);
  });

  test('subscribe in about one case of nine', () => {
    expect(share(({ label }) => label === '1')).toBeGreaterThan(0.09);
    expect(share(({ label }) => label === '1')).toBeLessThan(0.135);
  });

  test('have one set of indicators in a month of the campaign', () => {
    const months = Map.groupBy(customers, ({ features }) => `${features.month} ${features.cons_price_idx}`);
    for (const called of months.values()) {
      for (const indicator of ['emp_var_rate', 'cons_conf_idx', 'nr_employed']) {
        expect(new Set(called.map(({ features }) => features[indicator])).size).toBe(1);
      }
    }
  });

  test('have a label that depends on the features: a longer call subscribes more often', () => {
    const rate = (called: Customer[]) => called.filter(({ label }) => label === '1').length / called.length;
    const long = customers.filter(({ features }) => Number(features.duration) > 500);
    const short = customers.filter(({ features }) => Number(features.duration) < 200);
    expect(rate(long)).toBeGreaterThan(5 * rate(short));
  });

  test('were contacted before if, and only if, their history says so', () => {
    expect(share(({ features }) => (features.previous === '0') !== (features.poutcome === 'nonexistent'))).toBe(0);
    expect(share(({ features }) => features.poutcome === 'success' && features.pdays === '999')).toBe(0);
  });
});
