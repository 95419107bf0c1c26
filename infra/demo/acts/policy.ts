import type { Customer } from '../customers/customers.ts';
import { seededRandom } from '../customers/random.ts';
import type { RetrainingPlan } from '../stage/cast.ts';

/** Share of the customers whose labels set off a training, unless `--threshold` says: two trainings and a rest. */
const THRESHOLD_SHARE = 0.45;

/** Least labels of each class in an epoch that the demo asks for, where the customers have as many. */
const LABELS_PER_CLASS_MIN = 50;

/**
 * Plans the trainings: calls end in an order of their own, not in the file's, and every `threshold` labels are an epoch.
 *
 * @throws Error with one sentence when the threshold would not be crossed twice, or an epoch would have one class only.
 */
export function planRetraining(
  customers: readonly Customer[],
  seed: number,
  threshold = Math.floor(customers.length * THRESHOLD_SHARE),
): RetrainingPlan {
  const thresholdMax = Math.floor(customers.length / 2);
  if (threshold > thresholdMax) {
    throw new Error(
      `--threshold: found ${threshold}, expected at most ${thresholdMax}, half of the ${customers.length} records, so that it is crossed twice.`,
    );
  }
  const labeled = shuffle(customers, seed);
  let labelsPerClassMin = LABELS_PER_CLASS_MIN;
  for (let at = 0; at + threshold <= labeled.length; at += threshold) {
    const positives = labeled.slice(at, at + threshold).filter(({ label }) => label === '1').length;
    labelsPerClassMin = Math.min(labelsPerClassMin, positives, threshold - positives);
  }
  if (labelsPerClassMin === 0) {
    throw new Error(
      `Of ${threshold} labels in a row all are alike, and a model needs both: take more records (--rows), a higher --threshold or another --seed.`,
    );
  }
  return { threshold, labelsPerClassMin, labeled };
}

/** Fisher and Yates' shuffle. */
function shuffle<T>(all: readonly T[], seed: number): T[] {
  const shuffled = [...all];
  const random = seededRandom(seed);
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random.uniform() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}
