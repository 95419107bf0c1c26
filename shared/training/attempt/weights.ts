/**
 * The weights of a linear model, found again from its scores: the log odds of a score are the bias and the weighted
 * columns of the row. So no file of a framework has to be read, and a model that is not linear shows as one.
 */

/** Columns and rows at most: the equations take columns² × rows multiplications, two seconds of CPU here. */
const COLUMNS_MAX = 500;
export const WEIGHED_ROWS_MAX = 5_000;

/** Rows for each column at least: with as many rows as columns, anything would look linear. */
const ROWS_PER_COLUMN_MIN = 2;

/** Scores nearer to 0 or 1 are left out: a float32 has too few digits there to tell the log odds. */
const SCORE_MARGIN = 1e-4;

/**
 * Largest root of the mean square of what the weights leave unexplained, in log odds, or in standard deviations of
 * numbers: what rounded scores differ by.
 */
const UNEXPLAINED_MAX = 0.01;

/** Of columns that add up to one another only the sum of weights is told: this chooses the smallest weights. */
const RIDGE = 1e-9;

/** A column's weight: of one unit, and of one standard deviation, which compares columns. Null: it never changes. */
export interface Weight {
  readonly weight: number | null;
  readonly perDeviation: number | null;
}

export type Weights =
  | { readonly isLinear: true; readonly rows: number; readonly bias: number; readonly columns: readonly Weight[] }
  | { readonly isLinear: false; readonly rows: number; readonly reason: string };

/**
 * @param rows as the model takes them, in the order of its scores.
 * @param scores probabilities of label 1, or the numbers that are predicted, which are weighted sums themselves.
 */
export function weightsOf(
  rows: readonly (readonly number[])[],
  scores: readonly number[],
  are: 'probabilities' | 'numbers' = 'probabilities',
): Weights {
  const isNumber = are === 'numbers';
  const told = [...scores.keys()].filter((row) => isNumber || Math.abs((scores[row] ?? 0) - 0.5) < 0.5 - SCORE_MARGIN);
  const used = told.map((row) => rows[row] ?? []);
  const width = rows[0]?.length ?? 0;
  const spreads = Array.from({ length: width }, (_, column) => spreadOf(used.map((row) => row[column] ?? 0)));
  const changing = [...spreads.keys()].filter((column) => (spreads[column]?.deviation ?? 0) > 0);
  const unknown = (reason: string): Weights => ({ isLinear: false, rows: used.length, reason });
  if (width > COLUMNS_MAX) return unknown(`It has ${width} columns, of at most ${COLUMNS_MAX}.`);
  const needed = ROWS_PER_COLUMN_MIN * (changing.length + 1);
  if (used.length < needed)
    return unknown(`Its weights take ${needed} judged rows, of which there are ${used.length}.`);

  const standardized = changing.map((column) => {
    const { mean, deviation } = spreads[column] ?? NO_SPREAD;
    return Float64Array.from(used, (row) => ((row[column] ?? 0) - mean) / deviation);
  });
  const odds = Float64Array.from(told, (row) => (isNumber ? (scores[row] ?? 0) : logOdds(scores[row] ?? 0.5)));
  const { mean: level, deviation: scale } = spreadOf(odds);
  const solved = solve(
    standardized.map((one) => standardized.map((other) => dot(one, other) / used.length)),
    standardized.map((one) => dot(one, odds) / used.length),
  );
  const unexplained = odds.map(
    (it, row) => it - level - solved.reduce((sum, weight, at) => sum + weight * (standardized[at]?.[row] ?? 0), 0),
  );
  const error = Math.sqrt(dot(unexplained, unexplained) / used.length);
  if (!(error <= UNEXPLAINED_MAX * (isNumber ? scale : 1))) {
    return unknown(`Its ${isNumber ? 'scores' : 'log odds'} are no weighted sum of the columns.`);
  }

  const columns: Weight[] = Array.from({ length: width }, () => ({ weight: null, perDeviation: null }));
  let bias = level;
  for (const [at, column] of changing.entries()) {
    const { mean, deviation } = spreads[column] ?? NO_SPREAD;
    const perDeviation = solved[at] ?? 0;
    columns[column] = { weight: perDeviation / deviation, perDeviation };
    bias -= (perDeviation / deviation) * mean;
  }
  return { isLinear: true, rows: used.length, bias, columns };
}

const NO_SPREAD = { mean: 0, deviation: 1 };

function spreadOf(values: readonly number[] | Float64Array) {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  // What is left of equal values is rounding.
  const deviation = Math.sqrt(variance);
  return { mean, deviation: deviation > 1e-12 * Math.max(1, Math.abs(mean)) ? deviation : 0 };
}

const logOdds = (score: number): number => Math.log(score / (1 - score));

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += (one[at] ?? 0) * (other[at] ?? 0);
  return sum;
}

/** Solves symmetric positive equations by Cholesky's decomposition. */
function solve(matrix: readonly number[][], right: readonly number[]): number[] {
  const lower: number[][] = [];
  const sumTo = (one: readonly number[], other: readonly number[], end: number) => {
    let sum = 0;
    for (let at = 0; at < end; at += 1) sum += (one[at] ?? 0) * (other[at] ?? 0);
    return sum;
  };
  for (const [row, values] of matrix.entries()) {
    const line: number[] = [];
    lower.push(line);
    for (let column = 0; column < row; column += 1) {
      const other = lower[column] ?? [];
      line.push(((values[column] ?? 0) - sumTo(line, other, column)) / (other[column] ?? 1));
    }
    line.push(Math.sqrt(Math.max((values[row] ?? 0) + RIDGE - sumTo(line, line, row), RIDGE)));
  }
  const forward: number[] = [];
  for (const [row, line] of lower.entries()) {
    forward.push(((right[row] ?? 0) - sumTo(line, forward, row)) / (line[row] ?? 1));
  }
  const solution = forward.map(() => 0);
  for (let row = solution.length - 1; row >= 0; row -= 1) {
    let sum = forward[row] ?? 0;
    for (let below = row + 1; below < solution.length; below += 1) {
      sum -= (lower[below]?.[row] ?? 0) * (solution[below] ?? 0);
    }
    solution[row] = sum / (lower[row]?.[row] ?? 1);
  }
  return solution;
}
