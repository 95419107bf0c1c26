/** Metrics of a binary classifier's scores, under the names SageMaker's linear-learner publishes them by. */

/** How many rows of each kind a threshold makes. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

export const accuracy = (it: Confusion) =>
  (it.truePositives + it.trueNegatives) / (it.truePositives + it.trueNegatives + it.falsePositives + it.falseNegatives);

/** Share of rows labeled 1 that are 1; 0 when none is labeled so. */
export const precision = (it: Confusion) => it.truePositives / Math.max(1, it.truePositives + it.falsePositives);

/** Share of rows that are 1 labeled so; 0 when there is none. */
export const recall = (it: Confusion) => it.truePositives / Math.max(1, it.truePositives + it.falseNegatives);

/** Weighted harmonic mean of precision and recall; `beta` says how many times recall matters more. */
export function fBeta(it: Confusion, beta: number): number {
  const weighted = (1 + beta * beta) * it.truePositives;
  return weighted === 0 ? 0 : weighted / (weighted + beta * beta * it.falseNegatives + it.falsePositives);
}

/** What labelling every score at or above `threshold` as 1 gives. */
export function confusionAt(scores: ArrayLike<number>, labels: Uint8Array, threshold: number): Confusion {
  const counts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  labels.forEach((label, row) => {
    const positive = (scores[row] ?? 0) >= threshold;
    if (positive) counts[label === 1 ? 'truePositives' : 'falsePositives'] += 1;
    else counts[label === 1 ? 'falseNegatives' : 'trueNegatives'] += 1;
  });
  return counts;
}

/**
 * Area under the ROC curve: the share of pairs of a positive and a negative row in which the positive one has the
 * higher score, an equal score counting half. Exact, from average ranks. Undefined for rows of one class only.
 */
export function rocAuc(scores: ArrayLike<number>, labels: Uint8Array): number | undefined {
  let positives = 0;
  let rankSum = 0;
  let ranked = 0;
  for (const tie of byDescendingScore(scores, labels).reverse()) {
    rankSum += tie.positives * (ranked + (tie.rows + 1) / 2);
    positives += tie.positives;
    ranked += tie.rows;
  }
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * The threshold whose labels are best by `criterion`. Of equally good ones it is the one nearest to 0.5, which is
 * 0.5 itself whenever that is as good as any.
 */
export function chooseThreshold(
  scores: ArrayLike<number>,
  labels: Uint8Array,
  criterion: (confusion: Confusion) => number,
): number {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const ties = byDescendingScore(scores, labels);
  let best = { value: Number.NEGATIVE_INFINITY, threshold: 0.5 };
  let truePositives = 0;
  let falsePositives = 0;
  // Cut number `i` labels the first `i` ties 1: its thresholds lie above the next score, up to the last one labeled.
  for (let cut = 0; cut <= ties.length; cut += 1) {
    const labeled = ties[cut - 1];
    truePositives += labeled?.positives ?? 0;
    falsePositives += labeled ? labeled.rows - labeled.positives : 0;
    const value = criterion({
      truePositives,
      falsePositives,
      falseNegatives: positives - truePositives,
      trueNegatives: labels.length - positives - falsePositives,
    });
    const threshold = nearestToHalf(ties[cut]?.score ?? 0, labeled?.score ?? 1);
    const closer = Math.abs(threshold - 0.5) < Math.abs(best.threshold - 0.5);
    if (value > best.value || (value === best.value && closer)) best = { value, threshold };
  }
  return best.threshold;
}

/** A threshold above `low` and not above `high`: 0.5 if it is one, else the middle of the two. */
function nearestToHalf(low: number, high: number): number {
  return low < 0.5 && 0.5 <= high ? 0.5 : (low + high) / 2;
}

/** Rows of equal score together, highest score first. */
function byDescendingScore(scores: ArrayLike<number>, labels: Uint8Array) {
  const order = Array.from(labels.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const ties: { score: number; rows: number; positives: number }[] = [];
  for (const row of order) {
    const score = scores[row] ?? 0;
    const last = ties.at(-1);
    if (last?.score === score) {
      last.rows += 1;
      last.positives += labels[row] ?? 0;
    } else {
      ties.push({ score, rows: 1, positives: labels[row] ?? 0 });
    }
  }
  return ties;
}
