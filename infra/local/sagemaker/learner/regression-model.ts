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
 * Linear regression by least squares: features standardized, weights L2-regularised (the bias is not), solved exactly.
 * The same rows give the same model, bit for bit. Pure: no files, no clock, no randomness.
 */

/** A fitted model. Plain JSON. */
export interface RegressionModel {
  readonly predictor: 'regressor';
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly weights: readonly number[];
  readonly bias: number;
}

/** @param l2 weight of the penalty `l2 / 2 * |weights|²` beside half of the summed squares, of a standardized label. */
export function fitRegression(rows: NumberedRows, l2: number): RegressionModel {
  const { width, labels } = rows;
  const { means, scales } = standardization(rows);
  const design = designMatrix(rows, means, scales);
  const size = width + 1;
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size);
  for (let row = 0; row < labels.length; row += 1) {
    for (let i = 0; i < size; i += 1) {
      const value = at(design, row * size + i);
      right[i] = at(right, i) + value * at(labels, row);
      for (let j = 0; j <= i; j += 1)
        matrix[i * size + j] = at(matrix, i * size + j) + value * at(design, row * size + j);
    }
  }
  for (let i = 0; i < size; i += 1) {
    matrix[i * size + i] = at(matrix, i * size + i) + (i < width ? l2 : 0) + JITTER * labels.length;
  }
  const solved = solvePositiveDefinite(matrix, right);
  return { predictor: 'regressor', means, scales, weights: [...solved.subarray(0, width)], bias: at(solved, width) };
}

/** The predicted number of one row. @throws RangeError when the row is not as wide as the model. */
export const predictedNumber = (model: RegressionModel, features: readonly number[]): number =>
  linearSum(model, features);
