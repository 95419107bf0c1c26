import { describe, expect, it } from 'vitest';
import { adaptiveRate, tellingThrottles } from '../../../shared/history/run/rate.ts';
import type { OnlineStore } from '../../../shared/online-store/online-store.ts';
import { passingTime } from '../../given/pace.ts';

function given(most: number) {
  const { time, waitFor } = passingTime(0);
  return { rate: adaptiveRate(most, time), time, waitFor };
}

describe('the rate of a backfill', () => {
  it('is what was asked for, but for a second of rows in advance', async () => {
    const { rate, time } = given(100);
    for (let chunk = 0; chunk < 10; chunk += 1) await rate.written(100);
    expect(time.now()).toBe(10_000);
  });

  it('is halved once a second while the service throttles, and not below a part of it', async () => {
    const { rate, waitFor } = given(640);
    rate.throttled();
    rate.throttled();
    expect(rate.now).toBe(320);
    for (let second = 0; second < 20; second += 1) {
      waitFor(1_000);
      rate.throttled();
    }
    expect(rate.now).toBe(10);
  });

  it('grows again, a part of the most each second, and never beyond', async () => {
    const { rate, waitFor } = given(640);
    rate.throttled();
    waitFor(10_000);
    await rate.written(0);
    expect(rate.now).toBe(420);
    waitFor(60_000);
    await rate.written(0);
    expect(rate.now).toBe(640);
  });

  it('two that share a quota end with like shares of it', async () => {
    const rates = [given(1_000), given(1_000)].map(({ rate, waitFor }) => ({ rate, waitFor }));
    rates[1]?.rate.throttled();
    for (let second = 0; second < 600; second += 1) {
      const asked = rates.reduce((sum, { rate }) => sum + rate.now, 0);
      for (const { rate, waitFor } of rates) {
        waitFor(1_001);
        if (asked > 1_000) rate.throttled();
        else await rate.written(0);
      }
    }
    const [one = 0, other = 0] = rates.map(({ rate }) => rate.now);
    expect(Math.abs(one - other)).toBeLessThan(50);
    expect(one + other).toBeGreaterThan(500);
  });
});

describe('an online store that tells when it throttles', () => {
  const store = (batchWrite: OnlineStore['batchWrite']): OnlineStore => ({
    begin() {},
    batchWrite,
    delete: async () => {},
  });
  const failing = (name: string) => store(async () => Promise.reject(Object.assign(new Error('no'), { name })));
  const told = async (onlineStore: OnlineStore) => {
    let count = 0;
    const telling = tellingThrottles(onlineStore, () => {
      count += 1;
    });
    await telling.batchWrite([], new AbortController().signal).catch(() => {});
    return count;
  };

  it('tells of a refusal and of entries that are left, and of no other error', async () => {
    expect(await told(failing('ThrottlingException'))).toBe(1);
    expect(await told(store(async () => ({ Errors: [], UnprocessedEntries: [{} as never] })))).toBe(1);
    expect(await told(failing('AccessDeniedException'))).toBe(0);
    expect(await told(store(async () => ({ Errors: [], UnprocessedEntries: [] })))).toBe(0);
  });
});
