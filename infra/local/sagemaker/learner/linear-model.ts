/**
 * Binary logistic regression: features standardized, weights L2-regularised (the bias is not), fitted by Newton's
 * method (IRLS). The same rows give the same model, bit for bit. Pure: no files, no clock, no randomness.
 */

/** Newton steps at most. Quadratic convergence needs about ten; separable data with a small penalty about thirty. */
const NEWTON_STEPS_MAX = 60;

/** Halvings of one Newton step at most, before the fit is taken to have converged to the machine's precision. */
const HALVINGS_MAX = 40;

/** The fit has converged when a Newton step promises less than this share of the objective. */
const DECREMENT_MIN = 1e-12;

/** Added to the Hessian's diagonal, as a share of the summed weight, so that no penalty at all can be solved too. */
export const JITTER = 1e-10;

/** Rows of one data set, label apart. `features` holds them one after the other, `width` numbers each. */
export interface LabeledRows<L = Uint8Array> {
  readonly width: number;
  readonly features: Float64Array;
  /** 0 or 1. */
  readonly labels: L;
}

/** Rows whose labels are numbers of several classes from 0, or the numbers that are to be predicted. */
export type NumberedRows = LabeledRows<Uint8Array | Float64Array>;

/** A fitted model. `threshold`: scores at or above it are labeled 1. Plain JSON. */
export interface LinearModel {
  readonly means: readonly number[];
  /** Standard deviation of each column; 1 for a column that is constant. */
  readonly scales: readonly number[];
  /** One weight per standardized column. */
  readonly weights: readonly number[];
  readonly bias: number;
  readonly threshold: number;
}

export interface FitOptions {
  /** Weight of the penalty `l2 / 2 * |weights|²` beside the summed logistic loss. */
  readonly l2: number;
  /** What one positive row counts as, against 1 for a negative one. */
  readonly positiveWeight: number;
}

/** Rows as a fit takes them. It is as large as the rows: models that are fitted to the same rows share it. */
export interface Design {
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly matrix: Float64Array;
}

export function designOf(rows: LabeledRows): Design {
  const { means, scales } = standardization(rows);
  return { means, scales, matrix: designMatrix(rows, means, scales) };
}

/**
 * Fits a model to rows of both classes. The threshold is 0.5: {@link chooseThreshold} gives another.
 *
 * @throws RangeError when the rows are not of both classes, since the bias would then have no finite optimum.
 */
export function fitModel(rows: LabeledRows, options: FitOptions, design = designOf(rows)): LinearModel {
  const { width, labels } = rows;
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === labels.length) {
    throw new RangeError(`the rows are of one class only: ${positives} of ${labels.length} are labeled 1`);
  }
  const { means, scales, matrix } = design;
  // The bias is the last coefficient; starting at the log odds saves Newton steps.
  const coefficients = new Float64Array(width + 1);
  coefficients[width] = Math.log((positives * options.positiveWeight) / (labels.length - positives));
  let objective = objectiveAt(matrix, labels, coefficients, options);
  for (let step = 0; step < NEWTON_STEPS_MAX; step += 1) {
    const { gradient, hessian } = derivatives(matrix, labels, coefficients, options);
    const direction = solvePositiveDefinite(hessian, gradient);
    const decrement = dot(gradient, direction);
    if (decrement <= DECREMENT_MIN * (1 + objective)) break;
    const next = lineSearch(matrix, labels, coefficients, direction, { objective, decrement, options });
    if (next === undefined) break;
    objective = next.objective;
    coefficients.set(next.coefficients);
  }
  return {
    means,
    scales,
    weights: [...coefficients.subarray(0, width)],
    bias: at(coefficients, width),
    threshold: 0.5,
  };
}

/** Log odds of label 1 for each row. @throws RangeError when the rows are not as wide as the model. */
export function logOdds(model: LinearModel, features: Float64Array, width: number): Float64Array {
  if (width !== model.weights.length) {
    throw new RangeError(`the model takes ${model.weights.length} features, not ${width}`);
  }
  const odds = new Float64Array(width === 0 ? 0 : features.length / width);
  for (let row = 0; row < odds.length; row += 1) {
    let sum = model.bias;
    for (let column = 0; column < width; column += 1) {
      const standardized = (at(features, row * width + column) - at(model.means, column)) / at(model.scales, column);
      sum += at(model.weights, column) * standardized;
    }
    odds[row] = sum;
  }
  return odds;
}

/** The bias and the weighted columns of one row. @throws RangeError when it is not as wide as the model. */
export function linearSum(
  { means, scales, weights, bias }: Pick<LinearModel, 'means' | 'scales' | 'weights' | 'bias'>,
  features: readonly number[],
): number {
  if (features.length !== weights.length) {
    throw new RangeError(`the model takes ${weights.length} features, not ${features.length}`);
  }
  let sum = bias;
  for (const [column, value] of features.entries()) {
    sum += at(weights, column) * ((value - at(means, column)) / at(scales, column));
  }
  return sum;
}

/** Probability of label 1, from log odds. */
export function probability(odds: number): number {
  // Both branches keep the exponential at or below 1, so nothing overflows.
  if (odds >= 0) return 1 / (1 + Math.exp(-odds));
  const exponential = Math.exp(odds);
  return exponential / (1 + exponential);
}

/** Logistic loss of one row, from log odds: -log of the probability given to its label. */
export function logisticLoss(odds: number, label: number): number {
  const margin = label === 1 ? odds : -odds;
  return margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin;
}

export function standardization({ width, features, labels }: NumberedRows): { means: number[]; scales: number[] } {
  const means = new Array<number>(width).fill(0);
  const squares = new Array<number>(width).fill(0);
  // Welford's update: exact for constant columns, and stable for columns far from zero (5228.1 ± 0.01).
  for (let row = 0; row < labels.length; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const value = at(features, row * width + column);
      const delta = value - at(means, column);
      means[column] = at(means, column) + delta / (row + 1);
      squares[column] = at(squares, column) + delta * (value - at(means, column));
    }
  }
  const scales = squares.map((sum) => (sum > 0 ? Math.sqrt(sum / labels.length) : 1));
  return { means, scales };
}

/** Standardized rows with a 1 for the bias at the end of each. */
export function designMatrix(rows: NumberedRows, means: readonly number[], scales: readonly number[]): Float64Array {
  const { width, features, labels } = rows;
  const design = new Float64Array(labels.length * (width + 1));
  for (let row = 0; row < labels.length; row += 1) {
    for (let column = 0; column < width; column += 1) {
      design[row * (width + 1) + column] =
        (at(features, row * width + column) - at(means, column)) / at(scales, column);
    }
    design[row * (width + 1) + width] = 1;
  }
  return design;
}

function oddsOfRow(design: Float64Array, row: number, coefficients: Float64Array): number {
  const offset = row * coefficients.length;
  let sum = 0;
  for (let column = 0; column < coefficients.length; column += 1) {
    sum += at(design, offset + column) * at(coefficients, column);
  }
  return sum;
}

function objectiveAt(design: Float64Array, labels: Uint8Array, coefficients: Float64Array, options: FitOptions) {
  let loss = 0;
  for (let row = 0; row < labels.length; row += 1) {
    const label = at(labels, row);
    loss += (label === 1 ? options.positiveWeight : 1) * logisticLoss(oddsOfRow(design, row, coefficients), label);
  }
  const weights = coefficients.subarray(0, -1);
  return loss + (options.l2 / 2) * dot(weights, weights);
}

/** Gradient and Hessian (lower triangle, row by row) of the penalised loss. */
function derivatives(design: Float64Array, labels: Uint8Array, coefficients: Float64Array, options: FitOptions) {
  const size = coefficients.length;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  let weightSum = 0;
  for (let row = 0; row < labels.length; row += 1) {
    const offset = row * size;
    const label = at(labels, row);
    const rowWeight = label === 1 ? options.positiveWeight : 1;
    const score = probability(oddsOfRow(design, row, coefficients));
    const residual = rowWeight * (score - label);
    const curvature = rowWeight * score * (1 - score);
    weightSum += rowWeight;
    for (let i = 0; i < size; i += 1) {
      const value = at(design, offset + i);
      gradient[i] = at(gradient, i) + residual * value;
      const scaled = curvature * value;
      const line = i * size;
      for (let j = 0; j <= i; j += 1) hessian[line + j] = at(hessian, line + j) + scaled * at(design, offset + j);
    }
  }
  for (let i = 0; i < size; i += 1) {
    const penalty = i < size - 1 ? options.l2 : 0;
    gradient[i] = at(gradient, i) + penalty * at(coefficients, i);
    hessian[i * size + i] = at(hessian, i * size + i) + penalty + JITTER * weightSum;
  }
  return { gradient, hessian };
}

/** Halves a Newton step until the objective falls (Armijo's rule); undefined when no step makes it fall. */
function lineSearch(
  design: Float64Array,
  labels: Uint8Array,
  from: Float64Array,
  direction: Float64Array,
  { objective, decrement, options }: { objective: number; decrement: number; options: FitOptions },
): { coefficients: Float64Array; objective: number } | undefined {
  for (let halvings = 0, length = 1; halvings < HALVINGS_MAX; halvings += 1, length /= 2) {
    const coefficients = from.map((value, i) => value - length * at(direction, i));
    const reached = objectiveAt(design, labels, coefficients, options);
    if (reached <= objective - 1e-4 * length * decrement) return { coefficients, objective: reached };
  }
  return undefined;
}

/** Solves `matrix * x = vector` by Cholesky; only the matrix's lower triangle is read, and overwritten. */
export function solvePositiveDefinite(matrix: Float64Array, vector: Float64Array): Float64Array {
  const size = vector.length;
  const x = vector.slice();
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = at(matrix, i * size + j);
      for (let k = 0; k < j; k += 1) sum -= at(matrix, i * size + k) * at(matrix, j * size + k);
      matrix[i * size + j] = i === j ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / at(matrix, j * size + j);
    }
  }
  for (let i = 0; i < size; i += 1) {
    let sum = at(x, i);
    for (let k = 0; k < i; k += 1) sum -= at(matrix, i * size + k) * at(x, k);
    x[i] = sum / at(matrix, i * size + i);
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let sum = at(x, i);
    for (let k = i + 1; k < size; k += 1) sum -= at(matrix, k * size + i) * at(x, k);
    x[i] = sum / at(matrix, i * size + i);
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += at(a, i) * at(b, i);
  return sum;
}

/** An element that is known to be there: indices here come from the lengths themselves. */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
