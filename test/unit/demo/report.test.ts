import { describe, expect, test } from 'vitest';
import { dealFates } from '../../../infra/demo/acts/change-customers.ts';
import { planRetraining } from '../../../infra/demo/acts/policy.ts';
import { generateCustomers } from '../../../infra/demo/customers/customers.ts';
import { checksOf } from '../../../infra/demo/findings/checks.ts';
import type { Report } from '../../../infra/demo/findings/report.ts';
import { renderSummary } from '../../../infra/demo/findings/summary.ts';

const customers = generateCustomers(400, 1);
const plan = planRetraining(customers, 1);
const cast = { customers, others: [], from: 'the generator with seed 1', seed: 1, plan };
const fates = dealFates(plan.labeled);
const ones = customers.filter(({ label }) => label === '1').length + (fates.corrected.label === '1' ? -1 : 1);

const correlations = {
  correlation_age_and_target: 0.0612347,
  correlation_duration_and_target: 0.4,
  correlation_campaign_and_target: -0.07,
  correlation_contact_and_target: null,
};
const training = (epoch: number) => ({
  epoch,
  rows: epoch * plan.threshold,
  trainRows: epoch * 128,
  validationRows: epoch * 16,
  judgeRows: epoch * 16,
  auc: 0.9 + epoch / 100,
  trainingJobName: `job-${epoch}`,
  endpointConfigName: `config-${epoch}`,
});
const answer = (epoch: number) => ({ score: 0.25, predicted_label: 0, model: `config-${epoch}` });

const good: Omit<Report, 'checks'> = {
  source: { customers: 400, plural: 'Customers', from: cast.from, seed: 1 },
  threshold: plan.threshold,
  seconds: 12.34,
  changes: { written: 826, inserted: 402, updated: 418, deleted: 6 },
  lag: { p50Ms: 640, p99Ms: 1_210, samples: 99, batchWindowMs: 1_000 },
  changeLog: { rows: 830, distinct: 825, files: 9 },
  labels: { counted: 400, distinct: 400, byClass: { '0': 400 - ones, '1': ones } },
  trainings: [training(1), training(2)],
  endpoint: { name: 'the-endpoint', before: 'config-1', after: 'config-2' },
  predictions: [
    { recordIdentifier: 'c-00007', before: answer(1), after: answer(2) },
    { recordIdentifier: null, before: answer(1), after: answer(2) },
  ],
  correlations: {
    complete: correlations,
    completeFromRows: correlations,
    final: correlations,
    finalFromTable: correlations,
  },
  onlineStore: { records: 395, equalsTable: true, differences: [] },
  quarantine: [
    {
      recordIdentifier: 'c-bad-age',
      sequenceNumber: '826',
      reason: 'wrong-type',
      path: 'dynamodb.NewImage.age',
      message: 'Expected N, found S.',
    },
  ],
};

const failing = (facts: Omit<Report, 'checks'>) =>
  checksOf(facts, cast, fates, 'c-bad-age')
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);

describe('the checks of the demo', () => {
  test('hold when everything is as it should be', () => {
    expect(failing(good)).toEqual([]);
  });

  const difference = { recordIdentifier: 'c-1', feature: 'age', table: '41', onlineStore: undefined };
  test.each<[string, Partial<Report>, string[]]>([
    [
      'a value differs online',
      { onlineStore: { records: 395, equalsTable: false, differences: [difference] } },
      ['the online store equals the table'],
    ],
    [
      'the online store is empty',
      { onlineStore: { records: 0, equalsTable: true, differences: [] } },
      ['the online store equals the table'],
    ],
    [
      'a change is not in the change log',
      { changeLog: { rows: 830, distinct: 824, files: 9 } },
      ['the change log has every change, once after de-duplication by sequence number'],
    ],
    [
      'a label is counted twice',
      { labels: { ...good.labels, counted: 401 } },
      ['labels counted = distinct records labeled'],
    ],
    [
      'a class is miscounted',
      { labels: { ...good.labels, byClass: { '0': 0, '1': 400 } } },
      ['labels are counted by class'],
    ],
    [
      'a model guesses',
      { trainings: [training(1), { ...training(2), auc: 0.5 }] },
      ['each model is better than chance on rows it has not seen'],
    ],
    [
      'labeled rows were missing from a training',
      { trainings: [training(1), { ...training(2), rows: 2 * plan.threshold - 1 }] },
      ['each crossing of the threshold trained a model'],
    ],
    [
      'the old configuration still serves',
      { endpoint: { name: 'the-endpoint', before: 'config-1', after: 'config-1' } },
      ['the endpoint serves the last model', 'predictions are by the model of their time'],
    ],
    [
      'the query is off in the sixth decimal',
      { correlations: { ...good.correlations, final: { ...correlations, correlation_age_and_target: 0.0612357 } } },
      ['correlations agree to 6 decimals at the end'],
    ],
    [
      'nothing was quarantined',
      { quarantine: [] },
      [
        'the change log has every change, once after de-duplication by sequence number',
        'the bad record, and no other, is in quarantine',
      ],
    ],
  ])('fail when %s', (_, wrong, names) => {
    expect(failing({ ...good, ...wrong })).toEqual(names);
  });
});

describe('the summary', () => {
  const render = (facts: Omit<Report, 'checks'>) =>
    renderSummary({ ...facts, checks: checksOf(facts, cast, fates, 'c-bad-age') });

  test('tells every part of the story', () => {
    const text = render(good);
    for (const part of [
      '400 from the generator with seed 1, in 12.3 s',
      '826 written to DynamoDB: 402 inserts, 418 updates, 6 deletes',
      'half within 640 ms (p50), 99 % within 1,210 ms (p99)',
      '1,000 ms of each are the batching window',
      '830 rows of CSV in 9 files',
      `400 records counted: ${ones} yes, ${400 - ones} no`,
      '0.9200  config-2',
      'c-00007    0.2500 (no)  0.2500 (no)',
      'age       0.061235     0.061235',
      'c-bad-age: wrong-type at dynamodb.NewImage.age. Expected N, found S.',
      'All 11 checks held.',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('says which checks failed', () => {
    expect(render({ ...good, quarantine: [] })).toMatch(/2 of 11 checks failed: the change log has .*; the bad record/);
  });
});

describe('the plan of the trainings', () => {
  test('labels every customer once, in another order, the same for the same seed', () => {
    const sorted = [...plan.labeled].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(sorted).toEqual(customers);
    expect(plan.labeled).not.toEqual(customers);
    expect(planRetraining(customers, 1)).toEqual(plan);
  });

  test('asks for no more of a class than each epoch has', () => {
    const positives = plan.labeled.slice(0, plan.threshold).filter(({ label }) => label === '1').length;
    expect(plan.labelsPerClassMin).toBeGreaterThan(0);
    expect(plan.labelsPerClassMin).toBeLessThanOrEqual(positives);
  });

  test('refuses a threshold that is not crossed twice, and labels that are all alike', () => {
    expect(() => planRetraining(customers, 1, 201)).toThrow(
      '--threshold: found 201, expected at most 200, half of the 400 records, so that it is crossed twice.',
    );
    const alike = customers.map((it) => ({ ...it, label: '0' as const }));
    expect(() => planRetraining(alike, 1)).toThrow('Of 180 labels in a row all are alike');
  });
});
