import type { Pace } from '../../shared/calls/pace.ts';

/** Time that is patient and costs none: `overrides` shows what a test is about. */
export function pace(overrides: Partial<Pace> = {}): Pace {
  return {
    now: () => 0,
    sleep: async () => {},
    random: () => 0,
    deadline: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    abortIn: () => new AbortController().signal,
    ...overrides,
  };
}

/** Time that passes by sleeping, and by `waitFor`, from a moment on (epoch milliseconds). */
export function passingTime(startMs: number) {
  let nowMs = startMs;
  const waitFor = (ms: number) => {
    nowMs += ms;
  };
  return { time: pace({ now: () => nowMs, sleep: async (ms) => waitFor(ms) }), waitFor };
}
