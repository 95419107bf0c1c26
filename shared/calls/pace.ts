import pLimit from 'p-limit';

/** Time as the code around the sinks sees it: what a Lambda invocation has left, and how to wait. */
export interface Pace {
  /** Epoch milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** 0 to 1, for the jitter of backoff. */
  random(): number;
  /** Epoch milliseconds after which no new work is begun, so that the batch is answered rather than timed out. */
  readonly deadline: number;
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
