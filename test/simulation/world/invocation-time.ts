import { setMaxListeners } from 'node:events';
import type { Time } from '../../../shared/calls/pace.ts';
import type { Invocation } from '../aws/lambda.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * Time as an invocation sees it: by its own clock, and standing still once it is dead.
 *
 * @param clockFactor how many times further than usual its clock is off.
 */
export function invocationTime(scheduler: Scheduler, random: Random, invocation: Invocation, clockFactor = 1): Time {
  const off = invocation.clockOffsetMs * clockFactor;
  return {
    now: () => Math.floor(scheduler.now + off),
    sleep: (ms) => (invocation.alive ? scheduler.sleep(ms) : new Promise(() => {})),
    random: () => random.next(),
    abortIn(ms) {
      const controller = new AbortController();
      setMaxListeners(0, controller.signal);
      scheduler.wake(ms, () => controller.abort());
      return controller.signal;
    },
  };
}
