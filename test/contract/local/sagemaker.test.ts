import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  type CreateTrainingJobCommandInput,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  DescribeTrainingJobCommand,
  ListEndpointConfigsCommand,
  ListEndpointsCommand,
  ListModelsCommand,
  ListTagsCommand,
  ListTrainingJobsCommand,
  SageMakerClient,
  StopTrainingJobCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sageMaker } from '../../../infra/local/sagemaker/sagemaker.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { trainingImage } from '../../../shared/training/images.ts';
import { served } from '../../given/served.ts';

const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';
const ROLE = 'arn:aws:iam::000000000000:role/training';
const ARN = 'arn:aws:sagemaker:us-east-1:000000000000';

let dir: string;
let objects: ObjectStore;
let close: () => Promise<void>;
let control: SageMakerClient;
let runtime: SageMakerRuntimeClient;

async function open() {
  const db = new DatabaseSync(join(dir, 'cloud.sqlite'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  const local = sageMaker({ db, objects });
  const cloud = await served(local.services);
  control = new SageMakerClient(cloud.client);
  runtime = new SageMakerRuntimeClient(cloud.client);
  close = async () => {
    await local.close();
    await cloud.close();
    db.close();
  };
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sagemaker-'));
  await open();
});
afterEach(async () => {
  await close();
  rmSync(dir, { recursive: true });
});

/** Rows whose label follows from the first feature, apart from every seventh. */
function csv(count: number, first = 0): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const row = first + i;
    const feature = ((row * 37) % 100) / 10;
    const label = feature > 5 !== (row % 7 === 0) ? 1 : 0;
    return `${label},${feature},${row % 3}\n`;
  });
  return lines.join('');
}

const channel = (ChannelName: string, S3Uri: string) => ({
  ChannelName,
  ContentType: 'text/csv',
  DataSource: {
    S3DataSource: {
      S3DataType: 'S3Prefix' as const,
      S3Uri,
      S3DataDistributionType: 'FullyReplicated' as const,
    },
  },
});

const job = (
  TrainingJobName: string,
  overrides: Partial<CreateTrainingJobCommandInput> = {},
): CreateTrainingJobCommandInput => ({
  TrainingJobName,
  RoleArn: ROLE,
  AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
  HyperParameters: { predictor_type: 'binary_classifier', mini_batch_size: '100' },
  InputDataConfig: [channel('train', 's3://data/set/train/'), channel('validation', 's3://data/set/validation/')],
  OutputDataConfig: { S3OutputPath: 's3://data/models/' },
  ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 3600 },
  ...overrides,
});

async function until<T>(look: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (done(value)) return value;
    await sleep(20);
  }
}

const trained = (TrainingJobName: string) =>
  until(
    () => control.send(new DescribeTrainingJobCommand({ TrainingJobName })),
    (it) => it.TrainingJobStatus !== 'InProgress' && it.TrainingJobStatus !== 'Stopping',
  );

const deployed = (EndpointName: string) =>
  until(
    () => control.send(new DescribeEndpointCommand({ EndpointName })),
    (it) => it.EndpointStatus !== 'Creating' && it.EndpointStatus !== 'Updating',
  );

async function train(name: string, overrides?: Partial<CreateTrainingJobCommandInput>) {
  await control.send(new CreateTrainingJobCommand(job(name, overrides)));
  return trained(name);
}

async function putTrainingSet() {
  await objects.put('data', 'set/train/part-0', csv(300));
  await objects.put('data', 'set/train/part-1', csv(100, 300));
  await objects.put('data', 'set/validation/part-0', csv(100, 400));
}

/** A trained model, its configuration and, when asked for, an endpoint in service with it. */
async function makeConfig(name: string) {
  await train(name);
  await control.send(
    new CreateModelCommand({
      ModelName: name,
      ExecutionRoleArn: ROLE,
      PrimaryContainer: { Image: IMAGE, ModelDataUrl: `s3://data/models/${name}/output/model.tar.gz` },
    }),
  );
  await control.send(
    new CreateEndpointConfigCommand({
      EndpointConfigName: name,
      ProductionVariants: [
        { VariantName: 'AllTraffic', ModelName: name, InstanceType: 'ml.t2.medium', InitialInstanceCount: 1 },
      ],
    }),
  );
}

async function makeEndpoint(EndpointName: string, EndpointConfigName: string) {
  await control.send(new CreateEndpointCommand({ EndpointName, EndpointConfigName }));
  return deployed(EndpointName);
}

async function invoke(Body: string, options: { Accept?: string; ContentType?: string } = {}) {
  const answer = await runtime.send(
    new InvokeEndpointCommand({ EndpointName: 'scores', ContentType: 'text/csv', Body, ...options }),
  );
  return { ...answer, text: answer.Body?.transformToString() ?? '' };
}

describe('a training job', () => {
  test('reads every object of its channels, and publishes metrics and a model artefact', async () => {
    await putTrainingSet();
    const done = await train('job-1', { Tags: [{ Key: 'team', Value: 'a' }] });
    expect(done).toMatchObject({
      TrainingJobName: 'job-1',
      TrainingJobArn: `${ARN}:training-job/job-1`,
      TrainingJobStatus: 'Completed',
      SecondaryStatus: 'Completed',
      ModelArtifacts: { S3ModelArtifacts: 's3://data/models/job-1/output/model.tar.gz' },
      HyperParameters: { predictor_type: 'binary_classifier' },
    });
    expect(done.SecondaryStatusTransitions?.map((it) => it.Status)).toEqual([
      ...['Starting', 'Downloading', 'Training', 'Uploading', 'Completed'],
    ]);
    expect(done.TrainingEndTime?.getTime()).toBeGreaterThanOrEqual(done.TrainingStartTime?.getTime() ?? Infinity);
    const metrics = new Map(done.FinalMetricDataList?.map((it) => [it.MetricName, it.Value ?? 0]));
    expect(metrics.get('validation:roc_auc_score')).toBeGreaterThan(0.8);
    expect(metrics.get('validation:binary_classification_accuracy')).toBeCloseTo(0.86, 1);
    const artifact = await objects.get('data', 'models/job-1/output/model.tar.gz');
    expect([artifact[0], artifact[1]]).toEqual([0x1f, 0x8b]);
    const tags = await control.send(new ListTagsCommand({ ResourceArn: done.TrainingJobArn }));
    expect(tags.Tags).toEqual([{ Key: 'team', Value: 'a' }]);
  });

  test('fails with the file and line of a bad row', async () => {
    await putTrainingSet();
    await objects.put('data', 'set/train/part-1', '1,2,3\nyes,2,3\n');
    expect(await train('job-1')).toMatchObject({
      TrainingJobStatus: 'Failed',
      SecondaryStatus: 'Failed',
      FailureReason: 'ClientError: s3://data/set/train/part-1, line 2: column 1 is "yes", not a number',
    });
  });

  test('fails when a channel has no object, or the channels differ in width', async () => {
    expect((await train('job-1')).FailureReason).toContain('No S3 objects found under S3 URL "s3://data/set/train/"');
    await putTrainingSet();
    await objects.put('data', 'set/validation/part-0', '1,2\n');
    const { FailureReason } = await train('job-2');
    expect(FailureReason).toBe('ClientError: channel train has 2 features, channel validation says 1');
  });

  test('has a name of its own for ever', async () => {
    await putTrainingSet();
    await train('job-1');
    await expect(train('job-1')).rejects.toMatchObject({
      name: 'ResourceInUse',
      message: expect.stringContaining('Training job names must be unique within an AWS account and region'),
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('stops at its longest run time', async () => {
    await objects.put('data', 'set/train/part-0', csv(3000).repeat(1500));
    const stopped = await train('job-1', {
      InputDataConfig: [channel('train', 's3://data/set/train/')],
      StoppingCondition: { MaxRuntimeInSeconds: 1 },
    });
    expect(stopped).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' });
    expect(stopped.ModelArtifacts).toBeUndefined();
  });

  test('can be stopped, once', async () => {
    await objects.put('data', 'set/train/part-0', csv(200_000));
    const overrides = { InputDataConfig: [channel('train', 's3://data/set/train/')] };
    await control.send(new CreateTrainingJobCommand(job('job-1', overrides)));
    await control.send(new StopTrainingJobCommand({ TrainingJobName: 'job-1' }));
    expect(await trained('job-1')).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' });
    await expect(control.send(new StopTrainingJobCommand({ TrainingJobName: 'job-1' }))).rejects.toThrow(
      'the training job is in status Stopped',
    );
  });

  test('left in progress by a stopped cloud is Failed when the cloud is back', async () => {
    await objects.put('data', 'set/train/part-0', csv(200_000));
    const overrides = { InputDataConfig: [channel('train', 's3://data/set/train/')] };
    await control.send(new CreateTrainingJobCommand(job('job-1', overrides)));
    await close();
    await open();
    expect(await control.send(new DescribeTrainingJobCommand({ TrainingJobName: 'job-1' }))).toMatchObject({
      TrainingJobStatus: 'Failed',
      FailureReason: expect.stringContaining('the local cloud was stopped'),
    });
  });

  test.each<[string, Partial<CreateTrainingJobCommandInput>, string]>([
    [
      'another image',
      { AlgorithmSpecification: { TrainingImage: '1.dkr/mine:1', TrainingInputMode: 'File' } },
      'runs no containers',
    ],
    [
      'Pipe mode',
      { AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'Pipe' } },
      'TrainingInputMode=Pipe',
    ],
    [
      'compressed channels',
      { InputDataConfig: [{ ...channel('train', 's3://data/x'), CompressionType: 'Gzip' }] },
      'CompressionType=Gzip',
    ],
    ['spot instances', { EnableManagedSpotTraining: true }, 'EnableManagedSpotTraining'],
    ['an unknown hyperparameter', { HyperParameters: { predictor_type: 'binary_classifier', depth: '3' } }, 'depth'],
    ['a bad name', { TrainingJobName: 'a_b' }, "Value 'a_b' at 'trainingJobName' failed to satisfy constraint"],
    [
      'no role',
      { RoleArn: undefined },
      "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
    ],
  ])('is refused with %s', async (_, overrides, message) => {
    await expect(control.send(new CreateTrainingJobCommand(job('job-1', overrides)))).rejects.toThrow(message);
    expect((await control.send(new ListTrainingJobsCommand({}))).TrainingJobSummaries).toEqual([]);
  });
});

test('xgboost is refused by name, for training and for serving, with the way out', async () => {
  const image = trainingImage('xgboost', 'us-east-1');
  const refusal = {
    name: 'NotImplementedException',
    message: `The local cloud does not implement xgboost (image ${image}; the parameter trainingAlgorithm has to be linear-learner here) of SageMaker. It implements what Tributary calls; use real AWS, or add it in infra/local.`,
    $metadata: { httpStatusCode: 400, attempts: 1 },
  };
  await putTrainingSet();
  const training = job('job-1', {
    AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' },
    HyperParameters: { objective: 'binary:logistic', num_round: '100' },
  });
  await expect(control.send(new CreateTrainingJobCommand(training))).rejects.toMatchObject(refusal);
  const PrimaryContainer = { Image: image, ModelDataUrl: 's3://data/set/train/part-1' };
  const model = { ModelName: 'model-1', ExecutionRoleArn: ROLE, PrimaryContainer };
  await expect(control.send(new CreateModelCommand(model))).rejects.toMatchObject(refusal);
});

describe('an endpoint', () => {
  beforeEach(async () => {
    await putTrainingSet();
    await makeConfig('first');
  });

  test('is Creating, then in service, and answers as linear-learner does', async () => {
    await control.send(new CreateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'first' }));
    expect((await control.send(new DescribeEndpointCommand({ EndpointName: 'scores' }))).EndpointStatus).toBe(
      'Creating',
    );
    await expect(invoke('9,1')).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Endpoint scores of account 000000000000 not found.',
    });
    expect(await deployed('scores')).toMatchObject({
      EndpointArn: `${ARN}:endpoint/scores`,
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      ProductionVariants: [{ VariantName: 'AllTraffic', CurrentInstanceCount: 1 }],
    });
    const one = await invoke('9.5,1');
    expect(one).toMatchObject({ ContentType: 'application/json', InvokedProductionVariant: 'AllTraffic' });
    expect(one.text).toMatch(/^\{"predictions":\[\{"score":0\.\d+,"predicted_label":1\.0\}\]\}$/);
    const many = JSON.parse((await invoke('9.5,1\n0.5,2\r\n9.5,1\n')).text).predictions;
    expect(many.map((it: { predicted_label: number }) => it.predicted_label)).toEqual([1, 0, 1]);
    const lines = await invoke('9.5,1\n0.5,2', { Accept: 'application/jsonlines' });
    expect(
      lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(many.slice(0, 2));
  });

  test('passes on what the model refuses as ModelError', async () => {
    await makeEndpoint('scores', 'first');
    await expect(invoke('1,2,3')).rejects.toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 400,
      OriginalMessage: 'row 1 has 3 features; the model takes 2',
      $metadata: { httpStatusCode: 424 },
    });
    await expect(invoke('1,2\n1,x')).rejects.toMatchObject({ OriginalMessage: 'row 2: column 2 is "x", not a number' });
    await expect(invoke('{}', { ContentType: 'text/plain' })).rejects.toMatchObject({ OriginalStatusCode: 415 });
    await expect(invoke('1,2', { Accept: 'text/html' })).rejects.toMatchObject({ OriginalStatusCode: 406 });
    await expect(invoke('1'.repeat(6_291_457))).rejects.toThrow('less than or equal to 6291456');
  });

  test('is updated without a gap: the old configuration serves and shows until the new one does', async () => {
    await makeEndpoint('scores', 'first');
    await objects.put('data', 'set/train/part-2', csv(50, 500));
    await makeConfig('second');
    const before = (await invoke('9.5,1')).text;
    await control.send(new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' }));
    expect(await control.send(new DescribeEndpointCommand({ EndpointName: 'scores' }))).toMatchObject({
      EndpointStatus: 'Updating',
      EndpointConfigName: 'first',
    });
    expect((await invoke('9.5,1')).text).toBe(before);
    const again = new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' });
    await expect(control.send(again)).rejects.toThrow(`Cannot update in-progress endpoint "${ARN}:endpoint/scores".`);
    expect(await deployed('scores')).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'second' });
    expect((await invoke('9.5,1')).text).not.toBe(before);
  });

  test('goes back to the old configuration when the new one cannot be deployed', async () => {
    await makeEndpoint('scores', 'first');
    await makeConfig('second');
    await objects.put('data', 'models/second/output/model.tar.gz', 'not an archive');
    await control.send(new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' }));
    expect(await deployed('scores')).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      FailureReason: expect.stringContaining('endpoint configuration second'),
    });
    expect((await invoke('9.5,1')).text).toContain('predicted_label');
  });

  test('that never had a model is Failed, and can be deleted', async () => {
    await objects.delete('data', 'models/first/output/model.tar.gz');
    expect(await makeEndpoint('scores', 'first')).toMatchObject({
      EndpointStatus: 'Failed',
      FailureReason: expect.stringContaining('The specified key does not exist'),
    });
    await control.send(new DeleteEndpointCommand({ EndpointName: 'scores' }));
    await expect(control.send(new DescribeEndpointCommand({ EndpointName: 'scores' }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: `Could not find endpoint "${ARN}:endpoint/scores".`,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('serves the same after a restart, even when its artefact is gone', async () => {
    await makeEndpoint('scores', 'first');
    const before = (await invoke('9.5,1')).text;
    await objects.delete('data', 'models/first/output/model.tar.gz');
    await close();
    await open();
    expect((await invoke('9.5,1')).text).toBe(before);
  });

  test('cannot be updated once its own configuration is deleted', async () => {
    await makeEndpoint('scores', 'first');
    await makeConfig('second');
    await control.send(new DeleteEndpointConfigCommand({ EndpointConfigName: 'first' }));
    const update = new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' });
    await expect(control.send(update)).rejects.toThrow(
      `Could not find endpoint configuration "${ARN}:endpoint-config/first".`,
    );
  });

  test('waits as long as a blue/green policy says, and refuses the policies that are not carried out', async () => {
    await makeEndpoint('scores', 'first');
    const update = (TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE' | 'CANARY'; WaitIntervalInSeconds: number }) =>
      control.send(
        new UpdateEndpointCommand({
          EndpointName: 'scores',
          EndpointConfigName: 'first',
          DeploymentConfig: { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration } },
        }),
      );
    // One instance has no half.
    await expect(update({ Type: 'CANARY', WaitIntervalInSeconds: 1 })).rejects.toThrow('canarySize');
    const alarms = { AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }] } };
    const withAlarms = new UpdateEndpointCommand({
      ...{ EndpointName: 'scores', EndpointConfigName: 'first' },
      DeploymentConfig: { BlueGreenUpdatePolicy: undefined, ...alarms },
    });
    await expect(control.send(withAlarms)).rejects.toThrow('Could not find CloudWatch alarm "errors"');
    const began = Date.now();
    await update({ Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 1 });
    await deployed('scores');
    expect(Date.now() - began).toBeGreaterThanOrEqual(1000);
  });
});

describe('models and configurations', () => {
  test('are described, listed, tagged and deleted', async () => {
    await putTrainingSet();
    await makeConfig('first');
    await makeConfig('second');
    expect(await control.send(new DescribeModelCommand({ ModelName: 'first' }))).toMatchObject({
      ModelArn: `${ARN}:model/first`,
      PrimaryContainer: { Image: IMAGE },
    });
    const config = await control.send(new DescribeEndpointConfigCommand({ EndpointConfigName: 'first' }));
    expect(config.ProductionVariants).toEqual([
      expect.objectContaining({ VariantName: 'AllTraffic', ModelName: 'first', InitialVariantWeight: 1 }),
    ]);
    const page = await control.send(new ListModelsCommand({ MaxResults: 1 }));
    expect(page.Models?.map((it) => it.ModelName)).toEqual(['second']);
    const rest = await control.send(new ListModelsCommand({ MaxResults: 1, NextToken: page.NextToken }));
    expect(rest.Models?.map((it) => it.ModelName)).toEqual(['first']);
    expect(rest.NextToken).toBeUndefined();
    const configs = await control.send(new ListEndpointConfigsCommand({ NameContains: 'fir' }));
    expect(configs.EndpointConfigs?.map((it) => it.EndpointConfigName)).toEqual(['first']);
    expect((await control.send(new ListEndpointsCommand({ StatusEquals: 'InService' }))).Endpoints).toEqual([]);
    const ResourceArn = `${ARN}:model/first`;
    await control.send(new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'hash', Value: '1' }] }));
    await control.send(new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'hash', Value: '2' }] }));
    expect((await control.send(new ListTagsCommand({ ResourceArn }))).Tags).toEqual([{ Key: 'hash', Value: '2' }]);
    await control.send(new DeleteModelCommand({ ModelName: 'first' }));
    await expect(control.send(new DescribeModelCommand({ ModelName: 'first' }))).rejects.toThrow(
      `Could not find model "${ARN}:model/first".`,
    );
  });

  test('are not made twice, nor from what does not exist', async () => {
    await putTrainingSet();
    await makeConfig('first');
    await makeEndpoint('scores', 'first');
    const PrimaryContainer = { Image: IMAGE, ModelDataUrl: 's3://data/models/first/output/model.tar.gz' };
    const model = { ModelName: 'first', ExecutionRoleArn: ROLE, PrimaryContainer };
    const variant = {
      VariantName: 'v',
      ModelName: 'first',
      InstanceType: 'ml.t2.medium',
      InitialInstanceCount: 1,
    } as const;
    const refused = async (sent: Promise<unknown>, message: string) =>
      expect(sent).rejects.toMatchObject({ name: 'ValidationException', message });
    await refused(
      control.send(new CreateModelCommand(model)),
      `Cannot create already existing model "${ARN}:model/first".`,
    );
    await refused(
      control.send(new CreateEndpointConfigCommand({ EndpointConfigName: 'first', ProductionVariants: [variant] })),
      `Cannot create already existing endpoint configuration "${ARN}:endpoint-config/first".`,
    );
    await refused(
      control.send(new CreateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'first' })),
      `Cannot create already existing endpoint "${ARN}:endpoint/scores".`,
    );
    const ModelDataUrl = 's3://data/models/none/output/model.tar.gz';
    await refused(
      control.send(
        new CreateModelCommand({ ...model, ModelName: 'other', PrimaryContainer: { Image: IMAGE, ModelDataUrl } }),
      ),
      `Could not find model data at ${ModelDataUrl}.`,
    );
    await refused(
      control.send(
        new CreateEndpointConfigCommand({
          EndpointConfigName: 'other',
          ProductionVariants: [{ ...variant, ModelName: 'none' }],
        }),
      ),
      `Could not find model "${ARN}:model/none".`,
    );
    await refused(
      control.send(new CreateEndpointCommand({ EndpointName: 'other', EndpointConfigName: 'none' })),
      `Could not find endpoint configuration "${ARN}:endpoint-config/none".`,
    );
  });
});
