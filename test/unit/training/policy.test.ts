import { describe, expect, test } from 'vitest';
import type { EpochState } from '../../../shared/state/epochs.ts';
import type { LabelCounts } from '../../../shared/state/label-ledger.ts';
import {
  backoffSeconds,
  type Circumstances,
  decide,
  decideWithoutCounts,
  missingTo,
  RETRY_BACKOFF_SECONDS_MAX,
  type RetrainingPolicy,
} from '../../../shared/training/policy.ts';

const NOW = Date.UTC(2026, 0, 15, 12);
const HOUR_MS = 3_600_000;

const policy: RetrainingPolicy = {
  labelsThreshold: 1_000,
  labelsPerClassMin: 50,
  coolDownSeconds: 3_600,
  stalenessMaxSeconds: 7 * 86_400,
  retryBackoffSeconds: 60,
  attemptsMax: 5,
};

const labels = (zeros: number, ones: number): LabelCounts => ({ total: zeros + ones, 0: zeros, 1: ones });
const trainedHoursAgo = (hours: number): EpochState['lastTraining'] => ({
  epoch: 2,
  attempt: 1,
  finishedAtMs: NOW - hours * HOUR_MS,
});
const circumstances = (state: Partial<EpochState> = {}): Circumstances => ({
  ...{ state: { epoch: 3, ...state }, policy, now: NOW, schemas: { defined: 'a', serving: 'a' } },
});
const decideOn = (counts: LabelCounts, state: Partial<EpochState> = {}, more: Partial<Circumstances> = {}) =>
  decide({ ...circumstances(state), ...more, counts });

const training = { epoch: 2, attempt: 1, executionName: 'g-epoch-2-attempt-1', claimedAtMs: NOW, input: '{}' };
const failed = (attempt: number, secondsAgo: number): EpochState['failed'] => ({
  epoch: 2,
  attempt,
  failedAtMs: NOW - secondsAgo * 1_000,
  error: 'States.TaskFailed',
  cause: '',
});

describe('the decision to retrain', () => {
  test('looks at every class of several, and at none of labels that are numbers', () => {
    expect(decideOn({ total: 5_000, 0: 2_475, 1: 2_475, 2: 50 }).decision).toBe('train');
    const short = decideOn({ total: 5_000, 0: 2_476, 1: 2_475, 2: 49 });
    expect(short.decision).toBe('wait');
    expect(short.reason).toContain('(2476 of class 0, 2475 of class 1, 49 of class 2)');
    const numbers = decideOn({ total: 1_000 });
    expect(numbers).toMatchObject({ decision: 'train' });
    expect(numbers.reason).toContain('has 1000 newly labeled records; ');
    expect(missingTo({ ...circumstances(), counts: { total: 1, 0: 1, 1: 0, 2: 0 } }).perClass).toEqual({
      ...{ 0: 49, 1: 50, 2: 50 },
    });
    expect(missingTo({ ...circumstances(), counts: { total: 1 } })).toMatchObject({ labels: 999, perClass: {} });
  });

  test('waits below the threshold of newly labeled records', () => {
    expect(decideOn(labels(900, 99)).decision).toBe('wait');
  });

  test('trains the current epoch at the threshold', () => {
    expect(decideOn(labels(900, 100))).toMatchObject({ decision: 'train', epoch: 3, attempt: 1 });
  });

  test('waits while a class has fewer labels than the minimum per class', () => {
    expect(decideOn(labels(5_000, 49)).decision).toBe('wait');
    expect(decideOn(labels(49, 5_000)).decision).toBe('wait');
    expect(decideOn(labels(5_000, 50)).decision).toBe('train');
  });

  test('waits until the last finished training has cooled down', () => {
    expect(decideOn(labels(900, 100), { lastTraining: trainedHoursAgo(0.99) }).decision).toBe('wait');
    expect(decideOn(labels(900, 100), { lastTraining: trainedHoursAgo(1) }).decision).toBe('train');
  });

  test('trains with fewer labels, and of one class, when the last training is too old', () => {
    expect(decideOn(labels(1, 0), { lastTraining: trainedHoursAgo(7 * 24) }).decision).toBe('train');
    expect(decideOn(labels(1, 0), { lastTraining: trainedHoursAgo(7 * 24 - 0.01) }).decision).toBe('wait');
  });

  test('does not train without a new label, however old the last training', () => {
    expect(decideOn(labels(0, 0), { lastTraining: trainedHoursAgo(1_000) }).decision).toBe('wait');
  });

  test('has no staleness before the first training', () => {
    expect(decideOn(labels(10, 10)).decision).toBe('wait');
  });

  test('has one training in flight at a time, and makes sure that it runs', () => {
    expect(decideOn(labels(9_000, 9_000), { training })).toMatchObject({ decision: 'resume', training });
  });

  test('pauses after a failure, whatever the labels', () => {
    expect(decideOn(labels(9_000, 9_000), { failed: failed(1, 59) }).decision).toBe('wait');
  });

  test('makes the next attempt at the failed epoch after the pause, whatever the labels', () => {
    expect(decideOn(labels(0, 0), { failed: failed(1, 60) })).toMatchObject({
      decision: 'train',
      epoch: 2,
      attempt: 2,
    });
  });

  test('a failed epoch is due again even while the last training cools down', () => {
    const state = { failed: failed(1, 60), lastTraining: trainedHoursAgo(0.5) };
    expect(decideOn(labels(0, 0), state)).toMatchObject({ decision: 'train', epoch: 2 });
  });

  test('doubles the pause with every failed attempt, up to a limit', () => {
    expect([1, 2, 3, 4].map((attempts) => backoffSeconds(attempts, policy))).toEqual([60, 120, 240, 480]);
    expect(backoffSeconds(40, policy)).toBe(RETRY_BACKOFF_SECONDS_MAX);
    expect(backoffSeconds(5_000, policy)).toBe(RETRY_BACKOFF_SECONDS_MAX);
  });

  test.each([
    ['an hour', 300_000, 1],
    ['a second for every 100 rows', 3_600_000, 10],
    ['a day', 100_000_000, 24],
  ])('cools down by auto for %s after %i rows', (_, rows, hours) => {
    const auto = { ...policy, coolDownSeconds: 'auto' as const };
    const hoursLater = (passed: number) => {
      const state = { lastTraining: { epoch: 2, attempt: 1, finishedAtMs: NOW - passed * HOUR_MS, rows } };
      return decideOn(labels(900, 100), state, { policy: auto });
    };
    expect(hoursLater(hours - 0.01)).toMatchObject({
      decision: 'wait',
      reason: expect.stringContaining(`of ${rows} rows`),
    });
    expect(hoursLater(hours)).toMatchObject({ decision: 'train' });
  });

  test('needs no count while a training is in flight, paused or cooling down, and needs one otherwise', () => {
    const undecided = (state: Partial<EpochState>) => decideWithoutCounts(circumstances(state));
    expect(undecided({ training })?.decision).toBe('resume');
    expect(undecided({ failed: failed(1, 1) })?.decision).toBe('wait');
    expect(undecided({ lastTraining: trainedHoursAgo(0.5) })?.decision).toBe('wait');
    expect(undecided({ lastTraining: trainedHoursAgo(2) })).toBeUndefined();
    expect(undecided({})).toBeUndefined();
  });

  test('explains itself with the numbers it was made on', () => {
    expect(decideOn(labels(900, 99)).reason).toBe(
      'Epoch 3 has 999 newly labeled records (900 of class 0, 99 of class 1); 1000 are awaited.',
    );
    expect(decideOn(labels(5_000, 49)).reason).toContain('50 of each class are awaited');
  });
});

describe('what the next training lacks', () => {
  const missing = (counts: LabelCounts, state: Partial<EpochState> = {}) =>
    missingTo({ ...circumstances(state), counts });

  test('is labels up to the threshold and to the minimum per class, and no less than none', () => {
    expect(missing(labels(900, 40))).toEqual({ labels: 60, perClass: { 0: 0, 1: 10 }, notBefore: null });
    expect(missing(labels(10, 5_000))).toEqual({ labels: 0, perClass: { 0: 40, 1: 0 }, notBefore: null });
  });

  test('is a pause after the last training, as long as it lasts', () => {
    const since = (hours: number) => missing(labels(900, 100), { lastTraining: trainedHoursAgo(hours) }).notBefore;
    expect([since(0.5), since(1), since(2)]).toEqual([new Date(NOW + 0.5 * HOUR_MS).toISOString(), null, null]);
  });

  test('is a longer pause after each failed attempt, and no label', () => {
    expect(missing(labels(0, 0), { failed: failed(1, 10) })).toEqual({
      ...{ labels: 0, perClass: { 0: 0, 1: 0 } },
      notBefore: new Date(NOW + 50_000).toISOString(),
    });
    expect(missing(labels(0, 0), { failed: failed(2, 10) }).notBefore).toBe(new Date(NOW + 110_000).toISOString());
  });

  test('is the labels that a failed attempt waits for, and no time', () => {
    const awaiting = { ...failed(1, 10), labelsAwaited: 30 } as EpochState['failed'];
    expect(missing(labels(10, 5), { failed: awaiting })).toEqual({
      ...{ labels: 15, perClass: { 0: 0, 1: 0 } },
      notBefore: null,
    });
  });
});
