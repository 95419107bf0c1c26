import {
  at,
  designMatrix,
  JITTER,
  linearSum,
  type NumberedRows,
  solvePositiveDefinite,
  standardization,
} from './linear-model.ts';

/**
 * Multinomial logistic regression: features standardized, weights L2-regularised (the biases are not), fitted by Newton's
 * method. The same rows give the same model, bit for bit. Pure: no files, no clock, no randomness.
 */

/** Newton steps at most, halvings of one at most, and the share of the objective that the last one promises. */
const NEWTON_STEPS_MAX = 60;
const HALVINGS_MAX = 40;
const DECREMENT_MIN = 1e-12;

/** Coefficients at most, of all classes together: a step takes the cube of them, and a matrix of their square. */
export const COEFFICIENTS_MAX = 2_000;

/** A fitted model: for each class a weight per standardized column, and a bias. Plain JSON. */
export interface SoftmaxModel {
  readonly predictor: 'multiclass_classifier';
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly weights: readonly (readonly number[])[];
  readonly biases: readonly number[];
}

/** @param l2 weight of the penalty `l2 / 2 * |weights|²` beside the summed loss. */
export function fitSoftmax(rows: NumberedRows, classes: number, l2: number): SoftmaxModel {
  const { width, labels } = rows;
  const { means, scales } = standardization(rows);
  const design = designMatrix(rows, means, scales);
  const size = width + 1;
  let coefficients: Float64Array = new Float64Array(classes * size);
  let objective = objectiveAt(design, labels, coefficients, { size, classes, l2 });
  for (let step = 0; step < NEWTON_STEPS_MAX; step += 1) {
    const { gradient, hessian } = derivatives(design, labels, coefficients, { size, classes, l2 });
    const direction = solvePositiveDefinite(hessian, gradient);
    const decrement = gradient.reduce((sum, it, i) => sum + it * at(direction, i), 0);
    if (decrement <= DECREMENT_MIN * (1 + objective)) break;
    let taken = false;
    for (let halvings = 0, length = 1; halvings < HALVINGS_MAX && !taken; halvings += 1, length /= 2) {
      const next = coefficients.map((value, i) => value - length * at(direction, i));
      const reached = objectiveAt(design, labels, next, { size, classes, l2 });
      if (reached > objective - 1e-4 * length * decrement) continue;
      [coefficients, objective, taken] = [next, reached, true];
    }
    if (!taken) break;
  }
  const ofClass = Array.from({ length: classes }, (_, label) =>
    coefficients.subarray(label * size, (label + 1) * size),
  );
  return {
    ...{ predictor: 'multiclass_classifier', means, scales },
    weights: ofClass.map((it) => [...it.subarray(0, width)]),
    biases: ofClass.map((it) => at(it, width)),
  };
}

/** Probability of each class, for one row. @throws RangeError when the row is not as wide as the model. */
export function classProbabilities(model: SoftmaxModel, features: readonly number[]): number[] {
  return softmax(
    model.weights.map((weights, label) => linearSum({ ...model, weights, bias: model.biases[label] ?? 0 }, features)),
  );
}

function softmax(sums: readonly number[]): number[] {
  const most = Math.max(...sums);
  const shares = sums.map((sum) => Math.exp(sum - most));
  const whole = shares.reduce((sum, it) => sum + it, 0);
  return shares.map((share) => share / whole);
}

interface Shape {
  readonly size: number;
  readonly classes: number;
  readonly l2: number;
}

function probabilitiesOfRow(design: Float64Array, row: number, coefficients: Float64Array, { size, classes }: Shape) {
  return softmax(
    Array.from({ length: classes }, (_, label) => {
      let sum = 0;
      for (let column = 0; column < size; column += 1) {
        sum += at(design, row * size + column) * at(coefficients, label * size + column);
      }
      return sum;
    }),
  );
}

/** Weights and not biases, which stand last of each class. */
const isWeight = (index: number, size: number): boolean => index % size < size - 1;

function objectiveAt(design: Float64Array, labels: NumberedRows['labels'], coefficients: Float64Array, shape: Shape) {
  let loss = 0;
  for (let row = 0; row < labels.length; row += 1) {
    const probabilities = probabilitiesOfRow(design, row, coefficients, shape);
    loss -= Math.log(Math.max(at(probabilities, at(labels, row)), Number.MIN_VALUE));
  }
  const penalty = coefficients.reduce((sum, it, index) => sum + (isWeight(index, shape.size) ? it * it : 0), 0);
  return loss + (shape.l2 / 2) * penalty;
}

/** Gradient and Hessian (lower triangle, row by row) of the penalised loss. */
function derivatives(design: Float64Array, labels: NumberedRows['labels'], coefficients: Float64Array, shape: Shape) {
  const { size, classes, l2 } = shape;
  const all = classes * size;
  const gradient = new Float64Array(all);
  const hessian = new Float64Array(all * all);
  for (let row = 0; row < labels.length; row += 1) {
    const probabilities = probabilitiesOfRow(design, row, coefficients, shape);
    for (let a = 0; a < classes; a += 1) {
      const residual = at(probabilities, a) - (at(labels, row) === a ? 1 : 0);
      for (let i = 0; i < size; i += 1) {
        gradient[a * size + i] = at(gradient, a * size + i) + residual * at(design, row * size + i);
      }
      for (let b = 0; b <= a; b += 1) {
        const curvature = at(probabilities, a) * ((a === b ? 1 : 0) - at(probabilities, b));
        for (let i = 0; i < size; i += 1) {
          const scaled = curvature * at(design, row * size + i);
          const line = (a * size + i) * all + b * size;
          const end = a === b ? i : size - 1;
          for (let j = 0; j <= end; j += 1)
            hessian[line + j] = at(hessian, line + j) + scaled * at(design, row * size + j);
        }
      }
    }
  }
  for (let index = 0; index < all; index += 1) {
    const penalty = isWeight(index, size) ? l2 : 0;
    gradient[index] = at(gradient, index) + penalty * at(coefficients, index);
    // The jitter also says which of all biases that only differ by a constant is taken.
    hessian[index * all + index] = at(hessian, index * all + index) + penalty + JITTER * labels.length;
  }
  return { gradient, hessian };
}
