import { setTimeout as sleep } from 'node:timers/promises';
import { ListExecutionsCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIST, localMap, mapping, processor, reader, work } from '../../../given/local/distributed-map.ts';
import { MACHINE, ROLE } from '../../../given/local/step-functions.ts';

let states: Awaited<ReturnType<typeof localMap>>;

beforeEach(async () => {
  states = await localMap();
});
afterEach(() => states.close());

describe('a map fails', () => {
  const oversize = 'x'.repeat(262_144);

  test.each([
    ['States.ItemReaderFailed', 'whose list is not there', undefined],
    ['States.ItemReaderFailed', 'of a line that is not JSON', '{"n":1}\n{"n":\n'],
    ['States.DataLimitExceeded', 'of an item that is too large', JSON.stringify(oversize)],
  ])('by %s %s', async (error, _, list) => {
    if (list !== undefined) await states.put(list);
    states.worked(() => 1);
    const execution = await states.run(mapping(), LIST);
    expect(execution).toMatchObject({ status: 'FAILED', error });
    expect(await states.mapRunOf(execution.executionArn)).toMatchObject({ status: 'FAILED' });
    expect(await states.typesOf(execution.executionArn)).toContain('MapRunFailed');
  });

  test('by States.ItemReaderFailed of JSON that is no array', async () => {
    await states.put('{"items":[]}');
    const ItemReader = reader('JSON');
    const cause = 'Attempting to map over non-iterable node.';
    expect(await states.run(mapping({ ItemReader }), LIST)).toMatchObject({ error: 'States.ItemReaderFailed', cause });
  });

  test('by States.DataLimitExceeded of results that are too large together', async () => {
    await states.list(1, 2);
    states.worked(() => 'x'.repeat(200_000));
    expect(await states.run(mapping(), LIST)).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  test('by States.Runtime of a limit that is none, and of a path that leads nowhere', async () => {
    await states.list(1);
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
    await states.list(1);
    states.worked(() => 1);
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
    expect(await states.mapRunOf(execution.executionArn)).toMatchObject({
      status: 'FAILED',
      itemCounts: { pending: 1 },
    });
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
    await states.list(1, 2, 3);
    states.worked(() => sleep(60_000, undefined, { ref: false }));
  });

  async function started(definition: object) {
    states.createStateMachine(definition);
    const executionArn = await states.start(LIST);
    while (
      (await states.mapRunsOf(executionArn)).length === 0 ||
      (await states.mapRunOf(executionArn)).itemCounts?.running !== 2
    ) {
      await sleep(10);
    }
    return executionArn;
  }

  test('because it is stopped stops the items', async () => {
    const executionArn = await started(mapping({ Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2 }] }));
    await states.send(new StopExecutionCommand({ executionArn, error: 'Enough' }));
    expect(await states.ended(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough' });
    expect(await states.mapRunOf(executionArn)).toMatchObject({
      status: 'ABORTED',
      itemCounts: { pending: 1, running: 0, aborted: 2, total: 3 },
    });
    expect((await states.typesOf(executionArn)).slice(-2)).toEqual(['MapRunAborted', 'ExecutionAborted']);
    expect(await states.mapRunsOf(executionArn)).toHaveLength(1);
  });

  test('because its time is up stops the items', async () => {
    const executionArn = await started({ ...mapping(), TimeoutSeconds: 1 });
    expect(await states.ended(executionArn)).toMatchObject({ status: 'TIMED_OUT' });
    expect(await states.mapRunOf(executionArn)).toMatchObject({
      status: 'ABORTED',
      itemCounts: { running: 0, aborted: 2 },
    });
  });

  test('because the cloud is stopped is FAILED when the cloud is back, as are its Map Run and items', async () => {
    const executionArn = await started(mapping());
    await states.restart();
    expect(await states.ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    const run = await states.mapRunOf(executionArn);
    expect(run).toMatchObject({ status: 'FAILED', itemCounts: { pending: 1, running: 0, failed: 2, total: 3 } });
    expect((await states.itemsOf(run.mapRunArn)).map((it) => it.status)).toEqual(['FAILED', 'FAILED']);
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
    ['without Label', mapping({ Label: undefined })],
    ['Label', mapping({ Label: 'x'.repeat(41) })],
    ['Label', mapping({ Label: 'a b' })],
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
    expect(() => states.createStateMachine(definition)).toThrow(named);
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
