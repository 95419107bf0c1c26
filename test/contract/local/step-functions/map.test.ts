import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localStepFunctions, MACHINE, machine, ROLE } from '../../../given/local/step-functions.ts';

const INVOKE = 'arn:aws:states:::lambda:invoke';
const LIST = { list: { bucket: 'data', key: 'work/list.jsonl' }, workers: 2 };

let states: Awaited<ReturnType<typeof localStepFunctions>>;

beforeEach(async () => {
  states = await localStepFunctions();
});
afterEach(() => states.close());

const reader = (InputType = 'JSONL', rest: object = {}) => ({
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType, ...rest },
  Parameters: { 'Bucket.$': '$.list.bucket', 'Key.$': '$.list.key' },
});

/** What is done with an item: a function is invoked, which gives the item's output. */
const work = {
  Type: 'Task',
  Resource: INVOKE,
  Parameters: { FunctionName: 'work', 'Payload.$': '$' },
  OutputPath: '$.Payload',
  End: true,
};
const processor = (States: Record<string, object> = { Work: work }, config: object = {}) => ({
  ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD', ...config },
  ...{ StartAt: Object.keys(States)[0], States },
});

/** A state machine that works the files of a list. */
const mapping = (fields: object = {}, rest: Record<string, object> = {}) =>
  machine('Work files', {
    'Work files': {
      ...{ Type: 'Map', Label: 'Files', MaxConcurrencyPath: '$.workers', ItemReader: reader() },
      ...{ ItemProcessor: processor(), Next: 'Done', ...fields },
    },
    Done: { Type: 'Succeed' },
    ...rest,
  });

/** Writes the list. */
const given = (...items: unknown[]) => text(items.map((it) => `${JSON.stringify(it)}\n`).join(''));
const text = (body: string) => states.objects.put('data', LIST.list.key, body);

/** Lets the function answer; what it throws fails it. */
function worked(answer: (item: never) => unknown): void {
  states.operations.lambda = {
    Invoke: async ({ Payload }: { Payload: string }) => {
      try {
        return { StatusCode: 200, Payload: JSON.stringify(await answer(JSON.parse(Payload) as never)) };
      } catch (error) {
        const { name, message } = error as Error;
        const Payload = JSON.stringify({ errorType: name, errorMessage: message });
        return { StatusCode: 200, FunctionError: 'Unhandled', Payload };
      }
    },
  };
}

async function mapRunsOf(executionArn = '') {
  const { mapRuns = [] } = await states.send(new ListMapRunsCommand({ executionArn }));
  return mapRuns;
}
async function mapRunOf(executionArn = '') {
  const [{ mapRunArn } = {}] = await mapRunsOf(executionArn);
  return states.send(new DescribeMapRunCommand({ mapRunArn }));
}
async function itemsOf(mapRunArn = '') {
  const { executions = [] } = await states.send(new ListExecutionsCommand({ mapRunArn }));
  return executions;
}
const typesOf = async (executionArn = '') => (await states.historyOf(executionArn)).map((it) => it.type);

describe('a Distributed Map', () => {
  test('gives the outputs in the order of the items, however long each takes', async () => {
    await given({ n: 1 }, { n: 2 }, { n: 3 });
    worked(async ({ n }: { n: number }) => {
      await sleep(100 - 30 * n);
      return n * 10;
    });
    const execution = await states.run(mapping({ ResultPath: '$.outputs' }), { ...LIST, workers: 3 });
    expect(execution.result).toEqual({ ...LIST, workers: 3, outputs: [10, 20, 30] });
    expect(await typesOf(execution.executionArn)).toEqual([
      ...['ExecutionStarted', 'MapStateEntered', 'MapStateStarted', 'MapRunStarted', 'MapRunSucceeded'],
      ...['MapStateSucceeded', 'MapStateExited', 'SucceedStateEntered', 'SucceedStateExited', 'ExecutionSucceeded'],
    ]);
  });

  test('works each item in an execution of its own, which its Map Run lists and counts', async () => {
    await given({ n: 1 }, { n: 2 });
    worked(({ n }: { n: number }) => n);
    const { executionArn = '' } = await states.run(mapping({ ResultPath: null }), LIST);
    const run = await mapRunOf(executionArn);
    expect(run).toMatchObject({
      mapRunArn: expect.stringMatching(/^arn:aws:states:us-east-1:000000000000:mapRun:retraining\/Files:[\w-]{36}$/),
      ...{ executionArn, status: 'SUCCEEDED', maxConcurrency: 2, toleratedFailurePercentage: 0 },
      itemCounts: { pending: 0, running: 0, succeeded: 2, failed: 0, timedOut: 0, aborted: 0, total: 2 },
    });
    const items = await itemsOf(run.mapRunArn);
    expect(items).toHaveLength(2);
    const described = await states.send(new DescribeExecutionCommand({ executionArn: items[0]?.executionArn }));
    expect(described).toMatchObject({
      executionArn: expect.stringMatching(/:execution:retraining\/Files:[\w-]{36}$/),
      ...{ stateMachineArn: `${MACHINE}/Files`, mapRunArn: run.mapRunArn, status: 'SUCCEEDED', input: '{"n":2}' },
    });
    expect(await typesOf(items[0]?.executionArn)).toContain('TaskStateExited');
    const { executions } = await states.send(new ListExecutionsCommand({ stateMachineArn: MACHINE }));
    expect(executions?.map((it) => it.executionArn)).toEqual([executionArn]);
  });

  test.each([
    ['by its input', {}, 2],
    ['by a number', { MaxConcurrencyPath: undefined, MaxConcurrency: 3 }, 3],
    ['by nothing', { MaxConcurrencyPath: undefined }, 8],
  ])('works no more items at once than it is limited to %s', async (_, fields, limit) => {
    await given(...Array.from({ length: 8 }, (_, n) => ({ n })));
    let [now, most] = [0, 0];
    worked(async () => {
      now += 1;
      most = Math.max(most, now);
      await sleep(40);
      now -= 1;
    });
    const execution = await states.run(JSON.parse(JSON.stringify(mapping(fields))), LIST);
    expect(execution.status).toBe('SUCCEEDED');
    expect(most).toBe(limit);
  });

  test('gives an item what the ItemSelector makes of it', async () => {
    await given({ key: 'a' }, { key: 'b' });
    worked((item) => item);
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
    await text('[1, 2, 3]');
    worked((item) => item);
    expect((await states.run(mapping({ ItemReader: reader('JSON') }), LIST)).result).toEqual([1, 2, 3]);
    const ItemReader = reader('JSON', { MaxItems: 2 });
    expect((await states.run(mapping({ ItemReader }), LIST)).result).toEqual([1, 2]);
  });

  test('of no items succeeds', async () => {
    await text('');
    expect(await states.run(mapping(), LIST)).toMatchObject({ status: 'SUCCEEDED', output: '[]' });
  });

  test('takes items through choices, retries and catches of their own', async () => {
    await given({ n: 1 }, { n: 2 }, { n: 3 });
    const failing = new Set([2]);
    worked(({ n }: { n: number }) => {
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
    const definition = JSON.parse(JSON.stringify(mapping({ ItemProcessor })));
    expect((await states.run(definition, LIST)).result).toEqual(['one', { n: 2 }, 'skipped']);
  });
});

describe('items that fail', () => {
  const failing = (...numbers: number[]) =>
    worked(({ n }: { n: number }) => {
      if (numbers.includes(n)) throw new RangeError(`no ${n}`);
      return n;
    });

  test('fail the map when none is tolerated: what runs is stopped, and what waits is not started', async () => {
    await given({ n: 1 }, { n: 2 }, { n: 3 });
    worked(async ({ n }: { n: number }) => {
      if (n === 1) throw new RangeError('no');
      await sleep(5_000);
    });
    const execution = await states.run(mapping(), LIST);
    const failure = {
      error: 'States.ExceedToleratedFailureThreshold',
      cause: 'The specified tolerated failure threshold was exceeded',
    };
    expect(execution).toMatchObject({ status: 'FAILED', ...failure });
    expect(await mapRunOf(execution.executionArn)).toMatchObject({
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
    await given({ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 });
    failing(...numbers);
    const execution = await states.run(mapping(tolerance), LIST);
    expect(execution.status).toBe(status);
    if (status === 'SUCCEEDED') expect(execution.result).toEqual([1, 2, 3, 4].filter((n) => !numbers.includes(n)));
  });

  test('are caught and retried by the map, each time in a new Map Run', async () => {
    await given({ n: 1 });
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
    expect(await mapRunsOf(execution.executionArn)).toHaveLength(2);
  });
});

describe('a map fails', () => {
  const oversize = 'x'.repeat(262_144);

  test.each([
    ['States.ItemReaderFailed', 'whose list is not there', undefined],
    ['States.ItemReaderFailed', 'of a line that is not JSON', '{"n":1}\n{"n":\n'],
    ['States.DataLimitExceeded', 'of an item that is too large', JSON.stringify(oversize)],
  ])('by %s %s', async (error, _, list) => {
    if (list !== undefined) await text(list);
    worked(() => 1);
    const execution = await states.run(mapping(), LIST);
    expect(execution).toMatchObject({ status: 'FAILED', error });
    expect(await mapRunOf(execution.executionArn)).toMatchObject({ status: 'FAILED' });
    expect(await typesOf(execution.executionArn)).toContain('MapRunFailed');
  });

  test('by States.ItemReaderFailed of JSON that is no array', async () => {
    await text('{"items":[]}');
    const ItemReader = reader('JSON');
    const cause = 'Attempting to map over non-iterable node.';
    expect(await states.run(mapping({ ItemReader }), LIST)).toMatchObject({ error: 'States.ItemReaderFailed', cause });
  });

  test('by States.DataLimitExceeded of results that are too large together', async () => {
    await given(1, 2);
    worked(() => 'x'.repeat(200_000));
    expect(await states.run(mapping(), LIST)).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  test('by States.Runtime of a limit that is none, and of a path that leads nowhere', async () => {
    await given(1);
    expect(await states.run(mapping(), { ...LIST, workers: -1 })).toMatchObject({ error: 'States.Runtime' });
    const ItemSelector = { 'a.$': '$.none' };
    expect(await states.run(mapping({ ItemSelector }), LIST)).toMatchObject({ error: 'States.Runtime' });
  });
});

describe('the role of the state machine', () => {
  const may = (...statements: readonly [action: string, resource: string][]) => {
    const Statement = statements.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource }));
    states.roles.put(ROLE, {
      AssumeRolePolicyDocument: { Statement: [] },
      Policies: [{ PolicyName: 'policy', PolicyDocument: { Version: '2012-10-17', Statement } }],
    });
  };
  const START = ['states:StartExecution', MACHINE] as const;
  const READ = ['s3:GetObject', 'arn:aws:s3:::data/work/*'] as const;
  const CALL = ['lambda:InvokeFunction', '*'] as const;

  beforeEach(async () => {
    await given(1);
    worked(() => 1);
  });

  test('needs to start executions of it, read the list, and do what the items do', async () => {
    may([...START], [...READ], [...CALL]);
    expect(await states.run(mapping(), LIST)).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('that may not start executions fails the map', async () => {
    may([...READ], [...CALL]);
    const execution = await states.run(mapping(), LIST);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'StepFunctions.AWSStepFunctionsException' });
    expect(execution.cause).toContain(`is not authorized to perform: states:StartExecution on resource: ${MACHINE} `);
    expect(await mapRunOf(execution.executionArn)).toMatchObject({ status: 'FAILED', itemCounts: { pending: 1 } });
  });

  test('that may not read the list fails the reader', async () => {
    may([...START], [...CALL]);
    const execution = await states.run(mapping(), LIST);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
    expect(execution.cause).toContain('s3:GetObject');
  });
});

describe('an execution that ends before its map', () => {
  beforeEach(async () => {
    await given(1, 2, 3);
    worked(() => sleep(60_000, undefined, { ref: false }));
  });

  async function started(definition: object) {
    states.createStateMachine(definition);
    const executionArn = await states.start(LIST);
    while ((await mapRunsOf(executionArn)).length === 0 || (await mapRunOf(executionArn)).itemCounts?.running !== 2) {
      await sleep(10);
    }
    return executionArn;
  }

  test('because it is stopped stops the items', async () => {
    const executionArn = await started(mapping({ Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2 }] }));
    await states.send(new StopExecutionCommand({ executionArn, error: 'Enough' }));
    expect(await states.ended(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough' });
    expect(await mapRunOf(executionArn)).toMatchObject({
      status: 'ABORTED',
      itemCounts: { pending: 1, running: 0, aborted: 2, total: 3 },
    });
    expect((await typesOf(executionArn)).slice(-2)).toEqual(['MapRunAborted', 'ExecutionAborted']);
    expect(await mapRunsOf(executionArn)).toHaveLength(1);
  });

  test('because its time is up stops the items', async () => {
    const executionArn = await started({ ...mapping(), TimeoutSeconds: 1 });
    expect(await states.ended(executionArn)).toMatchObject({ status: 'TIMED_OUT' });
    expect(await mapRunOf(executionArn)).toMatchObject({ status: 'ABORTED', itemCounts: { running: 0, aborted: 2 } });
  });

  test('because the cloud is stopped is FAILED when the cloud is back, as are its Map Run and items', async () => {
    const executionArn = await started(mapping());
    await states.restart();
    expect(await states.ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    const run = await mapRunOf(executionArn);
    expect(run).toMatchObject({ status: 'FAILED', itemCounts: { pending: 1, running: 0, failed: 2, total: 3 } });
    expect((await itemsOf(run.mapRunArn)).map((it) => it.status)).toEqual(['FAILED', 'FAILED']);
  });
});

describe('refused by name is', () => {
  const items = (fields: object) => mapping({ ItemProcessor: { ...processor(), ...fields } });
  test.each([
    ['Mode INLINE', mapping({ ItemProcessor: processor(undefined, { Mode: 'INLINE', ExecutionType: undefined }) })],
    ['Mode INLINE', mapping({ ItemProcessor: { StartAt: 'Work', States: { Work: work } } })],
    ['ExecutionType EXPRESS', mapping({ ItemProcessor: processor(undefined, { ExecutionType: 'EXPRESS' }) })],
    ['InputType CSV', mapping({ ItemReader: reader('CSV') })],
    ['parameter CSVDelimiter', mapping({ ItemReader: reader('JSONL', { CSVDelimiter: 'COMMA' }) })],
    ['s3:listObjectsV2', mapping({ ItemReader: { ...reader(), Resource: 'arn:aws:states:::s3:listObjectsV2' } })],
    ['parameter VersionId', mapping({ ItemReader: { ...reader(), Parameters: { VersionId: 'v' } } })],
    ['without ItemReader', mapping({ ItemReader: undefined })],
    ['without ItemProcessor', mapping({ ItemProcessor: undefined })],
    ['without Label', mapping({ Label: undefined })],
    ['Label', mapping({ Label: 'x'.repeat(41) })],
    ['Label', mapping({ Label: 'a b' })],
    ['both MaxConcurrency and', mapping({ MaxConcurrency: 1 })],
    ['parameter ItemBatcher', mapping({ ItemBatcher: { MaxItemsPerBatch: 10 } })],
    ['parameter ResultWriter', mapping({ ResultWriter: { Resource: 'arn:aws:states:::s3:putObject' } })],
    ['parameter ItemsPath', mapping({ ItemsPath: '$.items' })],
    ['parameter Iterator', mapping({ ItemProcessor: undefined, Iterator: processor() })],
    ['parameter ToleratedFailureCountPath', mapping({ ToleratedFailureCountPath: '$.n' })],
    ['States.TaskFailed', mapping({ Retry: [{ ErrorEquals: ['States.TaskFailed'] }] })],
    ['$$.Execution.StartTime', mapping({ ItemSelector: { 'at.$': '$$.Execution.StartTime' } })],
    [
      '$$.Map.Item.Value',
      items({ StartAt: 'P', States: { P: { Type: 'Pass', InputPath: '$$.Map.Item.Value', End: true } } }),
    ],
    [
      'Map in a Map',
      items({ StartAt: 'M', States: { M: { ...mapping().States['Work files'], Next: undefined, End: true } } }),
    ],
    ['parameter HeartbeatSeconds', items({ States: { Work: { ...work, HeartbeatSeconds: 5 } } })],
  ])('%s', (named, definition) => {
    expect(() => states.createStateMachine(JSON.parse(JSON.stringify(definition)))).toThrow(named);
  });

  test('a list of executions of neither, or of both', async () => {
    const list = (input: object) => states.send(new ListExecutionsCommand(input));
    await expect(list({})).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(list({ stateMachineArn: MACHINE, mapRunArn: 'x' })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(list({ mapRunArn: 'x' })).rejects.toMatchObject({ name: 'ResourceNotFound' });
  });
});
