import type { EpochState, TrainingInFlight } from '../state/epochs.ts';
import { byClass, classesText, type LabelCounts } from '../state/label-ledger.ts';

/** When to retrain: pure functions from what is known to a decision and the sentence that explains it. */

/** Longest pause between two attempts, in seconds: a failure that needs a person should not train all night. */
export const RETRY_BACKOFF_SECONDS_MAX = 6 * 3_600;

/** Pause after a training, in seconds: an hour at least, a day at most, and in between a second for every 100 rows of its set. */
const COOL_DOWN_SECONDS_MIN = 3_600;
const COOL_DOWN_SECONDS_MAX = 24 * 3_600;
const ROWS_PER_COOL_DOWN_SECOND = 100;

export interface RetrainingPolicy {
  /** Distinct records labeled since the last training that make the next one due. */
  readonly labelsThreshold: number;
  /** Of those, at least so many in each class. */
  readonly labelsPerClassMin: number;
  /** Pause after a finished training. `auto`: it grows with the size of the training set. */
  readonly coolDownSeconds: number | 'auto';
  /** Age of the last training from which on a single new label is enough. */
  readonly stalenessMaxSeconds: number;
  /** Pause after the first failed attempt at an epoch. It doubles with each further one. */
  readonly retryBackoffSeconds: number;
  /** Attempts at an epoch, after the last of which it is given up. */
  readonly attemptsMax: number;
}

/** Everything a decision rests on but the labels. */
export interface Circumstances {
  readonly state: EpochState;
  readonly policy: RetrainingPolicy;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Schema hash of the definition that is deployed, and of what serves, if anything does. */
  readonly schemas: { readonly defined: string; readonly serving?: string | undefined };
  /** Set when a person asks for a training, and why. */
  readonly asked?: string | undefined;
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
 * @returns undefined when the label counts decide.
 */
export function decideWithoutCounts(known: Circumstances): Decision | undefined {
  const { state, policy, now, asked } = known;
  const { epoch, training, failed, paused, lastTraining } = state;
  if (training) {
    return {
      decision: 'resume',
      training,
      reason: `Attempt ${training.attempt} at epoch ${training.epoch} is in flight: it is made sure that it runs.`,
    };
  }
  if (asked !== undefined) {
    const due = failed ? { epoch: failed.epoch, attempt: failed.attempt + 1 } : { epoch, attempt: 1 };
    return { decision: 'train', ...due, reason: `A person asks for it: ${asked}.` };
  }
  if (paused) {
    const reason = `The loop is paused since ${iso(paused.atMs)} (${paused.reason}): resume it, or ask for one training.`;
    return { decision: 'wait', reason };
  }
  if (failed) return failed.labelsAwaited === undefined ? decideOnFailure(failed, policy, now) : undefined;
  const { defined, serving } = known.schemas;
  // Once is enough: if that model was refused, new labels decide as ever.
  if (isSchemaChanged(known)) {
    const reason = `The definition is of schema ${defined}, and what serves of ${serving}.`;
    return { decision: 'train', epoch, attempt: 1, reason };
  }
  const coolUntil = coolUntilMs(lastTraining, policy) ?? now;
  if (now < coolUntil) {
    const size =
      policy.coolDownSeconds === 'auto' && lastTraining?.rows !== undefined ? ` of ${lastTraining.rows} rows` : '';
    return { decision: 'wait', reason: `The last training${size} is cooling down until ${iso(coolUntil)}.` };
  }
  return undefined;
}

/** Seconds of pause after a training of so many rows. */
export function coolDownSeconds(policy: Pick<RetrainingPolicy, 'coolDownSeconds'>, rows = 0): number {
  if (policy.coolDownSeconds !== 'auto') return policy.coolDownSeconds;
  const grown = Math.ceil(rows / ROWS_PER_COOL_DOWN_SECOND);
  return Math.min(COOL_DOWN_SECONDS_MAX, Math.max(COOL_DOWN_SECONDS_MIN, grown));
}

/** When the pause after the last training ends; undefined before the first. */
const coolUntilMs = (last: EpochState['lastTraining'], policy: RetrainingPolicy): number | undefined =>
  last && last.finishedAtMs + coolDownSeconds(policy, last.rows) * 1_000;

/** Whether a model of the definition's schema is due, because what serves is of another and none was trained yet. */
function isSchemaChanged({ schemas: { defined, serving }, state: { lastTraining } }: Circumstances): boolean {
  return serving !== undefined && serving !== defined && lastTraining?.schemaHash !== defined;
}

function decideOnFailure(failed: NonNullable<EpochState['failed']>, policy: RetrainingPolicy, now: number): Decision {
  const dueAt = failed.failedAtMs + backoffSeconds(failed.attempt, policy) * 1_000;
  const story = storyOf(failed);
  if (now < dueAt) return { decision: 'wait', reason: `${story}; the next is due at ${iso(dueAt)}.` };
  const { epoch, attempt } = failed;
  return { decision: 'train', epoch, attempt: attempt + 1, reason: `${story}; it is due again.` };
}

/**
 * Decides what to do now. The rules, in their order, are the names of this function's tests.
 *
 * @param known.counts labels that count towards the current epoch.
 */
export function decide(known: Circumstances & { readonly counts: LabelCounts }): Decision {
  const decided = decideWithoutCounts(known);
  if (decided) return decided;
  const { counts, state, policy, now } = known;
  const { epoch, lastTraining, failed } = state;
  const found = `Epoch ${epoch} has ${counts.total} newly labeled records${classesText(counts)}`;
  if (failed?.labelsAwaited !== undefined) {
    const story = `${storyOf(failed)}. ${found}`;
    if (counts.total < failed.labelsAwaited)
      return { decision: 'wait', reason: `${story}; ${failed.labelsAwaited} are awaited.` };
    const reason = `${story}; it is due again.`;
    return { decision: 'train', epoch: failed.epoch, attempt: failed.attempt + 1, reason };
  }
  if (counts.total === 0) return { decision: 'wait', reason: `${found}.` };
  const enough = counts.total >= policy.labelsThreshold;
  if (enough && Math.min(...byClass(counts).map(([, count]) => count)) >= policy.labelsPerClassMin) {
    return { decision: 'train', epoch, attempt: 1, reason: `${found}; ${policy.labelsThreshold} were awaited.` };
  }
  // The older labeled rows train too, so neither the threshold nor the classes of the new ones matter here.
  if (lastTraining && now - lastTraining.finishedAtMs >= policy.stalenessMaxSeconds * 1_000) {
    const since = iso(lastTraining.finishedAtMs);
    return { decision: 'train', epoch, attempt: 1, reason: `${found}; the last training is of ${since}, too old.` };
  }
  const awaited = enough ? `${policy.labelsPerClassMin} of each class` : `${policy.labelsThreshold}`;
  return { decision: 'wait', reason: `${found}; ${awaited} are awaited.` };
}

const storyOf = ({ epoch, attempt, error }: NonNullable<EpochState['failed']>) =>
  `Attempt ${attempt} at epoch ${epoch} failed (${error})`;

/** What the next training still lacks. */
export interface Missing {
  readonly labels: number;
  readonly perClass: Readonly<Record<string, number>>;
  /** Until when a pause lasts; null when there is none. */
  readonly notBefore: string | null;
}

/** What the next training lacks by the policy's threshold; staleness may start it earlier. */
export function missingTo({ counts, state, policy, now }: Parameters<typeof decide>[0]): Missing {
  const { failed, lastTraining } = state;
  const awaited = failed?.labelsAwaited;
  const short = (expected: number, found: number) => Math.max(0, expected - found);
  const coolUntil = coolUntilMs(lastTraining, policy) ?? now;
  const retryAt = failed && failed.failedAtMs + backoffSeconds(failed.attempt, policy) * 1_000;
  const dueAt = awaited === undefined ? (retryAt ?? coolUntil) : now;
  const perClass = (of: (count: number) => number) =>
    Object.fromEntries(byClass(counts).map(([label, count]) => [label, of(count)]));
  // A failed epoch has had its labels, unless they were too few.
  const enough = { labels: short(awaited ?? 0, counts.total), perClass: perClass(() => 0) };
  const lacks = {
    labels: short(policy.labelsThreshold, counts.total),
    perClass: perClass((count) => short(policy.labelsPerClassMin, count)),
  };
  return { ...(failed ? enough : lacks), notBefore: dueAt > now ? iso(dueAt) : null };
}

/** Pause after a failed attempt, in seconds: exponential, capped. */
export function backoffSeconds(failedAttempts: number, policy: RetrainingPolicy): number {
  return Math.min(policy.retryBackoffSeconds * 2 ** (failedAttempts - 1), RETRY_BACKOFF_SECONDS_MAX);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
