import pLimit from 'p-limit';
import { describeError, errorCode, isThrottling } from './failure.ts';

/** Time, and how to wait. */
export interface Time {
  /** Epoch milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** 0 to 1, for the jitter of backoff. */
  random(): number;
  /** Aborts in so many milliseconds. */
  abortIn(ms: number): AbortSignal;
}

/** Time as the code around the sinks sees it: with what a Lambda invocation has left. */
export interface Pace extends Time {
  /** Epoch milliseconds after which no new work is begun, so that the batch is answered rather than timed out. */
  readonly deadline: number;
  /**
   * Aborts at the deadline; every call is made with it. A call that was begun just before would otherwise take as long
   * as its time limits and repetitions allow, and one whose body never ends would take for ever.
   */
  readonly signal: AbortSignal;
}

/** Time up to a deadline, in epoch milliseconds. */
export function paceUntil(time: Time, deadline: number): Pace {
  return { ...time, deadline, signal: time.abortIn(Math.max(0, deadline - time.now())) };
}

/** First wait between two attempts, and the longest, in milliseconds. */
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 2_000;

/**
 * Attempts `items` until none is left or the time is up: each attempt answers which ones are still to be done. Waits in
 * between grow exponentially with full jitter, so that throttled writers do not come back together.
 *
 * @returns what was not done in time.
 */
export async function retryUntilDeadline<T>(
  items: readonly T[],
  pace: Pace,
  attempt: (items: readonly T[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  let left = items;
  for (let wait = BACKOFF_FIRST_MS; left.length > 0; wait = Math.min(wait * 2, BACKOFF_MAX_MS)) {
    if (pace.now() >= pace.deadline) return left;
    left = await attempt(left);
    if (left.length === 0) break;
    const pause = Math.ceil(wait * pace.random());
    if (pace.now() + pause >= pace.deadline) return left;
    await pace.sleep(pause);
  }
  return left;
}

/**
 * Runs work on each item with bounded concurrency that adapts: halved when the service throttles, one more after each
 * full round without. `work` answers whether it was throttled.
 */
export async function withAdaptiveConcurrency<T>(
  items: readonly T[],
  concurrencyMax: number,
  work: (item: T) => Promise<'ok' | 'throttled'>,
): Promise<void> {
  const limit = pLimit(concurrencyMax);
  let calm = 0;
  await limit.map(items, async (item) => {
    if ((await work(item)) === 'throttled') {
      limit.concurrency = Math.max(1, Math.floor(limit.concurrency / 2));
      calm = 0;
      return;
    }
    calm += 1;
    if (calm >= limit.concurrency && limit.concurrency < concurrencyMax) {
      limit.concurrency += 1;
      calm = 0;
    }
  });
}

/** What was not done in time, and why: the last error, or that the time was up. */
export interface Unfinished<T> {
  readonly item: T;
  readonly message: string;
}

/** What is left of an item that was done in part, and why. */
export interface Rest<T> {
  readonly item: T;
  readonly message: string;
  readonly isThrottled: boolean;
}

/** What a service has left unprocessed, as it was too much. */
export const unprocessed = <T>(item: T): Rest<T> => ({ item, message: 'left unprocessed', isThrottled: true });

/** How {@link untilDeadline} works. `C` is what each round of attempts begins with. */
interface Rounds<C> {
  readonly pace: Pace;
  readonly concurrencyMax: number;
  /** Prepares a round. Whatever it throws fails the round's items, which are tried again in the next. */
  readonly begin?: () => Promise<C>;
}

/**
 * Does each item, again and again with backoff, until all are done or the time is up; nothing is begun after the
 * deadline. `work` throws when an item is to be tried again, or answers the part of it that is left.
 *
 * @returns what was not done, each with its last error.
 */
export async function untilDeadline<T, C = undefined>(
  items: readonly T[],
  { pace, concurrencyMax, begin }: Rounds<C>,
  work: (item: T, prepared: C) => Promise<Rest<T> | undefined>,
): Promise<Unfinished<T>[]> {
  const messages = new Map<T, string>();
  const left = await retryUntilDeadline(items, pace, async (pending) => {
    const again: T[] = [];
    const fail = (item: T, error: unknown) => {
      messages.set(item, describeError(error));
      again.push(item);
      return isThrottling(errorCode(error)) ? 'throttled' : 'ok';
    };
    let prepared: C;
    try {
      prepared = (await begin?.()) as C;
    } catch (error) {
      for (const item of pending) fail(item, error);
      return again;
    }
    await withAdaptiveConcurrency(pending, concurrencyMax, async (item) => {
      if (pace.now() >= pace.deadline) {
        again.push(item);
        return 'ok';
      }
      try {
        const rest = await work(item, prepared);
        if (rest === undefined) return 'ok';
        messages.set(rest.item, rest.message);
        again.push(rest.item);
        return rest.isThrottled ? 'throttled' : 'ok';
      } catch (error) {
        return fail(item, error);
      }
    });
    return again;
  });
  return left.map((item) => ({ item, message: messages.get(item) ?? 'no time left' }));
}
