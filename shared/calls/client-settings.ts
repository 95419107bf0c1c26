import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Time } from './pace.ts';

/**
 * A call that hangs would hold the batch until its deadline. The SDK has no time limits of its own: these are in
 * milliseconds, far above what the services take. `requestTimeout` ends with the answer's headers, `socketTimeout` holds
 * for its body too.
 */
export const CLIENT_SETTINGS = {
  requestHandler: {
    ...{ connectionTimeout: 1_000, requestTimeout: 5_000, socketTimeout: 5_000 },
    throwOnRequestTimeout: true,
  },
};

/** Time as it passes. */
export const systemTime: Time = {
  now: Date.now,
  sleep: (ms) => sleep(ms),
  random: Math.random,
  abortIn(ms) {
    const signal = AbortSignal.timeout(ms);
    // As many calls listen as are in flight.
    setMaxListeners(0, signal);
    return signal;
  },
};
