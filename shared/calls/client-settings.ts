import { setTimeout as sleep } from 'node:timers/promises';
import type { Time } from './pace.ts';

/**
 * A call that hangs would hold the batch until Lambda ends the invocation. The SDK has no time limits of its own:
 * these are in milliseconds, far above what the services take.
 */
export const CLIENT_SETTINGS = {
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
};

/** Time as it passes. */
export const systemTime: Time = {
  now: Date.now,
  sleep: (ms) => sleep(ms),
  random: Math.random,
};
