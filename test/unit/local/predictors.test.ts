import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../infra/demo/customers/random.ts';
import { linearLearnerOptions } from '../../../infra/local/sagemaker/learner/linear-learner.ts';
import { packModel, unpackModel } from '../../../infra/local/sagemaker/learner/model-artifact.ts';
import { jsonPrediction, predictionOf } from '../../../infra/local/sagemaker/learner/prediction-text.ts';
import { train } from '../../../infra/local/sagemaker/learner/predictors.ts';
import { readChannel } from '../../../infra/local/sagemaker/learner/training-data.ts';

const options = (more: Readonly<Record<string, string>>) => linearLearnerOptions({ mini_batch_size: '1', ...more });
const regressor = options({ predictor_type: 'regressor' });
const classifier = options({ predictor_type: 'multiclass_classifier', num_classes: '3' });

/** Rows of two features and a label that follows from them. */
function rows(count: number, labelOf: (x: number, y: number) => number, seed = 1) {
  const random = seededRandom(seed);
  const features = Float64Array.from({ length: 2 * count }, () => 10 * random.uniform());
  const labels = Float64Array.from({ length: count }, (_, row) =>
    labelOf(features[2 * row] ?? 0, features[2 * row + 1] ?? 0),
  );
  return { width: 2, features, labels };
}

describe('the regressor', () => {
  const sum = (x: number, y: number) => 3 * x - 2 * y + 100;

  test('finds a weighted sum again, and answers with the number alone', () => {
    const { model, metrics } = train(rows(500, sum), rows(100, sum, 2), regressor);
    const { score, label } = predictionOf(model, [1, 2]);
    expect(Math.abs(Number(score) - sum(1, 2))).toBeLessThan(0.1);
    expect(label).toBeUndefined();
    expect(jsonPrediction({ score: 99 })).toBe('{"score":99.0}');
    expect(metrics.map(({ name }) => name)).toEqual([
      ...['train:objective_loss', 'validation:objective_loss', 'validation:mse', 'validation:absolute_loss'],
      'validation:rmse',
    ]);
    expect(unpackModel(packModel(model))).toEqual(model);
  });

  test('takes labels that a classifier does not', () => {
    const content = Buffer.from('-12.5,1,2\n1e3,3,4\n');
    expect([...readChannel('train', [{ uri: 's3://b/k', content }], 'regressor').labels]).toEqual([-12.5, 1_000]);
    expect(() => readChannel('train', [{ uri: 's3://b/k', content }])).toThrow('the label (first column) is -12.5');
  });
});

describe('the classifier of several classes', () => {
  const third = (x: number, y: number) => (x + y < 7 ? 0 : x + y < 13 ? 1 : 2);

  test('gives each class a probability, and the likeliest as the label', () => {
    const { model, metrics } = train(rows(600, third), rows(100, third, 2), classifier);
    const answers = [
      [1, 1],
      [5, 5],
      [9, 9],
    ].map((it) => predictionOf(model, it));
    expect(answers.map(({ label }) => label)).toEqual([0, 1, 2]);
    for (const { score } of answers) {
      expect(score).toHaveLength(3);
      expect([score].flat().reduce((whole, it) => whole + it, 0)).toBeCloseTo(1, 12);
    }
    expect(jsonPrediction({ score: [0.25, 0.75, 0], label: 1 })).toBe(
      '{"score":[0.25,0.75,0.0],"predicted_label":1.0}',
    );
    expect(metrics.find(({ name }) => name === 'validation:multiclass_accuracy')?.value).toBeGreaterThan(0.9);
    expect(unpackModel(packModel(model))).toEqual(model);
  });

  test('learns shares where the features say nothing', () => {
    const { model } = train(
      rows(300, (x) => (x < 5 ? 0 : 1)),
      undefined,
      classifier,
    );
    const score = [predictionOf(model, [5, 5]).score].flat();
    expect(score[2]).toBeLessThan(0.05);
  });

  test('refuses labels beyond its classes, and more coefficients than it solves for', () => {
    expect(() =>
      train(
        rows(10, () => 3),
        undefined,
        classifier,
      ),
    ).toThrow('a label is 3');
    expect(() =>
      train(
        rows(10, () => 0.5),
        undefined,
        classifier,
      ),
    ).toThrow('a label is 0.5');
    const wide = { width: 1_000, features: new Float64Array(1_000), labels: Float64Array.of(1) };
    expect(() => train(wide, undefined, classifier)).toThrow('3003 coefficients of several classes, of at most 2000');
  });

  test('fails on fewer rows than a mini batch', () => {
    const large = { ...classifier, miniBatchSize: 11 };
    expect(() => train(rows(10, third), undefined, large)).toThrow('fewer than one mini batch of 11');
  });
});
