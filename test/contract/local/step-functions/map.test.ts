import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIST, localMap, mapping, processor, reader, work } from '../../../given/local/distributed-map.ts';
import { MACHINE } from '../../../given/local/step-functions.ts';

let states: Awaited<ReturnType<typeof localMap>>;

beforeEach(async () => {
  states = await localMap();
});
afterEach(() => states.close());

describe('a Distributed Map', () => {
  test('gives the outputs in the order of the items, however long each takes', async () => {
    await states.list({ n: 1 }, { n: 2 }, { n: 3 });
    states.worked(async ({ n }: { n: number }) => {
      await sleep(100 - 30 * n);
      return n * 10;
    });
    const execution = await states.run(mapping({ ResultPath: '$.outputs' }), { ...LIST, workers: 3 });
    expect(execution.result).toEqual({ ...LIST, workers: 3, outputs: [10, 20, 30] });
    expect(await states.typesOf(execution.executionArn)).toEqual([
      ...['ExecutionStarted', 'MapStateEntered', 'MapStateStarted', 'MapRunStarted', 'MapRunSucceeded'],
      ...['MapStateSucceeded', 'MapStateExited', 'SucceedStateEntered', 'SucceedStateExited', 'ExecutionSucceeded'],
    ]);
  });

  test('works each item in an execution of its own, which its Map Run lists and counts', async () => {
    await states.list({ n: 1 }, { n: 2 });
    states.worked(({ n }: { n: number }) => n);
    const { executionArn = '' } = await states.run(mapping({ ResultPath: null }), LIST);
    const run = await states.mapRunOf(executionArn);
    expect(run).toMatchObject({
      mapRunArn: expect.stringMatching(/^arn:aws:states:us-east-1:000000000000:mapRun:retraining\/Files:[\w-]{36}$/),
      ...{ executionArn, status: 'SUCCEEDED', maxConcurrency: 2, toleratedFailurePercentage: 0 },
      itemCounts: { pending: 0, running: 0, succeeded: 2, failed: 0, timedOut: 0, aborted: 0, total: 2 },
    });
    const items = await states.itemsOf(run.mapRunArn);
    expect(items).toHaveLength(2);
    const described = await states.send(new DescribeExecutionCommand({ executionArn: items[0]?.executionArn }));
    expect(described).toMatchObject({
      executionArn: expect.stringMatching(/:execution:retraining\/Files:[\w-]{36}$/),
      ...{ stateMachineArn: `${MACHINE}/Files`, mapRunArn: run.mapRunArn, status: 'SUCCEEDED', input: '{"n":2}' },
    });
    expect(await states.typesOf(items[0]?.executionArn)).toContain('TaskStateExited');
    const { executions } = await states.send(new ListExecutionsCommand({ stateMachineArn: MACHINE }));
    expect(executions?.map((it) => it.executionArn)).toEqual([executionArn]);
  });

  test.each([
    ['by its input', {}, 2],
    ['by a number', { MaxConcurrencyPath: undefined, MaxConcurrency: 3 }, 3],
    ['by nothing', { MaxConcurrencyPath: undefined }, 8],
  ])('works no more items at once than it is limited to %s', async (_, fields, limit) => {
    await states.list(...Array.from({ length: 8 }, (_, n) => ({ n })));
    let [now, most] = [0, 0];
    states.worked(async () => {
      now += 1;
      most = Math.max(most, now);
      await sleep(40);
      now -= 1;
    });
    const execution = await states.run(mapping(fields), LIST);
    expect(execution.status).toBe('SUCCEEDED');
    expect(most).toBe(limit);
  });

  test('gives an item what the ItemSelector makes of it', async () => {
    await states.list({ key: 'a' }, { key: 'b' });
    states.worked((item) => item);
    const ItemSelector = {
      'file.$': '$$.Map.Item.Value.key',
      'index.$': '$$.Map.Item.Index',
      'job.$': '$.job',
      'of.$': '$$.Execution.Input.job.name',
      'text.$': 'States.JsonToString($.job)',
    };
    const input = { ...LIST, job: { name: 'b1' } };
    const { result } = await states.run(mapping({ ItemSelector }), input);
    const rest = { job: input.job, of: 'b1', text: '{"name":"b1"}' };
    expect(result).toEqual([
      { file: 'a', index: 0, ...rest },
      { file: 'b', index: 1, ...rest },
    ]);
  });

  test('reads an array of JSON, and no more items than it is told', async () => {
    await states.put('[1, 2, 3]');
    states.worked((item) => item);
    expect((await states.run(mapping({ ItemReader: reader('JSON') }), LIST)).result).toEqual([1, 2, 3]);
    const ItemReader = reader('JSON', { MaxItems: 2 });
    expect((await states.run(mapping({ ItemReader }), LIST)).result).toEqual([1, 2]);
  });

  test('of no items succeeds', async () => {
    await states.put('');
    expect(await states.run(mapping(), LIST)).toMatchObject({ status: 'SUCCEEDED', output: '[]' });
  });

  test('takes items through choices, retries and catches of their own', async () => {
    await states.list({ n: 1 }, { n: 2 }, { n: 3 });
    const failing = new Set([2]);
    states.worked(({ n }: { n: number }) => {
      if (n === 3) throw new RangeError('never');
      if (failing.delete(n)) throw new TypeError('once');
      return { n };
    });
    const { OutputPath, ...invoke } = work;
    const ItemProcessor = processor({
      Work: {
        ...{ ...invoke, End: undefined, ResultSelector: { 'n.$': '$.Payload.n' }, Next: 'Which' },
        Retry: [{ ErrorEquals: ['TypeError'], IntervalSeconds: 1, MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Skip' }],
      },
      Which: { Type: 'Choice', Choices: [{ Variable: '$.n', NumericEquals: 1, Next: 'One' }], Default: 'Other' },
      One: { Type: 'Pass', Result: 'one', End: true },
      Other: { Type: 'Succeed' },
      Skip: { Type: 'Pass', Result: 'skipped', End: true },
    });
    const definition = mapping({ ItemProcessor });
    expect((await states.run(definition, LIST)).result).toEqual(['one', { n: 2 }, 'skipped']);
  });
});

describe('items that fail', () => {
  const failing = (...numbers: number[]) =>
    states.worked(({ n }: { n: number }) => {
      if (numbers.includes(n)) throw new RangeError(`no ${n}`);
      return n;
    });

  test('fail the map when none is tolerated: what runs is stopped, and what waits is not started', async () => {
    await states.list({ n: 1 }, { n: 2 }, { n: 3 });
    states.worked(async ({ n }: { n: number }) => {
      if (n === 1) throw new RangeError('no');
      await sleep(5_000);
    });
    const execution = await states.run(mapping(), LIST);
    const failure = {
      error: 'States.ExceedToleratedFailureThreshold',
      cause: 'The specified tolerated failure threshold was exceeded',
    };
    expect(execution).toMatchObject({ status: 'FAILED', ...failure });
    expect(await states.mapRunOf(execution.executionArn)).toMatchObject({
      status: 'FAILED',
      executionCounts: { pending: 1, failed: 1, aborted: 1, running: 0, succeeded: 0, total: 3 },
    });
    const history = await states.historyOf(execution.executionArn ?? '');
    expect(history.slice(-3)).toMatchObject([
      { type: 'MapRunFailed', mapRunFailedEventDetails: failure },
      { type: 'MapStateFailed' },
      { type: 'ExecutionFailed' },
    ]);
  });

  test.each([
    [{ ToleratedFailurePercentage: 0 }, [1], 'FAILED'],
    [{ ToleratedFailurePercentage: 50 }, [1, 2], 'SUCCEEDED'],
    [{ ToleratedFailurePercentage: 50 }, [1, 2, 3], 'FAILED'],
    [{ ToleratedFailurePercentage: 100 }, [1, 2, 3, 4], 'SUCCEEDED'],
    [{ ToleratedFailureCount: 1 }, [4], 'SUCCEEDED'],
    [{ ToleratedFailureCount: 1 }, [3, 4], 'FAILED'],
    [{ ToleratedFailureCount: 4, ToleratedFailurePercentage: 25 }, [1, 2], 'FAILED'],
  ])('are tolerated by %j: %j of 4', async (tolerance, numbers, status) => {
    await states.list({ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 });
    failing(...numbers);
    const execution = await states.run(mapping(tolerance), LIST);
    expect(execution.status).toBe(status);
    if (status === 'SUCCEEDED') expect(execution.result).toEqual([1, 2, 3, 4].filter((n) => !numbers.includes(n)));
  });

  test('are caught and retried by the map, each time in a new Map Run', async () => {
    await states.list({ n: 1 });
    failing(1);
    const definition = mapping(
      {
        Retry: [{ ErrorEquals: ['States.ExceedToleratedFailureThreshold'], IntervalSeconds: 1, MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Caught' }],
      },
      { Caught: { Type: 'Pass', Parameters: { 'error.$': '$.failure.Error' }, End: true } },
    );
    const execution = await states.run(definition, LIST);
    expect(execution.result).toEqual({ error: 'States.ExceedToleratedFailureThreshold' });
    expect(await states.mapRunsOf(execution.executionArn)).toHaveLength(2);
  });
});
