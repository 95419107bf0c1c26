import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateModelCommand, SageMakerClient, UpdateEndpointCommand } from '@aws-sdk/client-sagemaker';
import {
  GetRecordCommand,
  PutRecordCommand,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cloud, startCloud } from '../../../../infra/local/cloud.ts';
import type { RoleProperties } from '../../../../infra/local/iam/roles.ts';

const ORDERS = new URL('../../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;
const STACK = 'tributary-orders-v2-dev';
const PARAMS = {
  ...{ changeLogBufferSeconds: 0, labelsWindowSeconds: 0, coolDownSeconds: 0, endpointPollSeconds: 1 },
  ...{ labelsThreshold: 20, labelsPerClassMin: 0, retryBackoffSeconds: 3600 },
  ...{ trainRowsPerClassMin: 1, validationRowsPerClassMin: 0, judgeRowsPerClassMin: 1, gateFloor: 0 },
};
/** Longest wait for what a function does by itself, in milliseconds. */
const WAIT_MS_MAX = 45_000;

let dir: string;
let cloud: Cloud;
const log: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-iam-'));
  const onLog = (source: string, line: string) => log.push(`${source} ${line}`);
  cloud = await startCloud({ dir, port: 0, featureGroup: ORDERS, params: PARAMS, onLog });
});
afterAll(async () => {
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

const roleArn = (logicalId: string) => `arn:aws:iam::000000000000:role/${STACK}-${logicalId}`;

/** Clients of whoever has a role's key. */
function clientsAs(logicalId: string) {
  const accessKeyId = cloud.roles.accessKeyOf({ roleArn: roleArn(logicalId), session: 'test' });
  return settings(accessKeyId);
}
const settings = (accessKeyId: string) => ({
  ...{ endpoint: cloud.endpoint, region: 'us-east-1', maxAttempts: 1 },
  credentials: { accessKeyId, secretAccessKey: 'secret' },
});

/** Takes an action out of a role, and gives what puts it back. */
function withoutAction(logicalId: string, action: string): () => void {
  const resource = cloud.stack.resources.find((it) => it.logicalId === logicalId);
  const properties = resource?.properties as unknown as RoleProperties;
  let removed = 0;
  const Policies = (properties.Policies ?? []).map((policy) => {
    const document = policy.PolicyDocument as { Statement: { Action: string[] }[] };
    const Statement = document.Statement.map((statement) => {
      const Action = statement.Action.filter((it) => it !== action);
      removed += statement.Action.length - Action.length;
      return { ...statement, Action };
    });
    return { ...policy, PolicyDocument: { ...document, Statement } };
  });
  expect(removed, `${action} of ${logicalId}`).toBeGreaterThan(0);
  cloud.roles.put(roleArn(logicalId), { ...properties, Policies });
  return () => cloud.roles.put(roleArn(logicalId), properties);
}

async function logged(pattern: RegExp): Promise<string> {
  for (const deadline = Date.now() + WAIT_MS_MAX; Date.now() < deadline; await sleep(50)) {
    const line = log.find((it) => pattern.test(it));
    if (line) return line;
  }
  throw new Error(
    `nothing like ${pattern} was logged; the last lines:\n${log
      .filter((it) => it.includes('ingest'))
      .slice(-5)
      .join('\n')}`,
  );
}

let written = 0;
async function writeOrders(count: number): Promise<void> {
  const items = Array.from({ length: count }, (_, index) => {
    written += 1;
    const features = {
      unitPrice: { N: '2.5' },
      size: { S: 'small' },
      quantity: { N: '1' },
      returned: { N: String(index % 2) },
    };
    return {
      PutRequest: {
        Item: {
          pk: { S: `o-${written}` },
          sk: { S: '1' },
          updatedAt: { N: String(1_795_000_000 + written) },
          ...features,
        },
      },
    };
  });
  for (let first = 0; first < count; first += 25) {
    const RequestItems = { 'shop.orders': items.slice(first, first + 25) };
    await cloud.call('dynamodb', 'BatchWriteItem', { RequestItems });
  }
}

describe('a role’s key', () => {
  const denied = (action: string, resource: string, role = 'PredictRole') =>
    `User: arn:aws:sts::000000000000:assumed-role/${STACK}-${role}/test is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;

  test('does what the role may, and is denied the rest in AWS’s words', async () => {
    const dynamodb = new DynamoDBClient(clientsAs('PredictRole'));
    const TableName = cloud.stack.outputs.StateTableName;
    const stateTable = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`;
    await expect(dynamodb.send(new GetItemCommand({ TableName, Key: { pk: { S: 'x' } } }))).resolves.toBeDefined();
    await expect(dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: 'x' } } }))).rejects.toMatchObject({
      ...{ name: 'AccessDeniedException', message: denied('dynamodb:PutItem', stateTable) },
      $metadata: { httpStatusCode: 400 },
    });
    await expect(dynamodb.send(new ScanCommand({ TableName }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    dynamodb.destroy();
  });

  test('is denied by REST services with 403', async () => {
    const store = new SageMakerFeatureStoreRuntimeClient(clientsAs('PredictRole'));
    const FeatureGroupName = 'Orders_v2';
    await expect(
      store.send(new GetRecordCommand({ FeatureGroupName, RecordIdentifierValueAsString: 'x' })),
    ).resolves.toBeDefined();
    await expect(store.send(new PutRecordCommand({ FeatureGroupName, Record: [] }))).rejects.toMatchObject({
      message: denied('sagemaker:PutRecord', 'arn:aws:sagemaker:us-east-1:000000000000:feature-group/orders_v2'),
      $metadata: { httpStatusCode: 403 },
    });
    store.destroy();
    const lambda = new LambdaClient(clientsAs('PredictRole'));
    await expect(lambda.send(new InvokeCommand({ FunctionName: `${STACK}-redrive` }))).rejects.toMatchObject({
      message: denied('lambda:InvokeFunction', `arn:aws:lambda:us-east-1:000000000000:function:${STACK}-redrive`),
    });
    lambda.destroy();
  });

  test('is denied by S3 in XML, by prefix; and is not told of missing objects that it may not list', async () => {
    const s3 = new S3Client(clientsAs('RedriveRole'));
    const Bucket = cloud.stack.outputs.QuarantineBucketName;
    await cloud.objects.put(String(Bucket), 'elsewhere/x', 'x');
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'quarantine/none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'elsewhere/x' }))).rejects.toMatchObject({
      ...{ name: 'AccessDenied', message: denied('s3:GetObject', `arn:aws:s3:::${Bucket}/elsewhere/x`, 'RedriveRole') },
      $metadata: { httpStatusCode: 403 },
    });
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: 'elsewhere/y', Body: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    const restore = withoutAction('RedriveRole', 's3:ListBucket');
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'quarantine/none' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    restore();
    s3.destroy();
  });

  test('passes a role on only to the service that its policy names', async () => {
    const sagemaker = new SageMakerClient(clientsAs('RetrainingStateMachineRole'));
    const model = (ExecutionRoleArn: string) =>
      new CreateModelCommand({
        ModelName: `${STACK}-m`,
        ExecutionRoleArn,
        PrimaryContainer: { Image: 'x/linear-learner:1', ModelDataUrl: 's3://none/x' },
      });
    await expect(sagemaker.send(model(roleArn('IngestRole')))).rejects.toMatchObject({
      message: denied('iam:PassRole', roleArn('IngestRole'), 'RetrainingStateMachineRole'),
    });
    await expect(sagemaker.send(model(roleArn('TrainingRole')))).rejects.toMatchObject({ name: 'ValidationException' });
    const restore = withoutAction('RetrainingStateMachineRole', 'cloudwatch:DescribeAlarms');
    const AutoRollbackConfiguration = { Alarms: [{ AlarmName: 'a' }] };
    const update = {
      EndpointName: STACK,
      EndpointConfigName: `${STACK}-c`,
      DeploymentConfig: { AutoRollbackConfiguration },
    };
    await expect(sagemaker.send(new UpdateEndpointCommand(update as never))).rejects.toMatchObject({
      message: expect.stringContaining('cloudwatch:DescribeAlarms'),
    });
    restore();
    sagemaker.destroy();
  });

  test('cannot call what nobody has said the rights of', async () => {
    const answer = await fetch(cloud.endpoint, {
      method: 'POST',
      headers: {
        'x-amz-target': 'DynamoDB_20120810.ListTables',
        authorization: `AWS4-HMAC-SHA256 Credential=${clientsAs('PredictRole').credentials.accessKeyId}/20261126/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: '{}',
    });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('cannot tell what rights ListTables of dynamodb needs');
  });

  test('of a user’s own is not checked', async () => {
    const dynamodb = new DynamoDBClient(settings('AKIASOMEBODYS'));
    await expect(
      dynamodb.send(new ScanCommand({ TableName: cloud.stack.outputs.StateTableName })),
    ).resolves.toBeDefined();
    dynamodb.destroy();
  });
});

describe('without one action the loop fails, and says which', () => {
  test('ingest cannot write the change log', async () => {
    const restore = withoutAction('IngestRole', 'firehose:PutRecordBatch');
    await writeOrders(1);
    const line = await logged(/^local cloud User: .*-IngestRole\/tributary-orders-v2-dev-ingest is not authorized/);
    expect(line).toContain('to perform: firehose:PutRecordBatch on resource: arn:aws:firehose:');
    // It is retried while there is time: put back, it gets through.
    restore();
    await cloud.idle();
  });

  test('Lambda cannot read the stream for ingest', async () => {
    const restore = withoutAction('IngestRole', 'dynamodb:GetRecords');
    await writeOrders(1);
    expect(await logged(/not authorized to perform: dynamodb:GetRecords/)).toContain(
      `${STACK}-IngestRole/${STACK}-ingest`,
    );
    restore();
    await cloud.idle();
  });

  test('the state machine cannot train', async () => {
    const restore = withoutAction('RetrainingStateMachineRole', 'sagemaker:CreateTrainingJob');
    await writeOrders(100);
    await cloud.idle();
    const stateMachineArn = cloud.stack.outputs.RetrainingStateMachineArn ?? '';
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:Orders_v2-epoch-1-attempt-1`;
    let execution = { status: 'RUNNING', cause: '' };
    for (
      const deadline = Date.now() + WAIT_MS_MAX;
      Date.now() < deadline && execution.status === 'RUNNING';
      await sleep(100)
    ) {
      execution = (await cloud
        .call('states', 'DescribeExecution', { executionArn })
        .catch(() => execution)) as typeof execution;
    }
    restore();
    expect(execution).toMatchObject({ status: 'FAILED', error: 'SageMaker.AmazonSageMakerException' });
    expect(execution.cause).toMatch(
      /not authorized to perform: sagemaker:CreateTrainingJob on resource: .*:training-job\//,
    );
  });

  test('a state machine whose role cannot make the rules that end its jobs is refused', async () => {
    const restore = withoutAction('RetrainingStateMachineRole', 'events:PutRule');
    const { definition } = (await cloud.call('states', 'DescribeStateMachine', {
      stateMachineArn: cloud.stack.outputs.RetrainingStateMachineArn,
    })) as { definition: string };
    const caller = { roleArn: roleArn('RetrainingStateMachineRole'), session: 'test' };
    const create = () =>
      cloud.roles.authorize(caller, 'states', 'CreateStateMachine', { definition: JSON.parse(definition) });
    await expect(create()).rejects.toThrow('events:PutRule');
    restore();
    await expect(create()).resolves.toBeUndefined();
  });
});

describe('a job works as the role that it is given', () => {
  const rows = Array.from({ length: 40 }, (_, row) => `${row % 2},${row % 7}\n`).join('');
  const uri = (key: string) => `s3://${cloud.stack.outputs.DataBucketName}/${key}`;
  let number = 0;

  async function trained(): Promise<{ TrainingJobStatus: string; FailureReason?: string }> {
    number += 1;
    const TrainingJobName = `${STACK}-job-${number}`;
    await cloud.objects.put(String(cloud.stack.outputs.DataBucketName), 'training-sets/x/part', rows);
    await cloud.call('sagemaker', 'CreateTrainingJob', {
      TrainingJobName,
      RoleArn: roleArn('TrainingRole'),
      AlgorithmSpecification: {
        TrainingImage: '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1',
        TrainingInputMode: 'File',
      },
      HyperParameters: { predictor_type: 'binary_classifier', mini_batch_size: '10' },
      InputDataConfig: [
        {
          ChannelName: 'train',
          ContentType: 'text/csv',
          DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: uri('training-sets/x/') } },
        },
      ],
      OutputDataConfig: { S3OutputPath: uri('models/') },
      ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
    });
    for (;;) {
      const found = await cloud.call('sagemaker', 'DescribeTrainingJob', { TrainingJobName });
      if ((found as { TrainingJobStatus: string }).TrainingJobStatus !== 'InProgress') return found as never;
      await sleep(20);
    }
  }

  test('and ends well when the role may what it needs', async () => {
    expect((await trained()).TrainingJobStatus).toBe('Completed');
  });

  test.each(['s3:ListBucket', 's3:GetObject', 's3:PutObject', 'ecr:BatchGetImage', 'ecr:GetAuthorizationToken'])(
    'and fails without %s, saying so',
    async (action) => {
      const restore = withoutAction('TrainingRole', action);
      const { TrainingJobStatus, FailureReason } = await trained();
      restore();
      expect(TrainingJobStatus).toBe('Failed');
      expect(FailureReason).toContain(`${STACK}-TrainingRole/SageMaker is not authorized to perform: ${action}`);
    },
  );
});

test('a role is assumed only by the service that it trusts', () => {
  expect(() => cloud.roles.checkTrust(roleArn('IngestRole'), 'states.amazonaws.com')).toThrow(
    /cannot be assumed by states/,
  );
  expect(() => cloud.roles.checkTrust(roleArn('IngestRole'), 'lambda.amazonaws.com')).not.toThrow();
});
