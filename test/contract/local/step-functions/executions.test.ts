import {
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localStepFunctions, MACHINE, machine, waiting } from '../../../given/local/step-functions.ts';

const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:retraining';

let states: Awaited<ReturnType<typeof localStepFunctions>>;

beforeEach(async () => {
  states = await localStepFunctions();
});
afterEach(() => states.close());

describe('starting an execution', () => {
  beforeEach(() => states.createStateMachine(waiting));

  test('again by the same name and input, while it runs, answers the same', async () => {
    const command = new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'epoch-1', input: '{"epoch":1}' });
    const first = await states.send(command);
    const second = await states.send(command);
    expect(first.executionArn).toBe(`${EXECUTION}:epoch-1`);
    expect(second).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
    const { executions } = await states.send(new ListExecutionsCommand({ stateMachineArn: MACHINE }));
    expect(executions).toHaveLength(1);
  });

  test('again with another input, or after it has closed, is refused', async () => {
    const executionArn = await states.start({ epoch: 1 }, 'epoch-1');
    const refusal = { name: 'ExecutionAlreadyExists', message: `Execution Already Exists: '${executionArn}'` };
    await expect(states.start({ epoch: 2 }, 'epoch-1')).rejects.toMatchObject(refusal);
    await states.send(new StopExecutionCommand({ executionArn }));
    await expect(states.start({ epoch: 1 }, 'epoch-1')).rejects.toMatchObject(refusal);
  });

  test.each([
    [{ stateMachineArn: `${MACHINE}x` }, 'StateMachineDoesNotExist'],
    [{ input: '{' }, 'InvalidExecutionInput'],
    [{ input: JSON.stringify('x'.repeat(262_144)) }, 'InvalidExecutionInput'],
    [{ name: 'a b' }, 'InvalidName'],
    [{ name: 'a'.repeat(81) }, 'InvalidName'],
  ])('is refused for what AWS refuses', async (wrong, name) => {
    const command = new StartExecutionCommand({ stateMachineArn: MACHINE, ...wrong });
    await expect(states.send(command)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });
});

describe('an execution', () => {
  test('is described with input, output and times, and has a history', async () => {
    const definition = machine('First', {
      First: { Type: 'Pass', Parameters: { 'twice.$': 'States.MathAdd($.n, $.n)' }, Next: 'Second' },
      Second: { Type: 'Succeed' },
    });
    const execution = await states.run(definition, { n: 21 });
    expect(execution).toMatchObject({
      stateMachineArn: MACHINE,
      status: 'SUCCEEDED',
      input: '{"n":21}',
      output: '{"twice":42}',
    });
    expect(execution.stopDate?.getTime()).toBeGreaterThanOrEqual(execution.startDate?.getTime() ?? Infinity);
    const events = await states.historyOf(execution.executionArn ?? '');
    expect(
      events.map((it) => [it.id, it.type, it.stateEnteredEventDetails?.name ?? it.stateExitedEventDetails?.name]),
    ).toEqual([
      [1, 'ExecutionStarted', undefined],
      [2, 'PassStateEntered', 'First'],
      [3, 'PassStateExited', 'First'],
      [4, 'SucceedStateEntered', 'Second'],
      [5, 'SucceedStateExited', 'Second'],
      [6, 'ExecutionSucceeded', undefined],
    ]);
    expect(events.every((it) => it.timestamp instanceof Date)).toBe(true);
    const last = await states.send(
      new GetExecutionHistoryCommand({ executionArn: execution.executionArn, reverseOrder: true, maxResults: 1 }),
    );
    expect(last).toMatchObject({ events: [{ id: 6 }], nextToken: expect.any(String) });
    const request = { executionArn: execution.executionArn, includeExecutionData: false };
    const bare = await states.send(new GetExecutionHistoryCommand(request));
    expect(JSON.stringify(bare.events)).not.toMatch(/"(input|output)/);
  });

  test('is stopped with an error and a cause', async () => {
    states.createStateMachine(waiting);
    const executionArn = await states.start();
    await states.send(new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'of this' }));
    expect(await states.ended(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'of this' });
    expect((await states.historyOf(executionArn)).at(-1)?.type).toBe('ExecutionAborted');
  });

  test('that takes longer than its state machine allows is timed out', async () => {
    expect(await states.run({ ...waiting, TimeoutSeconds: 1 })).toMatchObject({ status: 'TIMED_OUT' });
  });

  test('left running by a stopped cloud is FAILED when the cloud is back, and the state machine is still there', async () => {
    states.createStateMachine(waiting);
    const executionArn = await states.start();
    await states.restart();
    expect(await states.ended(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The local cloud was stopped while the execution was running',
    });
    const described = await states.send(new DescribeStateMachineCommand({ stateMachineArn: MACHINE }));
    expect(JSON.parse(described.definition ?? '')).toEqual(waiting);
    const { stateMachines } = await states.send(new ListStateMachinesCommand({}));
    expect(stateMachines?.map((it) => it.name)).toEqual(['retraining']);
  });

  test('are listed newest first, by status', async () => {
    states.createStateMachine(waiting);
    const [first] = [await states.start({}, 'one'), await states.start({}, 'two')];
    await states.send(new StopExecutionCommand({ executionArn: first }));
    const names = async (statusFilter?: 'RUNNING' | 'ABORTED') => {
      const listed = await states.send(new ListExecutionsCommand({ stateMachineArn: MACHINE, statusFilter }));
      return listed.executions?.map((it) => it.name);
    };
    expect(await names()).toEqual(['two', 'one']);
    expect(await names('RUNNING')).toEqual(['two']);
    expect(await names('ABORTED')).toEqual(['one']);
  });
});
