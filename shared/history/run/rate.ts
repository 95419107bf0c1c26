import { errorCode, isThrottling } from '../../calls/failure.ts';
import type { Time } from '../../calls/pace.ts';
import type { OnlineStore } from '../../online-store/online-store.ts';

/** A rate is halved at most so often, in milliseconds, and to this part of what it may be at most. */
const HALVED_EVERY_MS = 1_000;
const LEAST_PART = 1 / 64;
/** By what part of the most it grows in a second without throttling. */
const GROWTH_PER_SECOND = 1 / 64;
/** Rows may be written in advance for this long, in milliseconds. */
const BURST_MS = 1_000;

/** Rows a second, as the service takes them. */
export interface Rate {
  /** Waits until so many more rows may have been written. */
  written(rows: number): Promise<void>;
  /** The service has refused something because it was too much. */
  throttled(): void;
  /** Rows a second now. */
  readonly now: number;
}

/**
 * A rate that adapts: halved when the service throttles, and slowly more after that. Workers who share a quota end with
 * like shares of it so, and none has to know of the others.
 *
 * @param most rows a second at most.
 */
export function adaptiveRate(most: number, time: Time): Rate {
  let now = most;
  let dueMs = time.now();
  let changedMs = time.now();
  return {
    get now() {
      return now;
    },
    throttled() {
      const nowMs = time.now();
      if (now < most && nowMs - changedMs < HALVED_EVERY_MS) return;
      now = Math.max(most * LEAST_PART, now / 2);
      changedMs = nowMs;
    },
    async written(rows) {
      const nowMs = time.now();
      if (now < most) {
        now = Math.min(most, now + (most * GROWTH_PER_SECOND * Math.max(0, nowMs - changedMs)) / 1_000);
        changedMs = nowMs;
      }
      dueMs = Math.max(dueMs, nowMs - BURST_MS) + (rows / now) * 1_000;
      const waitMs = Math.ceil(dueMs - nowMs);
      if (waitMs > 0) await time.sleep(waitMs);
    },
  };
}

/** The same online store, which tells when it throttles. */
export function tellingThrottles(onlineStore: OnlineStore, onThrottled: () => void): OnlineStore {
  const told = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (isThrottling(errorCode(error))) onThrottled();
      throw error;
    }
  };
  return {
    begin: () => onlineStore.begin(),
    delete: (change, signal) => told(onlineStore.delete(change, signal)),
    async batchWrite(changes, signal) {
      const answer = await told(onlineStore.batchWrite(changes, signal));
      // Entries are left unprocessed when they are too much.
      if ((answer.UnprocessedEntries ?? []).length > 0) onThrottled();
      return answer;
    },
  };
}
