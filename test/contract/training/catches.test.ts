import { beforeAll, describe, expect, it } from 'vitest';
import { plan, run, SHARED_QUERY, type State, States, WAY_TO } from '../../given/retraining/state-machine-run.ts';

/** Every Catch of the deployed state machine, run. */

/** How a task's call is named in {@link World.fails}. */
function callOf({ Resource = '', Parameters }: State): string {
  const [service = '', action = ''] = Resource.replace(/^arn:aws:states:::(aws-sdk:)?/, '').split(':');
  if (service === 'lambda') return `retrain ${Parameters?.Payload?.action}`;
  const operation = action.replace(/\.sync$/, '');
  return `${service} ${operation.charAt(0).toUpperCase()}${operation.slice(1)}`;
}

/** What tells a task's request from those of other tasks that make the same call. */
function requestOf({ Parameters = {} }: State): { failsFor?: string } {
  const path = Parameters['QueryString.$'] ?? Parameters['TransformJobName.$'] ?? Parameters['AlarmName.$'];
  if (path === '$.champion.query') return { failsFor: SHARED_QUERY };
  const value = path === undefined ? undefined : plan[String(path).slice(2) as keyof typeof plan];
  return value === undefined ? {} : { failsFor: String(value) };
}

/** How many tasks before this one make the same call. */
function callsBefore(name: string, call: string): number {
  const names = caught.filter(([, it]) => it === call).map(([it]) => it);
  return names.indexOf(name);
}

/** States in which the attempt is over: what fails there fails nothing. */
const AFTERWARDS = ['FindAlarms', 'CleanUp', 'DeleteStaleAlarms', 'ConsiderNext'];

/** Every Catch of the definition, but those of what the tests below look at by themselves. */
const caught = Object.entries(States)
  .filter(([name, { Catch }]) => Catch && name !== 'PollEndpoint')
  .map(([name, state]) => [name, callOf(state)] as const);

describe('every Catch', () => {
  let runs: Map<string, ReturnType<typeof run>>;
  beforeAll(() => {
    // All at once: they wait more than they work.
    runs = new Map(
      caught.map(([name, failing]) => {
        const fails = {
          [failing]: 'AccessDeniedException',
          ...(name === 'FailAttempt' && { 'retrain judge': 'Broken' }),
        };
        return [name, run({ ...WAY_TO[name], fails, ...requestOf(States[name] ?? { Type: 'Task' }) })];
      }),
    );
  });

  it.each(caught)('of %s, when %s fails, leads where the epoch is not lost', async (name, failing) => {
    const { status, calls, failed, error } = (await runs.get(name)) ?? (await run({}));
    const call = failing.startsWith('retrain ') ? failing : failing.split(' ')[1];
    expect(calls).toContain(call);
    if (AFTERWARDS.includes(name)) {
      expect({ status, failed }).toEqual({ status: 'SUCCEEDED', failed: undefined });
    } else if (name === 'FailAttempt') {
      expect(status).toBe('FAILED');
    } else {
      expect(status).toBe('FAILED');
      expect(failed?.Error).toBe(error);
      expect(failed?.Cause).toContain('Injected fault');
      expect(calls, 'it is cleaned up after a failure too').toContain('retrain clean-up');
      const reached = calls.filter((it) => it === call);
      expect(reached.length, 'the tasks before it have made their calls').toBeGreaterThanOrEqual(
        callsBefore(name, failing),
      );
    }
  });

  it('of PollEndpoint fails the attempt when the endpoint has vanished', async () => {
    const { status, failed } = await run({ endpoint: [undefined] });
    expect(status).toBe('FAILED');
    expect(failed?.Cause).toContain('Could not find endpoint');
  });
});
