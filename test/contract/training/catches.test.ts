import { beforeAll, describe, expect, it } from 'vitest';
import { plan, run, type State, States, WAY_TO } from '../../given/retraining/state-machine-run.ts';

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
  const value = path === undefined ? undefined : plan[String(path).slice(2) as keyof typeof plan];
  return value === undefined ? {} : { failsFor: String(value) };
}

/** How many tasks before this one make the same call. */
function callsBefore(name: string, call: string): number {
  const names = caught.filter(([, it]) => it === call).map(([it]) => it);
  return names.indexOf(name);
}

/** States after which the epoch is closed: what fails there fails nothing. */
const AFTER_THE_CLOSE = ['FindAlarms', 'CleanUp', 'DeleteStaleAlarms'];

/** Every Catch of the definition, but those of what the tests below look at by themselves. */
const caught = Object.entries(States)
  .filter(([name, { Catch }]) => Catch && name !== 'DescribeEndpoint' && name !== 'PollEndpoint')
  .map(([name, state]) => [name, callOf(state)] as const);

describe('every Catch', () => {
  let runs: Map<string, ReturnType<typeof run>>;
  beforeAll(() => {
    // All at once: they wait more than they work.
    runs = new Map(
      caught.map(([name, failing]) => {
        const fails = {
          [failing]: 'AccessDeniedException',
          ...(name === 'ReopenEpoch' && { 'retrain judge': 'Broken' }),
        };
        return [name, run({ ...WAY_TO[name], fails, ...requestOf(States[name] ?? { Type: 'Task' }) })];
      }),
    );
  });

  it.each(caught)('of %s, when %s fails, leads where the epoch is not lost', async (name, failing) => {
    const { status, calls, reopened, error } = (await runs.get(name)) ?? (await run({}));
    expect(calls).toContain(failing.startsWith('retrain ') ? failing : failing.split(' ')[1]);
    if (AFTER_THE_CLOSE.includes(name)) {
      expect({ status, reopened }).toEqual({ status: 'SUCCEEDED', reopened: undefined });
    } else if (name === 'ReopenEpoch') {
      expect(status).toBe('FAILED');
    } else {
      expect(status).toBe('FAILED');
      expect(reopened?.error).toBe(error);
      expect(reopened?.cause).toContain('Injected fault');
      const reached = calls.filter((it) => it === (failing.startsWith('retrain ') ? failing : failing.split(' ')[1]));
      expect(reached.length, 'the tasks before it have made their calls').toBeGreaterThanOrEqual(
        callsBefore(name, failing),
      );
    }
  });

  it('of DescribeEndpoint takes an endpoint that is not there to be created', async () => {
    const { status, calls } = await run({});
    expect(status).toBe('SUCCEEDED');
    expect(calls).toContain('CreateEndpoint');
    expect(calls).not.toContain('UpdateEndpoint');
  });

  it('of DescribeEndpoint reopens the epoch when it is another error than that', async () => {
    const { calls, reopened } = await run({ fails: { 'sagemaker DescribeEndpoint': 'ResourceLimitExceeded' } });
    expect(reopened?.error).toBe('SageMaker.ResourceLimitExceededException');
    expect(calls).not.toContain('CreateEndpoint');
  });

  it('of PollEndpoint reopens the epoch when the endpoint has vanished', async () => {
    const { status, reopened } = await run({ endpoint: [['InService', 'old'], undefined] });
    expect(status).toBe('FAILED');
    expect(reopened?.cause).toContain('Could not find endpoint');
  });
});
