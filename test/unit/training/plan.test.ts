import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { categorical, defineFeatureGroup } from '../../../shared/feature-groups/define.ts';
import { trainingOf, trainingPlan } from '../../../shared/training/plan.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

const NOW = Date.UTC(2026, 0, 15);
const planWith = (environment: Record<string, string> = {}, due = { epoch: 3, attempt: 1 }) =>
  trainingPlan(bankMarketing, retrainConfig({ ...retrainEnvironment, ...environment }), due, NOW);

describe('the training plan', () => {
  test('waits for twice the buffer of the change log', () => {
    expect(planWith({ CHANGE_LOG_BUFFER_SECONDS: '60' }).firehoseWaitSeconds).toBe(120);
  });

  test('takes the image of the state machine region', () => {
    expect(planWith().trainingImage).toContain('.us-east-1.');
    expect(planWith({ TRAINING_ALGORITHM: 'xgboost' }).trainingImage).toContain('sagemaker-xgboost');
  });

  test('has a mini batch well below the rows of a first training set', () => {
    expect(planWith({ LABELS_THRESHOLD: '1000' }).hyperParameters.mini_batch_size).toBe('250');
    expect(planWith({ LABELS_THRESHOLD: '1' }).hyperParameters.mini_batch_size).toBe('1');
    expect(planWith({ LABELS_THRESHOLD: '900000' }).hyperParameters.mini_batch_size).toBe('1000');
  });

  test('gives every attempt prefixes of its own, which UNLOAD needs empty', () => {
    const uris = [1, 2].flatMap((attempt) => {
      const { trainUri, validationUri, snapshotQuery } = planWith({}, { epoch: 3, attempt });
      return [trainUri, validationUri, snapshotQuery.match(/TO '(.*)'/)?.[1] ?? ''];
    });
    expect(new Set(uris).size).toBe(6);
    for (const uri of uris) expect(uri).toMatch(/^s3:\/\/data\/(training-sets|snapshots)\/.+\/$/);
  });

  test('counts and trains on the snapshot that it writes, where the snapshots of its format are', () => {
    const { snapshot, snapshotQuery, countQuery, trainingSetQuery } = planWith();
    expect(snapshotQuery).toContain(`TO 's3://data/snapshots/${snapshot.name}/'`);
    for (const query of [countQuery, trainingSetQuery]) {
      expect(query.match(/FROM "\w+"\."\w+"/g)).toEqual(['FROM "tributary_bank_marketing_dev"."snapshots"']);
      expect(query).toContain(`WHERE "snapshot" = '${snapshot.name}'`);
    }
    expect(snapshot.watermark).toBe(new Date(NOW).toISOString());
  });

  test('is refused when it does not fit into the input of an execution', () => {
    const categories = Array.from({ length: 3_000 }, (_, index) => `category-${index}`);
    const large = defineFeatureGroup({
      name: 'large',
      recordIdentifier: 'id',
      features: { kind: categorical(categories) },
      label: { name: 'y' },
    });
    const plan = trainingPlan(large, retrainConfig(retrainEnvironment), { epoch: 1, attempt: 1 }, NOW);
    expect(() => trainingOf(plan, NOW)).toThrow(/use fewer training columns/);
  });

  test('becomes the input of an execution that is named after its epoch and attempt', () => {
    const training = trainingOf(planWith({}, { epoch: 3, attempt: 2 }), NOW);
    expect(training.executionName).toBe('bank-marketing-epoch-3-attempt-2');
    expect(JSON.parse(training.input)).toEqual(planWith({}, { epoch: 3, attempt: 2 }));
  });

  test('has all that the state machine reads, for the function which rows it learns from and is judged by, and nothing else', () => {
    const asl = readFileSync('infra/aws/retraining/retraining.asl.json', 'utf8');
    // Capital letters begin members of AWS's answers, which a ResultSelector reads.
    const read = new Set([...asl.matchAll(/[^$]\$\.([a-z]\w+)/g)].map(([, name]) => name));
    const made = [...asl.matchAll(/"ResultPath": "\$\.(\w+)"/g)].map(([, name]) => name);
    for (const name of made) read.delete(name);
    expect([...read, 'judgeUri', 'selection'].sort()).toEqual(Object.keys(planWith()).sort());
  });

  test('learns from all labels, or from those of a window, in batches that the rows of one are sure to fill', () => {
    const planOf = (TRAINING_WINDOW_DAYS: string, TRAINING_ROWS_MAX: string) =>
      planWith({ TRAINING_WINDOW_DAYS, TRAINING_ROWS_MAX, LABELS_THRESHOLD: '4000' });
    expect(planOf('all', 'all')).toMatchObject({ selection: {}, hyperParameters: { mini_batch_size: '1000' } });
    expect(planOf('30', 'all')).toMatchObject({
      selection: { since: new Date(NOW - 30 * 86_400_000).toISOString().slice(0, 10) },
      hyperParameters: { mini_batch_size: '20' },
    });
    expect(planOf('all', '500')).toMatchObject({
      selection: { rowsMax: 500 },
      hyperParameters: { mini_batch_size: '500' },
    });
  });
});
