import { expect, test } from 'vitest';
import { evolutionOf, lockOf } from '../../../infra/aws/packaging/evolution.ts';
import { replayEvents } from '../../../infra/replay/replay-events.ts';
import { resultsOf } from '../../../infra/replay/results.ts';
import { streamOf } from '../../../infra/replay/stream-records.ts';
import { correlationSql } from '../../../shared/change-log/sql.ts';
import { featureColumns } from '../../../shared/change-log/view.ts';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import { defineFeatureGroup, fractional } from '../../../shared/feature-groups/define.ts';
import { csvStatements } from '../../../shared/history/csv.ts';
import { encodingOf } from '../../../shared/model/encoding.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { trainingPlan } from '../../../shared/training/plan.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

/** What the kind of a label decides, from the definition to the training request. */

const parcels = (label: FeatureGroupInput['label'], name = 'parcels') =>
  defineFeatureGroup({ name, recordIdentifier: 'id', features: { weight: fractional() }, label });
const binary = parcels({ name: 'y' });
const classes = parcels({ name: 'y', classes: ['low', 7, 'high'] });
const number = parcels({ name: 'y', ...fractional({ min: 0, max: 600 }) });

test('labels are stored as the number of their class, or as the number that they are', async () => {
  const replayed = async (group: typeof classes, values: readonly (string | number | null)[]) => {
    const stream = streamOf(group);
    const events = values.map((y, n) => stream.insert({ id: `p-${n}`, weight: 1, ...(y !== null && { y }) }));
    return replayEvents(group, events);
  };
  const several = await replayed(classes, ['low', 7, 'high', null, 'High', 8]);
  expect([...several.online.values()].map(({ y }) => y)).toEqual(['0', '1', '2', undefined, undefined, undefined]);
  expect(several.labels.map(({ label }) => label)).toEqual(['0', '1', '2']);
  expect(several.rejections.map(({ reason, message }) => [reason, message])).toEqual(
    Array(2).fill(['invalid-label', 'Expected one of "low", 7, "high".']),
  );
  const byClass = JSON.parse(resultsOf(several, classes)['labels.json'] ?? '').byClass;
  expect(byClass).toEqual({ 0: 1, 1: 1, 2: 1 });

  const numbers = await replayed(number, [12.5, 0, 600, null, 601, 'many']);
  expect([...numbers.online.values()].map(({ y }) => y)).toEqual(['12.5', '0', '600', undefined, undefined, undefined]);
  expect(numbers.labels.map(({ label }) => label)).toEqual(['12.5', '0', '600']);
  expect(numbers.rejections.map(({ message }) => message)).toEqual(Array(2).fill('Expected N, 0 to 600.'));
  expect(JSON.parse(resultsOf(numbers, number)['labels.json'] ?? '').byClass).toEqual({});
});

test('a file of history has labels as the definition spells them', async () => {
  const labelsOf = async (group: typeof classes, ...texts: string[]) => {
    const content = async function* () {
      yield Buffer.from(`id,weight,y\n${texts.map((text, n) => `p-${n},1,${text}`).join('\n')}\n`);
    };
    const file = { name: 'old.csv', exportNumber: 0, fileNumber: 0, eventTimeMs: 1_700_000_000_000 };
    const found: unknown[] = [];
    for await (const block of csvStatements(file, content(), group, makeDecoder(group))) {
      for (const { decoded } of block) found.push('newLabel' in decoded ? decoded.newLabel : decoded);
    }
    return found;
  };
  expect(await labelsOf(classes, 'low', '7', 'high', '')).toEqual(['0', '1', '2', undefined]);
  expect(await labelsOf(number, '12.5', '')).toEqual(['12.5', undefined]);
});

test('columns of a number are decimals, and those of classes small whole numbers', () => {
  const typeOf = (group: typeof classes) => featureColumns(group).at(-1)?.type.hive;
  expect([binary, classes, number].map(typeOf)).toEqual(['tinyint', 'tinyint', 'double']);
  expect([binary, classes, number].map((group) => lockOf(group, {}).columns.at(-1))).toEqual([
    'y Integral',
    'y Integral',
    'y Fractional',
  ]);
  expect([binary, classes, number].map((group) => correlationSql(group) !== undefined)).toEqual([true, false, true]);
});

test('the kind and the classes are a part of the schema, and bounds are none', () => {
  const unbounded = parcels({ name: 'y', ...fractional() });
  const grown = parcels({ name: 'y', classes: ['low', 7, 'high', 'highest'] });
  expect(new Set([binary, classes, grown, number].map(schemaHash)).size).toBe(4);
  expect(schemaHash(unbounded)).toBe(schemaHash(number));
  expect([binary, classes, number].map((group) => encodingOf(group).label)).toEqual([
    undefined,
    { kind: 'multi-class', classes: ['low', '7', 'high'] },
    { kind: 'regression', classes: [] },
  ]);
});

test('each kind is trained by its own hyperparameters', () => {
  const plan = (group: typeof classes, TRAINING_ALGORITHM: string) =>
    trainingPlan(group, retrainConfig({ ...retrainEnvironment, TRAINING_ALGORITHM }), { epoch: 1, attempt: 1 }, 0);
  const [ofTwo, ofThree, ofNumber] = [binary, classes, number].map((it) => plan(it, 'linear-learner').hyperParameters);
  const mini_batch_size = ofTwo?.mini_batch_size;
  expect(ofTwo).toEqual({ predictor_type: 'binary_classifier', mini_batch_size });
  expect(ofThree).toEqual({ predictor_type: 'multiclass_classifier', num_classes: '3', mini_batch_size });
  expect(ofNumber).toEqual({ predictor_type: 'regressor', mini_batch_size });
  expect([binary, classes, number].map((it) => plan(it, 'xgboost').hyperParameters)).toEqual([
    { objective: 'binary:logistic', eval_metric: 'auc', num_round: '100' },
    { objective: 'multi:softprob', eval_metric: 'mlogloss', num_class: '3', num_round: '100' },
    { objective: 'reg:squarederror', eval_metric: 'rmse', num_round: '100' },
  ]);
});

test('a label stays of its kind, and a class keeps its number; one may be added at the end', () => {
  const evolve = (before: FeatureGroupInput['label'], after: FeatureGroupInput['label']) =>
    evolutionOf(lockOf(parcels(before), {}), lockOf(parcels(after), {}));
  const three = { name: 'y', classes: ['a', 'b', 'c'] };
  const grown = evolve(three, { name: 'y', classes: ['a', 'b', 'c', 'd'] });
  expect(grown.refused).toEqual([]);
  expect(grown.retraining).toContain('The schema of training changes');
  expect(evolve(three, { name: 'y', classes: ['a', 'c', 'b'] }).refused).toEqual([
    'class 1 of the label was "b" and is "c": what is stored is of the first; add classes at the end',
    'class 2 of the label was "c" and is "b": what is stored is of the first; add classes at the end',
  ]);
  expect(evolve({ name: 'y' }, three).refused).toEqual([
    'the label had two classes and has 3: a label stays of its kind; give the other one another name and attribute',
  ]);
  expect(evolve({ name: 'y' }, { name: 'y', ...fractional() }).refused).toEqual([
    "y was Integral and is Fractional: a feature's type cannot be changed; add a feature of another name",
  ]);
});
