import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../protocol/arn.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3_600, day: 86_400 };

/**
 * Milliseconds of a rate expression of EventBridge, such as `rate(5 minutes)`.
 *
 * @throws Error for any other expression: the local cloud keeps no calendar for cron.
 */
export function rateMillis(expression: string): number {
  const [, value = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const seconds = Number(value) * (UNIT_SECONDS[unit] ?? 0);
  if (seconds > 0) return seconds * 1_000;
  throw new Error(`The local cloud takes schedules such as rate(5 minutes), not ${expression}.`);
}

/**
 * Invokes a function at a fixed rate, first after one interval, as EventBridge does. One that fails is reported; the
 * next still comes.
 *
 * @returns stops it, after the invocation that is running.
 */
export function startSchedule(
  expression: string,
  invoke: (payload: string) => Promise<unknown>,
  report: (problem: string) => void,
): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    running = running
      .then(() => invoke(JSON.stringify(scheduledEvent(new Date()))))
      .catch((error: Error) => report(`schedule ${expression}: ${error.message}`));
  }, rateMillis(expression));
  return async () => {
    clearInterval(timer);
    await running;
  };
}

function scheduledEvent(now: Date) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: ACCOUNT,
    time: `${now.toISOString().slice(0, 19)}Z`,
    region: REGION,
    resources: [],
    detail: {},
  };
}
