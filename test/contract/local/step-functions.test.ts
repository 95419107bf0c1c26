import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AwsError } from '../../../infra/local/protocol/aws-error.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../../infra/local/protocol/server.ts';
import type { Call, Operation, Service } from '../../../infra/local/protocol/service.ts';
import { sageMaker } from '../../../infra/local/sagemaker/sagemaker.ts';
import { stepFunctions } from '../../../infra/local/step-functions/step-functions.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { served } from '../../given/served.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:retraining';
const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:retraining';
const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';
const ROLE = 'arn:aws:iam::000000000000:role/training';

let dir: string;
let faults: Faults;
let objects: ObjectStore;
let call: Call;
let sfn: SFNClient;
let createStateMachine: (definition: object) => void;
let close: () => Promise<void>;

/** What a test gives Athena, Lambda and DynamoDB to answer. SageMaker is the local cloud's. */
let operations: Partial<Record<'athena' | 'lambda' | 'dynamodb', Record<string, Operation>>>;

async function open() {
  const db = new DatabaseSync(join(dir, 'cloud.sqlite'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  const learning = sageMaker({ db, objects });
  const answering = (name: 'athena' | 'lambda' | 'dynamodb'): Service => ({
    name,
    get operations() {
      return operations[name] ?? {};
    },
  });
  const others = [answering('athena'), answering('lambda'), answering('dynamodb'), ...learning.services];
  call = callInProcess(others, faults);
  const states = stepFunctions({ db, call });
  createStateMachine = (definition) =>
    states.createStateMachine({ name: 'retraining', arn: MACHINE, definition, roleArn: ROLE });
  const cloud = await served([states.service], faults);
  sfn = new SFNClient(cloud.client);
  close = async () => {
    await states.close();
    await learning.close();
    await cloud.close();
    db.close();
  };
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'states-'));
  faults = new Faults();
  operations = {};
  await open();
});
afterEach(async () => {
  await close();
  rmSync(dir, { recursive: true });
});

const machine = (StartAt: string, States: Record<string, object>, rest: object = {}) => ({ StartAt, States, ...rest });
const pass = (Parameters: object) => machine('Only', { Only: { Type: 'Pass', Parameters, End: true } });

async function start(input: unknown = {}, name?: string) {
  const command = new StartExecutionCommand({ stateMachineArn: MACHINE, input: JSON.stringify(input), name });
  return (await sfn.send(command)).executionArn ?? '';
}

async function ended(executionArn: string) {
  for (;;) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== 'RUNNING') return execution;
    await sleep(20);
  }
}

/** Runs a definition to its end. */
async function run(definition: object, input: unknown = {}) {
  createStateMachine(definition);
  const execution = await ended(await start(input));
  return { ...execution, result: JSON.parse(execution.output ?? 'null') };
}

async function historyOf(executionArn: string) {
  const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
  return events;
}

const waiting = machine('Wait', { Wait: { Type: 'Wait', Seconds: 600, End: true } });

describe('starting an execution', () => {
  beforeEach(() => createStateMachine(waiting));

  test('again by the same name and input, while it runs, answers the same', async () => {
    const command = new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'epoch-1', input: '{"epoch":1}' });
    const first = await sfn.send(command);
    const second = await sfn.send(command);
    expect(first.executionArn).toBe(`${EXECUTION}:epoch-1`);
    expect(second).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
    const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: MACHINE }));
    expect(executions).toHaveLength(1);
  });

  test('again with another input, or after it has closed, is refused', async () => {
    const executionArn = await start({ epoch: 1 }, 'epoch-1');
    const refusal = { name: 'ExecutionAlreadyExists', message: `Execution Already Exists: '${executionArn}'` };
    await expect(start({ epoch: 2 }, 'epoch-1')).rejects.toMatchObject(refusal);
    await sfn.send(new StopExecutionCommand({ executionArn }));
    await expect(start({ epoch: 1 }, 'epoch-1')).rejects.toMatchObject(refusal);
  });

  test.each([
    [{ stateMachineArn: `${MACHINE}x` }, 'StateMachineDoesNotExist'],
    [{ input: '{' }, 'InvalidExecutionInput'],
    [{ input: JSON.stringify('x'.repeat(262_144)) }, 'InvalidExecutionInput'],
    [{ name: 'a b' }, 'InvalidName'],
    [{ name: 'a'.repeat(81) }, 'InvalidName'],
  ])('is refused for what AWS refuses', async (wrong, name) => {
    const command = new StartExecutionCommand({ stateMachineArn: MACHINE, ...wrong });
    await expect(sfn.send(command)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });
});

describe('an execution', () => {
  test('is described with input, output and times, and has a history', async () => {
    const definition = machine('First', {
      First: { Type: 'Pass', Parameters: { 'twice.$': 'States.MathAdd($.n, $.n)' }, Next: 'Second' },
      Second: { Type: 'Succeed' },
    });
    const execution = await run(definition, { n: 21 });
    expect(execution).toMatchObject({
      stateMachineArn: MACHINE,
      status: 'SUCCEEDED',
      input: '{"n":21}',
      output: '{"twice":42}',
    });
    expect(execution.stopDate?.getTime()).toBeGreaterThanOrEqual(execution.startDate?.getTime() ?? Infinity);
    const events = await historyOf(execution.executionArn ?? '');
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
    const last = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn: execution.executionArn, reverseOrder: true, maxResults: 1 }),
    );
    expect(last).toMatchObject({ events: [{ id: 6 }], nextToken: expect.any(String) });
  });

  test('is stopped with an error and a cause', async () => {
    createStateMachine(waiting);
    const executionArn = await start();
    await sfn.send(new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'of this' }));
    expect(await ended(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'of this' });
    expect((await historyOf(executionArn)).at(-1)?.type).toBe('ExecutionAborted');
  });

  test('that takes longer than its state machine allows is timed out', async () => {
    expect(await run({ ...waiting, TimeoutSeconds: 1 })).toMatchObject({ status: 'TIMED_OUT' });
  });

  test('left running by a stopped cloud is FAILED when the cloud is back, and the state machine is still there', async () => {
    createStateMachine(waiting);
    const executionArn = await start();
    await close();
    await open();
    expect(await ended(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The local cloud was stopped while the execution was running',
    });
    const described = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: MACHINE }));
    expect(JSON.parse(described.definition ?? '')).toEqual(waiting);
    const { stateMachines } = await sfn.send(new ListStateMachinesCommand({}));
    expect(stateMachines?.map((it) => it.name)).toEqual(['retraining']);
  });

  test('are listed newest first, by status', async () => {
    createStateMachine(waiting);
    const [first] = [await start({}, 'one'), await start({}, 'two')];
    await sfn.send(new StopExecutionCommand({ executionArn: first }));
    const names = async (statusFilter?: 'RUNNING' | 'ABORTED') => {
      const listed = await sfn.send(new ListExecutionsCommand({ stateMachineArn: MACHINE, statusFilter }));
      return listed.executions?.map((it) => it.name);
    };
    expect(await names()).toEqual(['two', 'one']);
    expect(await names('RUNNING')).toEqual(['two']);
    expect(await names('ABORTED')).toEqual(['one']);
  });
});

describe('the language', () => {
  test('has the intrinsic functions and the context object', async () => {
    const definition = pass({
      'number.$': 'States.StringToJson($.text)',
      'sentence.$': "States.Format('{} of {}, {}', $.name, 3, true)",
      'sum.$': 'States.MathAdd($.n, -1)',
      'execution.$': '$$.Execution.Name',
      'machine.$': '$$.StateMachine.Id',
      'input.$': '$$.Execution.Input.n',
      'second.$': 'States.ArrayGetItem($.list, 1)',
      'matching.$': "$.list[?(@.kind == 'b')].value",
    });
    const input = { text: '0.875', name: 'a', n: 5, list: [{ kind: 'a' }, { kind: 'b', value: 7 }] };
    createStateMachine(definition);
    const { output } = await ended(await start(input, 'named'));
    expect(JSON.parse(output ?? '')).toEqual({
      ...{ number: 0.875, sentence: 'a of 3, true', sum: 4, execution: 'named', machine: MACHINE, input: 5 },
      ...{ second: { kind: 'b', value: 7 }, matching: [7] },
    });
  });

  test.each([
    [{ Variable: '$.a', NumericGreaterThanEquals: 10 }, { a: 10 }, true],
    [{ Variable: '$.a', NumericGreaterThanEquals: 10 }, { a: '11' }, false],
    [{ Variable: '$.a', StringEqualsPath: '$.b' }, { a: 'x', b: 'x' }, true],
    [{ Variable: '$.a', StringEqualsPath: '$.b' }, { a: 'x', b: 'y' }, false],
    [{ Variable: '$.a', IsPresent: false }, {}, true],
    [{ Variable: '$.a', IsPresent: false }, { a: 1 }, false],
    [{ Variable: '$.a', IsNull: false }, { a: 1 }, true],
    [{ Variable: '$.a', StringMatches: 'Endpoint *' }, { a: 'Endpoint x' }, true],
    [{ Variable: '$.a', StringMatches: 'Endpoint *' }, { a: 5 }, false],
    [{ Not: { Variable: '$.a', IsString: false } }, { a: 'x' }, true],
    [
      {
        And: [
          { Variable: '$.a', IsNumeric: true },
          {
            Or: [
              { Variable: '$.a', NumericLessThan: 0 },
              { Variable: '$.a', NumericEquals: 3 },
            ],
          },
        ],
      },
      { a: 3 },
      true,
    ],
  ])('decides choices as AWS does: %j of %j is %j', async (rule, input, expected) => {
    const definition = machine('Choice', {
      Choice: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: { Type: 'Pass', Result: { chosen: true }, End: true },
      No: { Type: 'Pass', Result: { chosen: false, why: 'default' }, End: true },
    });
    expect((await run(definition, input)).result.chosen).toBe(expected);
  });

  test('waits as many seconds as the input says', async () => {
    const definition = machine('Wait', { Wait: { Type: 'Wait', SecondsPath: '$.seconds', End: true } });
    const began = Date.now();
    expect((await run(definition, { seconds: 1 })).status).toBe('SUCCEEDED');
    expect(Date.now() - began).toBeGreaterThanOrEqual(990);
  });

  test('replaces the whole by ResultPath $, and keeps the input by null', async () => {
    const definition = (ResultPath: string | null) =>
      machine('Pass', { Pass: { Type: 'Pass', Result: { b: 2 }, ResultPath, End: true } });
    expect((await run(definition('$'), { a: 1 })).result).toEqual({ b: 2 });
    expect((await run(definition('$.deep.er'), { a: 1 })).result).toEqual({ a: 1, deep: { er: { b: 2 } } });
    expect((await run(definition(null), { a: 1 })).result).toEqual({ a: 1 });
  });

  test('fails with the error and cause of a Fail state', async () => {
    const fail = { Type: 'Fail', ErrorPath: '$.error', CausePath: '$.cause' };
    const execution = await run(machine('Fail', { Fail: fail }), { error: 'Bad', cause: 'luck' });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Bad', cause: 'luck' });
    const nameless = await run(machine('Fail', { Fail: { Type: 'Fail' } }));
    expect(nameless.status).toBe('FAILED');
    expect(nameless.error).toBeUndefined();
  });

  test('fails with States.Runtime when a path leads nowhere', async () => {
    const definition = pass({ 'a.$': '$.none' });
    expect(await run(definition)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  const task = (fields: object) => ({ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true, ...fields });
  test.each([
    ['JSONata', machine('A', { A: { Type: 'Pass', End: true } }, { QueryLanguage: 'JSONata' })],
    ['JSONata in a state', machine('A', { A: { Type: 'Pass', QueryLanguage: 'JSONata', End: true } })],
    ['assigned variables', machine('A', { A: { Type: 'Pass', Assign: { x: 1 }, End: true } })],
    ['variables', pass({ 'a.$': '$x' })],
    ['variables in an intrinsic function', pass({ 'a.$': 'States.MathAdd($.n, $x)' })],
    ['state context', pass({ 'a.$': '$$.State.Name' })],
    ['the whole context', pass({ 'a.$': '$$' })],
    ['task tokens', machine('A', { A: task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }) })],
    ['other state machines', machine('A', { A: task({ Resource: 'arn:aws:states:::states:startExecution.sync' }) })],
    ['other services', machine('A', { A: task({ Resource: 'arn:aws:states:::aws-sdk:ec2:runInstances' }) })],
    ['heartbeats', machine('A', { A: task({ HeartbeatSeconds: 5 }) })],
    ['credentials', machine('A', { A: task({ Credentials: { RoleArn: ROLE } }) })],
    ['odd result paths', machine('A', { A: task({ ResultPath: "$['a']" }) })],
    ['falsy results', machine('A', { A: { Type: 'Pass', Result: 0, End: true } })],
    ['parallel states', machine('A', { A: { Type: 'Parallel', Branches: [pass({})], End: true } })],
  ])('refuses %s, rather than ignore it', (_, definition) => {
    expect(() => createStateMachine(definition)).toThrow(AwsError);
  });

  test('refuses a definition that is not valid', () => {
    const lost = machine('A', { A: { Type: 'Pass', Next: 'B' } });
    expect(() => createStateMachine(lost)).toThrow('Invalid State Machine Definition');
  });
});

/** One task, whose failure is caught if `errors` match. */
const caught = (Resource: string, Parameters: object, errors: string[], rest: object = {}) =>
  machine('Task', {
    Task: {
      ...{ Type: 'Task', Resource, Parameters, Next: 'Done' },
      Catch: [{ ErrorEquals: errors, ResultPath: '$.failure', Next: 'Caught' }],
      ...rest,
    },
    Done: { Type: 'Succeed' },
    Caught: { Type: 'Succeed' },
  });

describe('lambda:invoke', () => {
  const RESOURCE = 'arn:aws:states:::lambda:invoke';
  const invoke = (rest: object = {}) =>
    machine('Task', {
      Task: {
        ...{ Type: 'Task', Resource: RESOURCE, End: true, ...rest },
        Parameters: { FunctionName: 'retrain', Payload: { 'n.$': '$.n', 'text.$': 'States.JsonToString($.failure)' } },
      },
    });

  test('hands on the payload as JSON, text within it unharmed', async () => {
    const seen: unknown[] = [];
    operations.lambda = {
      Invoke: (input: object) => {
        seen.push(input);
        return { StatusCode: 200, Payload: '{"answer":42}' };
      },
    };
    const failure = { Error: 'E', Cause: JSON.stringify({ message: 'said "no"\n' }) };
    const { result } = await run(invoke(), { n: 1, failure });
    expect(result).toMatchObject({ StatusCode: 200, Payload: { answer: 42 } });
    const Payload = JSON.stringify({ n: 1, text: JSON.stringify(failure) });
    expect(seen).toEqual([{ FunctionName: 'retrain', Payload }]);
  });

  test('fails by the type of the error that the function threw', async () => {
    const Payload = JSON.stringify({ errorType: 'EpochClosed', errorMessage: 'too late' });
    operations.lambda = { Invoke: () => ({ StatusCode: 200, FunctionError: 'Unhandled', Payload }) };
    const input = { n: 1, failure: {} };
    expect(await run(invoke(), input)).toMatchObject({ status: 'FAILED', error: 'EpochClosed', cause: Payload });
    const definition = caught(RESOURCE, { FunctionName: 'retrain' }, ['EpochClosed']);
    const execution = await run(definition);
    expect(execution.result).toEqual({ failure: { Error: 'EpochClosed', Cause: Payload } });
    const failed = (await historyOf(execution.executionArn ?? '')).find((it) => it.type === 'TaskFailed');
    expect(failed?.taskFailedEventDetails).toEqual({
      ...{ resourceType: 'lambda', resource: 'invoke', error: 'EpochClosed', cause: Payload },
    });
  });

  test('is retried, and given up after as many attempts as the definition says', async () => {
    let calls = 0;
    operations.lambda = {
      Invoke: () => {
        calls += 1;
        throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
      },
    };
    const Retry = [
      { ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 },
    ];
    const execution = await run(invoke({ Retry }), { n: 1, failure: {} });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Lambda.TooManyRequestsException' });
    expect(calls).toBe(3);
  });

  test('is timed out by TimeoutSeconds, which States.TaskFailed does not catch', async () => {
    operations.lambda = { Invoke: () => sleep(5000, { StatusCode: 200 }) };
    const limited = (error: string) => caught(RESOURCE, { FunctionName: 'retrain' }, [error], { TimeoutSeconds: 1 });
    expect(await run(limited('States.TaskFailed'))).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect((await run(limited('States.Timeout'))).result.failure.Error).toBe('States.Timeout');
  });

  test('of more than 256 KiB is no result', async () => {
    const Payload = JSON.stringify('x'.repeat(262_144));
    operations.lambda = { Invoke: () => ({ StatusCode: 200, Payload }) };
    const definition = caught(RESOURCE, { FunctionName: 'retrain' }, ['States.ALL']);
    expect(await run(definition)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

describe('a query that is waited for', () => {
  const RESOURCE = 'arn:aws:states:::athena:startQueryExecution.sync';
  const query = { QueryString: 'SELECT 1' };
  const status = (State: string) => ({
    QueryExecution: { QueryExecutionId: 'q', Status: { State, SubmissionDateTime: 1_700_000_000.5 } },
  });

  test('gives its description once it has succeeded, times in milliseconds', async () => {
    const states = ['QUEUED', 'RUNNING', 'SUCCEEDED'];
    operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status(states.shift() ?? ''),
    };
    const { result } = await run(caught(RESOURCE, query, ['States.ALL']));
    expect(result.QueryExecution).toEqual({
      QueryExecutionId: 'q',
      Status: { State: 'SUCCEEDED', SubmissionDateTime: 1_700_000_000_500 },
    });
  });

  test('fails the task, with its description as the cause', async () => {
    operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status('FAILED'),
    };
    const { result } = await run(caught(RESOURCE, query, ['States.TaskFailed']));
    expect(result.failure.Error).toBe('States.TaskFailed');
    expect(JSON.parse(result.failure.Cause).QueryExecution.Status.State).toBe('FAILED');
  });

  test('is looked at again when a look is throttled', async () => {
    operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status('SUCCEEDED'),
    };
    faults.inject({ service: 'athena', operation: 'GetQueryExecution', kind: 'before', times: 2 });
    expect((await run(caught(RESOURCE, query, ['None']))).status).toBe('SUCCEEDED');
  });

  test('is stopped with its execution', async () => {
    const stopped = Promise.withResolvers<unknown>();
    operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status('RUNNING'),
      StopQueryExecution: (input: object) => stopped.resolve(input),
    };
    createStateMachine(caught(RESOURCE, query, ['States.ALL']));
    const executionArn = await start();
    await sleep(100);
    await sfn.send(new StopExecutionCommand({ executionArn }));
    expect(await stopped.promise).toEqual({ QueryExecutionId: 'q' });
    expect((await ended(executionArn)).status).toBe('ABORTED');
  });
});

describe('errors of services', () => {
  const failing = (service: 'athena' | 'dynamodb', operation: string, code: string) => {
    operations[service] = {
      [operation]: () => {
        throw new AwsError(code, 'no');
      },
    };
  };

  test.each([
    [
      'athena:startQueryExecution',
      'StartQueryExecution',
      'TooManyRequestsException',
      'Athena.TooManyRequestsException',
    ],
    ['athena:startQueryExecution', 'StartQueryExecution', 'ThrottlingException', 'Athena.AmazonAthenaException'],
    ['aws-sdk:athena:startQueryExecution', 'StartQueryExecution', 'ThrottlingException', 'Athena.AthenaException'],
    ['dynamodb:putItem', 'PutItem', 'ConditionalCheckFailedException', 'DynamoDB.ConditionalCheckFailedException'],
    ['dynamodb:putItem', 'PutItem', 'ValidationException', 'DynamoDB.AmazonDynamoDBException'],
    ['aws-sdk:dynamodb:query', 'Query', 'ValidationException', 'DynamoDb.DynamoDbException'],
  ])('%s: %s, %s is %s', async (resource, operation, code, name) => {
    failing(resource.includes('athena') ? 'athena' : 'dynamodb', operation, code);
    const { result } = await run(caught(`arn:aws:states:::${resource}`, {}, [name]));
    expect(result.failure).toEqual({ Error: name, Cause: expect.stringMatching(/^no \(Service: .*400/) });
  });

  test('a lost answer is an error of the SDK client', async () => {
    operations.dynamodb = { PutItem: () => ({}) };
    faults.inject({ service: 'dynamodb', kind: 'after' });
    const definition = caught('arn:aws:states:::dynamodb:putItem', {}, ['DynamoDB.SdkClientException']);
    expect((await run(definition)).result.failure.Error).toBe('DynamoDB.SdkClientException');
  });

  test('an operation that the local cloud lacks fails aloud', async () => {
    const definition = caught('arn:aws:states:::aws-sdk:sagemaker:createAutoMLJob', {}, ['None']);
    expect(await run(definition)).toMatchObject({
      status: 'FAILED',
      error: 'SageMaker.SageMakerException',
      cause: expect.stringContaining('does not implement CreateAutoMLJob'),
    });
  });
});

describe('SageMaker', () => {
  const trainingJob = {
    ...{
      TrainingJobName: 'job-1',
      RoleArn: ROLE,
      HyperParameters: { predictor_type: 'binary_classifier', mini_batch_size: '2' },
    },
    AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
    InputDataConfig: [
      {
        ...{ ChannelName: 'train', ContentType: 'text/csv' },
        DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/train/' } },
      },
    ],
    OutputDataConfig: { S3OutputPath: 's3://data/models/' },
    ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 30 },
    StoppingCondition: { MaxRuntimeInSeconds: 60 },
  };
  const train = (errors: string[]) => caught('arn:aws:states:::sagemaker:createTrainingJob.sync', trainingJob, errors);

  test('a training job is waited for; a second of the same name is refused', async () => {
    await objects.put('data', 'train/0', '1,2\n0,1\n1,3\n0,2\n');
    const { result } = await run(train(['States.ALL']));
    expect(result).toMatchObject({
      TrainingJobStatus: 'Completed',
      ModelArtifacts: { S3ModelArtifacts: 's3://data/models/job-1/output/model.tar.gz' },
      CreationTime: expect.any(Number),
    });
    expect(Math.abs(result.CreationTime - Date.now())).toBeLessThan(60_000);
    const again = await run(train(['SageMaker.ResourceInUseException']));
    expect(again.result.failure.Cause).toContain('Training job names must be unique');
  });

  test('a training job that failed fails the task, with its description as the cause', async () => {
    await objects.put('data', 'train/0', '1,2\n0,x\n');
    const { result } = await run(train(['States.TaskFailed']));
    expect(JSON.parse(result.failure.Cause)).toMatchObject({
      TrainingJobStatus: 'Failed',
      FailureReason: expect.stringContaining('line 2: column 2 is "x", not a number'),
    });
  });

  test('an endpoint that does not exist is a SageMakerException of the AWS SDK integration', async () => {
    const resource = 'arn:aws:states:::aws-sdk:sagemaker:describeEndpoint';
    const { result } = await run(caught(resource, { EndpointName: 'none' }, ['SageMaker.SageMakerException']));
    expect(result.failure.Cause).toMatch(
      /^Could not find endpoint "arn:.*:endpoint\/none". \(Service: SageMaker, Status Code: 400, Request ID: .*\)$/,
    );
  });
});
