import type { EpochState, TrainingInFlight } from '../state/epochs.ts';
import type { LabelCounts } from '../state/label-ledger.ts';

/** When to retrain: pure functions from what is known to a decision and the sentence that explains it. */

/** Longest pause between two attempts, in seconds: a failure that needs a person should not train all night. */
export const RETRY_BACKOFF_SECONDS_MAX = 6 * 3_600;

export interface RetrainingPolicy {
  /** Distinct records labelled since the last training that make the next one due. */
  readonly labelsThreshold: number;
  /** Of those, at least so many in each class. */
  readonly labelsPerClassMin: number;
  /** Pause after a finished training. */
  readonly coolDownSeconds: number;
  /** Age of the last training from which on a single new label is enough. */
  readonly stalenessMaxSeconds: number;
  /** Pause after the first failed attempt at an epoch. It doubles with each further one. */
  readonly retryBackoffSeconds: number;
}

export type Decision = { readonly reason: string } & (
  | { readonly decision: 'wait' }
  /** Claim this epoch and start its training. */
  | { readonly decision: 'train'; readonly epoch: number; readonly attempt: number }
  /** Start the claimed training again, in case it was never started, or died. */
  | { readonly decision: 'resume'; readonly training: TrainingInFlight }
);

/**
 * What can be decided without counting labels. Counting reads the whole set of the epoch, so it is left for when the
 * count is what matters.
 *
 * @param now epoch milliseconds.
 * @returns undefined when the label counts decide.
 */
export function decideWithoutCounts(state: EpochState, policy: RetrainingPolicy, now: number): Decision | undefined {
  const { training, failed, lastTraining } = state;
  if (training) {
    return {
      decision: 'resume',
      training,
      reason: `Attempt ${training.attempt} at epoch ${training.epoch} is in flight: it is made sure that it runs.`,
    };
  }
  if (failed) {
    const dueAt = failed.failedAtMs + backoffSeconds(failed.attempt, policy) * 1_000;
    const story = `Attempt ${failed.attempt} at epoch ${failed.epoch} failed (${failed.error})`;
    if (now < dueAt) return { decision: 'wait', reason: `${story}; the next is due at ${iso(dueAt)}.` };
    return {
      decision: 'train',
      epoch: failed.epoch,
      attempt: failed.attempt + 1,
      reason: `${story}; it is due again.`,
    };
  }
  const coolUntil = lastTraining ? lastTraining.finishedAtMs + policy.coolDownSeconds * 1_000 : now;
  if (now < coolUntil)
    return { decision: 'wait', reason: `The last training is cooling down until ${iso(coolUntil)}.` };
  return undefined;
}

/** Decides what to do now. The rules, in their order, are the names of this function's tests. */
export function decide(known: {
  /** Records labelled in the current epoch. */
  readonly counts: LabelCounts;
  readonly state: EpochState;
  readonly policy: RetrainingPolicy;
  /** Epoch milliseconds. */
  readonly now: number;
}): Decision {
  const { counts, state, policy, now } = known;
  const decided = decideWithoutCounts(state, policy, now);
  if (decided) return decided;
  const { epoch, lastTraining } = state;
  const found = `Epoch ${epoch} has ${counts.total} newly labelled records (${counts[0]} of class 0, ${counts[1]} of class 1)`;
  if (counts.total === 0) return { decision: 'wait', reason: `${found}.` };
  const enough = counts.total >= policy.labelsThreshold;
  if (enough && Math.min(counts[0], counts[1]) >= policy.labelsPerClassMin) {
    return { decision: 'train', epoch, attempt: 1, reason: `${found}; ${policy.labelsThreshold} were awaited.` };
  }
  // The older labelled rows train too, so neither the threshold nor the classes of the new ones matter here.
  if (lastTraining && now - lastTraining.finishedAtMs >= policy.stalenessMaxSeconds * 1_000) {
    const since = iso(lastTraining.finishedAtMs);
    return { decision: 'train', epoch, attempt: 1, reason: `${found}; the last training is of ${since}, too old.` };
  }
  const awaited = enough ? `${policy.labelsPerClassMin} of each class` : `${policy.labelsThreshold}`;
  return { decision: 'wait', reason: `${found}; ${awaited} are awaited.` };
}

/** What the next training still lacks. */
export interface Missing {
  readonly labels: number;
  readonly perClass: { readonly 0: number; readonly 1: number };
  /** Until when a pause lasts; null when there is none. */
  readonly notBefore: string | null;
}

/** What the next training lacks by the policy's threshold; staleness may start it earlier. */
export function missingTo({ counts, state, policy, now }: Parameters<typeof decide>[0]): Missing {
  const { failed, lastTraining } = state;
  const short = (expected: number, found: number) => Math.max(0, expected - found);
  const coolUntil = lastTraining ? lastTraining.finishedAtMs + policy.coolDownSeconds * 1_000 : now;
  const dueAt = failed ? failed.failedAtMs + backoffSeconds(failed.attempt, policy) * 1_000 : coolUntil;
  const enough = { labels: 0, perClass: { 0: 0, 1: 0 } };
  const lacks = {
    labels: short(policy.labelsThreshold, counts.total),
    perClass: {
      0: short(policy.labelsPerClassMin, counts[0]),
      1: short(policy.labelsPerClassMin, counts[1]),
    },
  };
  // A failed epoch has had its labels.
  return { ...(failed ? enough : lacks), notBefore: dueAt > now ? iso(dueAt) : null };
}

/** Pause after a failed attempt, in seconds: exponential, capped. */
export function backoffSeconds(failedAttempts: number, policy: RetrainingPolicy): number {
  return Math.min(policy.retryBackoffSeconds * 2 ** (failedAttempts - 1), RETRY_BACKOFF_SECONDS_MAX);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
