import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  accuracy,
  chooseThreshold,
  confusionAt,
  fBeta,
  rocAuc,
} from '../../../infra/local/sagemaker/learner/classification-metrics.ts';
import { linearLearnerOptions, trainLinearLearner } from '../../../infra/local/sagemaker/learner/linear-learner.ts';
import {
  fitModel,
  type LabeledRows,
  type LinearModel,
  logisticLoss,
  logOdds,
  probability,
} from '../../../infra/local/sagemaker/learner/linear-model.ts';
import { packModel, unpackModel } from '../../../infra/local/sagemaker/learner/model-artifact.ts';
import { readChannel } from '../../../infra/local/sagemaker/learner/training-data.ts';

/** Uniform numbers of [0, 1), the same for the same seed (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Rows whose labels are drawn by the log odds `bias + coefficients · features`. */
function drawn(count: number, coefficients: readonly number[], bias: number, seed = 1): LabeledRows {
  const random = uniform(seed);
  const features = new Float64Array(count * coefficients.length);
  const labels = new Uint8Array(count);
  for (let row = 0; row < count; row += 1) {
    let odds = bias;
    coefficients.forEach((coefficient, column) => {
      // Columns of different places and scales, as real ones are.
      const value = 100 * column + (1 + column) * (2 * random() - 1);
      features[row * coefficients.length + column] = value;
      odds += coefficient * (value - 100 * column);
    });
    labels[row] = random() < probability(odds) ? 1 : 0;
  }
  return { width: coefficients.length, features, labels };
}

const rows = (width: number, ...lines: number[][]): LabeledRows => ({
  width,
  features: Float64Array.from(lines.flatMap((line) => line.slice(1))),
  labels: Uint8Array.from(lines.map((line) => line[0] ?? 0)),
});

const scores = (model: LinearModel, data: LabeledRows) => logOdds(model, data.features, data.width).map(probability);

/** Coefficients of the features as they are, from those of the standardized ones. */
const rawCoefficients = (model: LinearModel) => model.weights.map((it, column) => it / (model.scales[column] ?? 1));

const PLAIN = { l2: 1, positiveWeight: 1 };

describe('ROC AUC', () => {
  test('counts the pairs ranked rightly, a tie as half', () => {
    // Positives 0.8, 0.5, 0.5; negatives 0.5, 0.2: of six pairs four are right and two tied.
    expect(rocAuc([0.8, 0.5, 0.5, 0.5, 0.2], Uint8Array.of(1, 1, 0, 1, 0))).toBeCloseTo(5 / 6, 15);
  });

  test('is 1 for a perfect order, 0 for its reverse, and one half for equal scores', () => {
    const labels = Uint8Array.of(1, 1, 0, 0);
    expect(rocAuc([4, 3, 2, 1], labels)).toBe(1);
    expect(rocAuc([1, 2, 3, 4], labels)).toBe(0);
    expect(rocAuc([7, 7, 7, 7], labels)).toBe(0.5);
  });

  test('has no value when the rows are of one class', () => {
    expect(rocAuc([0.1, 0.9], Uint8Array.of(1, 1))).toBeUndefined();
  });

  test('equals the count over all pairs', () => {
    const random = uniform(7);
    const drawnScores = Array.from({ length: 200 }, () => Math.round(random() * 20) / 20);
    const labels = Uint8Array.from(drawnScores, (score) => (random() < score ? 1 : 0));
    let right = 0;
    let pairs = 0;
    drawnScores.forEach((positive, i) => {
      drawnScores.forEach((negative, j) => {
        if (labels[i] !== 1 || labels[j] !== 0) return;
        pairs += 1;
        right += positive > negative ? 1 : positive === negative ? 0.5 : 0;
      });
    });
    expect(rocAuc(drawnScores, labels)).toBeCloseTo(right / pairs, 12);
  });
});

describe('the threshold', () => {
  test('is the one of highest accuracy', () => {
    const labels = Uint8Array.of(1, 1, 0, 0, 0);
    const chosen = chooseThreshold([0.4, 0.3, 0.2, 0.1, 0.1], labels, accuracy);
    expect(chosen).toBeCloseTo(0.25, 15);
    expect(accuracy(confusionAt([0.4, 0.3, 0.2, 0.1, 0.1], labels, chosen))).toBe(1);
  });

  test('is 0.5 when that is as good as any', () => {
    expect(chooseThreshold([0.9, 0.8, 0.3], Uint8Array.of(1, 1, 0), accuracy)).toBe(0.5);
    expect(chooseThreshold([0.5, 0.4], Uint8Array.of(1, 0), accuracy)).toBe(0.5);
  });

  test('labels nothing 1 when that is best', () => {
    const labels = Uint8Array.of(0, 0, 0);
    const chosen = chooseThreshold([0.9, 0.8, 0.7], labels, accuracy);
    expect(confusionAt([0.9, 0.8, 0.7], labels, chosen).falsePositives).toBe(0);
  });
});

test('F-beta weighs recall by beta', () => {
  const confusion = { truePositives: 2, falsePositives: 2, falseNegatives: 6, trueNegatives: 0 };
  expect(fBeta(confusion, 1)).toBeCloseTo(1 / 3, 15); // precision 1/2, recall 1/4
  expect(fBeta(confusion, 2)).toBeCloseTo((5 * 0.5 * 0.25) / (4 * 0.5 + 0.25), 15);
  expect(fBeta({ ...confusion, truePositives: 0 }, 1)).toBe(0);
});

describe('the fit', () => {
  test('recovers the coefficients that drew the labels', () => {
    const coefficients = [1.5, -0.7, 0, 0.25];
    const model = fitModel(drawn(40_000, coefficients, -1), PLAIN);
    rawCoefficients(model).forEach((found, column) => {
      expect(Math.abs(found - (coefficients[column] ?? 0))).toBeLessThan(0.06);
    });
    const biasAtPlace = logOdds(model, Float64Array.of(0, 100, 200, 300), 4)[0];
    expect(Math.abs((biasAtPlace ?? 0) + 1)).toBeLessThan(0.06);
  });

  test('is at the optimum: the gradient of the penalised loss vanishes', () => {
    const data = drawn(500, [0.8, -0.4], 0.3, 3);
    const model = fitModel(data, { l2: 5, positiveWeight: 2 });
    const residuals = scores(model, data).map((score, row) => {
      const label = data.labels[row] ?? 0;
      return (label === 1 ? 2 : 1) * (score - label);
    });
    expect(residuals.reduce((sum, it) => sum + it, 0)).toBeCloseTo(0, 5);
    for (let column = 0; column < 2; column += 1) {
      let slope = 5 * (model.weights[column] ?? 0);
      residuals.forEach((residual, row) => {
        const value = data.features[row * 2 + column] ?? 0;
        slope += residual * ((value - (model.means[column] ?? 0)) / (model.scales[column] ?? 1));
      });
      expect(slope).toBeCloseTo(0, 5);
    }
  });

  test('stays finite on separable rows, even without a penalty', () => {
    const data = rows(1, [0, 1], [0, 2], [0, 3], [1, 10], [1, 11], [1, 12]);
    for (const l2 of [1, 1e-6, 0]) {
      const model = fitModel(data, { l2, positiveWeight: 1 });
      expect(model.weights.every(Number.isFinite) && Number.isFinite(model.bias)).toBe(true);
      expect(rocAuc(scores(model, data), data.labels)).toBe(1);
    }
  });

  test('gives a constant column no weight, whatever value comes later', () => {
    const data = rows(2, [0, 1, 5228.1], [1, 2, 5228.1], [0, 3, 5228.1], [1, 4, 5228.1]);
    const model = fitModel(data, PLAIN);
    expect(model.weights[1]).toBe(0);
    const [low, high] = logOdds(model, Float64Array.of(1, 0, 1, 9999), 2);
    expect(low).toBe(high);
  });

  test('takes fewer rows than columns, and columns that repeat each other', () => {
    const wide = drawn(12, new Array(40).fill(0.5), 0, 5);
    expect(fitModel(wide, PLAIN).weights.every(Number.isFinite)).toBe(true);
    const twice = rows(2, [0, 1, 2], [1, 2, 4], [0, 3, 6], [1, 5, 10], [1, 6, 12]);
    const { weights } = fitModel(twice, PLAIN);
    expect(weights[0]).toBeCloseTo(weights[1] ?? Number.NaN, 9);
  });

  test('is the same, bit for bit, for the same rows', () => {
    const data = drawn(1000, [1, 2, 3], 0, 11);
    expect(fitModel(data, PLAIN)).toEqual(fitModel(data, PLAIN));
  });

  test('refuses rows of one class', () => {
    expect(() => fitModel(rows(1, [1, 5], [1, 6]), PLAIN)).toThrow('one class only');
  });

  test('counts a positive row as often as its weight says', () => {
    const once = rows(1, [0, 1], [1, 2], [0, 3], [1, 4], [0, 5]);
    const repeated = rows(1, [0, 1], [1, 2], [1, 2], [0, 3], [1, 4], [1, 4], [0, 5]);
    const at3 = (data: LabeledRows, positiveWeight: number) =>
      logOdds(fitModel(data, { l2: 0, positiveWeight }), Float64Array.of(3), 1)[0] ?? 0;
    expect(at3(once, 2)).toBeCloseTo(at3(repeated, 1), 6);
  });
});

test('the loss of one row is minus the log of what its label was given, without overflow', () => {
  expect(logisticLoss(2, 1)).toBeCloseTo(-Math.log(probability(2)), 12);
  expect(logisticLoss(2, 0)).toBeCloseTo(-Math.log(1 - probability(2)), 12);
  expect(logisticLoss(-5000, 1)).toBe(5000);
});

describe('linear-learner', () => {
  const options = linearLearnerOptions({ predictor_type: 'binary_classifier', mini_batch_size: '100' });

  test('publishes its metrics under its own names', () => {
    const data = drawn(2000, [2, -1], 0, 2);
    const { metrics } = trainLinearLearner(data, drawn(500, [2, -1], 0, 8), options);
    expect(metrics.map((it) => it.name).sort()).toEqual([
      'train:objective_loss',
      'validation:binary_classification_accuracy',
      'validation:binary_f_beta',
      'validation:objective_loss',
      'validation:precision',
      'validation:recall',
      'validation:roc_auc_score',
    ]);
    expect(metrics.find((it) => it.name === 'validation:roc_auc_score')?.value).toBeGreaterThan(0.8);
  });

  test('leaves out the area under the curve when the validation rows are of one class', () => {
    const { metrics } = trainLinearLearner(drawn(200, [2], 0), rows(1, [1, 0.5], [1, 0.1]), options);
    expect(metrics.map((it) => it.name)).not.toContain('validation:roc_auc_score');
  });

  test.each([
    [{ predictor_type: 'ranker' }, 'predictor_type=ranker'],
    [{ predictor_type: 'regressor', loss: 'absolute_loss' }, 'loss=absolute_loss'],
    [{ predictor_type: 'multiclass_classifier' }, 'num_classes is undefined'],
    [{ predictor_type: 'multiclass_classifier', num_classes: '2' }, 'num_classes is "2"'],
    [{ predictor_type: 'multiclass_classifier', num_classes: '3', balance_multiclass_weights: 'true' }, 'balance_'],
    [{ predictor_type: 'binary_classifier', l1: '0.5' }, 'l1=0.5'],
    [{ predictor_type: 'binary_classifier', target_recall: '0.9' }, 'target_recall'],
    [{ predictor_type: 'binary_classifier', wd: 'much' }, 'wd'],
    [{}, 'predictor_type'],
  ])('refuses what it does not honour: %j', (hyperParameters, message) => {
    expect(() => linearLearnerOptions(hyperParameters as Record<string, string>)).toThrow(message);
  });
});

describe('training data', () => {
  const read = (...texts: string[]) =>
    readChannel(
      'train',
      texts.map((text, index) => ({ uri: `s3://b/train/${index}.csv`, content: Buffer.from(text) })),
    );

  test('are read label first, from every file', () => {
    const data = read('1,2.5,-3\n0,1e3,.5\n', '', '0,7,8\r\n');
    expect(data).toEqual(rows(2, [1, 2.5, -3], [0, 1000, 0.5], [0, 7, 8]));
  });

  test.each([
    ['1,2\n0,x\n', 'line 2: column 2 is "x", not a number'],
    ['1,2\n0,\n', 'line 2: column 2 is "", not a number'],
    ['1,2\n0,NaN\n', 'line 2: column 2 is "NaN", not a number'],
    ['1,2\n0,0x10\n', 'line 2: column 2 is "0x10", not a number'],
    ['1,2\n0,2,3\n', 'line 2: the row has 3 columns, the first row of the channel has 2'],
    ['1,2\n2,2\n', 'line 2: the label (first column) is 2'],
    ['1,2\n\n0,2\n', 'line 2: column 1 is "", not a number'],
    ['1\n', 'line 1: the row has a label and no features'],
  ])('are refused with file and line: %j', (text, message) => {
    expect(() => read('1,5\n', text)).toThrow(message);
    expect(() => read('1,5\n', text)).toThrow('s3://b/train/1.csv');
  });

  test('are refused when compressed, with the way out', () => {
    const files = [{ uri: 's3://b/train/0.gz', content: gzipSync('1,2\n0,3\n') }];
    expect(() => readChannel('train', files)).toThrow('s3://b/train/0.gz is compressed. In File mode');
  });

  test('are refused when there is no row at all', () => {
    expect(() => read('', '')).toThrow('channel train holds no row');
  });
});

test('a packed model is unpacked the same, and packed twice has the same bytes', () => {
  const model = fitModel(drawn(100, [1, -1], 0), PLAIN);
  expect(unpackModel(packModel(model))).toEqual(model);
  expect(Buffer.compare(packModel(model), packModel(model))).toBe(0);
});
