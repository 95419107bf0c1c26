import { setTimeout as sleep } from 'node:timers/promises';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AwsError } from '../../../../infra/local/protocol/aws-error.ts';
import { caught, localStepFunctions, machine } from '../../../given/local/step-functions.ts';

const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';
const ROLE = 'arn:aws:iam::000000000000:role/training';

let states: Awaited<ReturnType<typeof localStepFunctions>>;

beforeEach(async () => {
  states = await localStepFunctions();
});
afterEach(() => states.close());

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
    states.operations.lambda = {
      Invoke: (input: object) => {
        seen.push(input);
        return { StatusCode: 200, Payload: '{"answer":42}' };
      },
    };
    const failure = { Error: 'E', Cause: JSON.stringify({ message: 'said "no"\n' }) };
    const { result } = await states.run(invoke(), { n: 1, failure });
    expect(result).toMatchObject({ StatusCode: 200, Payload: { answer: 42 } });
    const Payload = JSON.stringify({ n: 1, text: JSON.stringify(failure) });
    expect(seen).toEqual([{ FunctionName: 'retrain', Payload }]);
  });

  test('fails by the type of the error that the function threw', async () => {
    const Payload = JSON.stringify({ errorType: 'EpochClosed', errorMessage: 'too late' });
    states.operations.lambda = { Invoke: () => ({ StatusCode: 200, FunctionError: 'Unhandled', Payload }) };
    const input = { n: 1, failure: {} };
    expect(await states.run(invoke(), input)).toMatchObject({ status: 'FAILED', error: 'EpochClosed', cause: Payload });
    const definition = caught(RESOURCE, { FunctionName: 'retrain' }, ['EpochClosed']);
    const execution = await states.run(definition);
    expect(execution.result).toEqual({ failure: { Error: 'EpochClosed', Cause: Payload } });
    const failed = (await states.historyOf(execution.executionArn ?? '')).find((it) => it.type === 'TaskFailed');
    expect(failed?.taskFailedEventDetails).toEqual({
      ...{ resourceType: 'lambda', resource: 'invoke', error: 'EpochClosed', cause: Payload },
    });
  });

  test('is retried, and given up after as many attempts as the definition says', async () => {
    let calls = 0;
    states.operations.lambda = {
      Invoke: () => {
        calls += 1;
        throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
      },
    };
    const Retry = [
      { ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 },
    ];
    const execution = await states.run(invoke({ Retry }), { n: 1, failure: {} });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Lambda.TooManyRequestsException' });
    expect(calls).toBe(3);
  });

  test('is timed out by TimeoutSeconds, which States.TaskFailed does not catch', async () => {
    states.operations.lambda = { Invoke: () => sleep(5000, { StatusCode: 200 }) };
    const limited = (error: string) => caught(RESOURCE, { FunctionName: 'retrain' }, [error], { TimeoutSeconds: 1 });
    expect(await states.run(limited('States.TaskFailed'))).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect((await states.run(limited('States.Timeout'))).result.failure.Error).toBe('States.Timeout');
  });

  test('of more than 256 KiB is no result', async () => {
    const Payload = JSON.stringify('x'.repeat(262_144));
    states.operations.lambda = { Invoke: () => ({ StatusCode: 200, Payload }) };
    const definition = caught(RESOURCE, { FunctionName: 'retrain' }, ['States.ALL']);
    expect(await states.run(definition)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

describe('a query that is waited for', () => {
  const RESOURCE = 'arn:aws:states:::athena:startQueryExecution.sync';
  const query = { QueryString: 'SELECT 1' };
  const status = (State: string) => ({
    QueryExecution: { QueryExecutionId: 'q', Status: { State, SubmissionDateTime: 1_700_000_000.5 } },
  });

  test('gives its description once it has succeeded, times in milliseconds', async () => {
    const upcoming = ['QUEUED', 'RUNNING', 'SUCCEEDED'];
    states.operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status(upcoming.shift() ?? ''),
    };
    const { result } = await states.run(caught(RESOURCE, query, ['States.ALL']));
    expect(result.QueryExecution).toEqual({
      QueryExecutionId: 'q',
      Status: { State: 'SUCCEEDED', SubmissionDateTime: 1_700_000_000_500 },
    });
  });

  test('fails the task, with its description as the cause', async () => {
    states.operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status('FAILED'),
    };
    const { result } = await states.run(caught(RESOURCE, query, ['States.TaskFailed']));
    expect(result.failure.Error).toBe('States.TaskFailed');
    expect(JSON.parse(result.failure.Cause).QueryExecution.Status.State).toBe('FAILED');
  });

  test('is looked at again when a look is throttled', async () => {
    states.operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status('SUCCEEDED'),
    };
    states.faults.inject({ service: 'athena', operation: 'GetQueryExecution', kind: 'before', times: 2 });
    expect((await states.run(caught(RESOURCE, query, ['None']))).status).toBe('SUCCEEDED');
  });

  test('is stopped with its execution', async () => {
    const stopped = Promise.withResolvers<unknown>();
    states.operations.athena = {
      StartQueryExecution: () => ({ QueryExecutionId: 'q' }),
      GetQueryExecution: () => status('RUNNING'),
      StopQueryExecution: (input: object) => stopped.resolve(input),
    };
    states.createStateMachine(caught(RESOURCE, query, ['States.ALL']));
    const executionArn = await states.start();
    await sleep(100);
    await states.send(new StopExecutionCommand({ executionArn }));
    expect(await stopped.promise).toEqual({ QueryExecutionId: 'q' });
    expect((await states.ended(executionArn)).status).toBe('ABORTED');
  });
});

describe('errors of services', () => {
  const failing = (service: 'athena' | 'dynamodb', operation: string, code: string) => {
    states.operations[service] = {
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
    const { result } = await states.run(caught(`arn:aws:states:::${resource}`, {}, [name]));
    expect(result.failure).toEqual({ Error: name, Cause: expect.stringMatching(/^no \(Service: .*400/) });
  });

  test('a lost answer is an error of the SDK client', async () => {
    states.operations.dynamodb = { PutItem: () => ({}) };
    states.faults.inject({ service: 'dynamodb', kind: 'after' });
    const definition = caught('arn:aws:states:::dynamodb:putItem', {}, ['DynamoDB.SdkClientException']);
    expect((await states.run(definition)).result.failure.Error).toBe('DynamoDB.SdkClientException');
  });

  test('an operation that the local cloud lacks fails aloud', async () => {
    const definition = caught('arn:aws:states:::aws-sdk:sagemaker:createAutoMLJob', {}, ['None']);
    expect(await states.run(definition)).toMatchObject({
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
    await states.objects.put('data', 'train/0', '1,2\n0,1\n1,3\n0,2\n');
    const { result } = await states.run(train(['States.ALL']));
    expect(result).toMatchObject({
      TrainingJobStatus: 'Completed',
      ModelArtifacts: { S3ModelArtifacts: 's3://data/models/job-1/output/model.tar.gz' },
      CreationTime: expect.any(Number),
    });
    expect(Math.abs(result.CreationTime - Date.now())).toBeLessThan(60_000);
    const again = await states.run(train(['SageMaker.ResourceInUseException']));
    expect(again.result.failure.Cause).toContain('Training job names must be unique');
  });

  test('a training job that failed fails the task, with its description as the cause', async () => {
    await states.objects.put('data', 'train/0', '1,2\n0,x\n');
    const { result } = await states.run(train(['States.TaskFailed']));
    expect(JSON.parse(result.failure.Cause)).toMatchObject({
      TrainingJobStatus: 'Failed',
      FailureReason: expect.stringContaining('line 2: column 2 is "x", not a number'),
    });
  });

  test('an endpoint that does not exist is a SageMakerException of the AWS SDK integration', async () => {
    const resource = 'arn:aws:states:::aws-sdk:sagemaker:describeEndpoint';
    const { result } = await states.run(caught(resource, { EndpointName: 'none' }, ['SageMaker.SageMakerException']));
    expect(result.failure.Cause).toMatch(
      /^Could not find endpoint "arn:.*:endpoint\/none". \(Service: SageMaker, Status Code: 400, Request ID: .*\)$/,
    );
  });
});
