import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  CreateTrainingJobCommand,
  type CreateTrainingJobCommandInput,
  CreateTransformJobCommand,
  DescribeEndpointCommand,
  DescribeTrainingJobCommand,
  type DescribeTrainingJobCommandOutput,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linearLearnerOptions, trainLinearLearner } from '../../../../infra/local/sagemaker/learner/linear-learner.ts';
import { sageMaker } from '../../../../infra/local/sagemaker/sagemaker.ts';
import { ObjectStore } from '../../../../infra/local/storage/object-store.ts';
import { served } from '../../../given/served.ts';

/** Where SageMaker refuses what a kinder stand-in would take, and a deployment would fail. */

const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';
const ROLE = 'arn:aws:iam::000000000000:role/training';

let dir: string;
let control: SageMakerClient;
let runtime: SageMakerRuntimeClient;
let objects: ObjectStore;
let close: () => Promise<void>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'strict-'));
  objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  const db = new DatabaseSync(join(dir, 'cloud.sqlite'));
  const local = sageMaker({ db, objects });
  const cloud = await served(local.services);
  control = new SageMakerClient(cloud.client);
  runtime = new SageMakerRuntimeClient(cloud.client);
  close = async () => {
    await local.close();
    await cloud.close();
    db.close();
  };
  const rows = Array.from({ length: 60 }, (_, row) => `${row % 2},${(row % 2) + (row % 7) / 10},${row % 3}\n`).join('');
  await objects.put('data', 'train/part', rows);
  await objects.put('data', 'validation/part', rows);
  await ended('serving', job('serving'));
  const { ModelArtifacts } = await ended('serving');
  const PrimaryContainer = { Image: IMAGE, ModelDataUrl: ModelArtifacts?.S3ModelArtifacts };
  await control.send(new CreateModelCommand({ ModelName: 'm', ExecutionRoleArn: ROLE, PrimaryContainer }));
  await control.send(new CreateEndpointConfigCommand({ EndpointConfigName: 'c', ProductionVariants: [variant()] }));
  await control.send(new CreateEndpointCommand({ EndpointName: 'e', EndpointConfigName: 'c' }));
  for (let status = ''; status !== 'InService'; await sleep(50)) {
    status = (await control.send(new DescribeEndpointCommand({ EndpointName: 'e' }))).EndpointStatus ?? '';
  }
});
afterAll(async () => {
  control.destroy();
  runtime.destroy();
  await close();
  rmSync(dir, { recursive: true });
});

const variant = (more = {}) => ({
  ...{ VariantName: 'model', ModelName: 'm', InstanceType: 'ml.t2.medium' as const, InitialInstanceCount: 2, ...more },
});
const channel = (ChannelName: string, ContentType = 'text/csv') => ({
  ...{ ChannelName, ContentType },
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix' as const, S3Uri: `s3://data/${ChannelName}/` } },
});
const job = (
  TrainingJobName: string,
  more: Partial<CreateTrainingJobCommandInput> = {},
): CreateTrainingJobCommandInput => ({
  TrainingJobName,
  RoleArn: ROLE,
  AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
  HyperParameters: { predictor_type: 'binary_classifier', mini_batch_size: '50' },
  InputDataConfig: [channel('train'), channel('validation')],
  OutputDataConfig: { S3OutputPath: 's3://data/models/' },
  ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 600 },
  ...more,
});
const create = (more: Partial<CreateTrainingJobCommandInput>) =>
  control.send(new CreateTrainingJobCommand(job('refused', more)));

async function ended(
  TrainingJobName: string,
  input?: CreateTrainingJobCommandInput,
): Promise<DescribeTrainingJobCommandOutput> {
  if (input) await control.send(new CreateTrainingJobCommand(input));
  for (;;) {
    const found = await control.send(new DescribeTrainingJobCommand({ TrainingJobName }));
    if (found.TrainingJobStatus !== 'InProgress') return found;
    await sleep(20);
  }
}

describe('a training job', () => {
  test('with fewer rows than a mini batch fails, and says what to set', async () => {
    const HyperParameters = { predictor_type: 'binary_classifier' };
    const { TrainingJobStatus, FailureReason } = await ended('few', job('few', { HyperParameters }));
    expect(TrainingJobStatus).toBe('Failed');
    expect(FailureReason).toBe(
      'ClientError: the training rows are 60, fewer than one mini batch of 1000: set mini_batch_size to 60 or less',
    );
  });

  test.each<[string, Partial<CreateTrainingJobCommandInput>, RegExp]>([
    ['a name of 64 characters', { TrainingJobName: 'a'.repeat(64) }, /trainingJobName/],
    ['a name that ends in a hyphen', { TrainingJobName: 'a-' }, /trainingJobName/],
    ['a name with an underscore', { TrainingJobName: 'a_b' }, /trainingJobName/],
    ['a role that is no ARN', { RoleArn: 'training' }, /roleArn/],
    [
      'a content type of another algorithm',
      { InputDataConfig: [channel('train', 'text/libsvm')] },
      /trains on text\/csv/,
    ],
    ['51 tags', { Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' })) }, /tags/],
    ['a tag of a forbidden character', { Tags: [{ Key: 'k', Value: 'a;b' }] }, /tags\.value/],
    [
      'two tags of one key',
      {
        Tags: [
          { Key: 'k', Value: '1' },
          { Key: 'k', Value: '2' },
        ],
      },
      /unique/,
    ],
    [
      'a hyperparameter of 2,501 characters',
      { HyperParameters: { predictor_type: 'x'.repeat(2_501) } },
      /hyperParameters/,
    ],
    [
      'no instance',
      { ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 0, VolumeSizeInGB: 1 } },
      /instanceCount/,
    ],
    [
      'an instance of EC2',
      { ResourceConfig: { InstanceType: 'm5.large' as never, InstanceCount: 1, VolumeSizeInGB: 1 } },
      /instanceType/,
    ],
  ])('with %s is refused', async (_, more, message) => {
    await expect(create(more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
  });

  test('chooses its model on the validation rows, which have had a say in it', () => {
    // Few rows and many features of noise: the strong penalty does better on rows that the fit has not seen.
    const noise = (row: number, column: number) => Math.sin(row * 12.9898 + column * 78.233) * 43_758.5453;
    const draw = (count: number, offset: number) => {
      const features = Array.from({ length: count * 20 }, (_, at) => {
        const [row, column] = [Math.floor(at / 20) + offset, at % 20];
        const fraction = noise(row, column) - Math.floor(noise(row, column));
        return column === 0 ? fraction + (row % 2) * 0.3 : fraction;
      });
      return {
        width: 20,
        features: Float64Array.from(features),
        labels: Uint8Array.from({ length: count }, (_, at) => (at + offset) % 2),
      };
    };
    const options = {
      predictor_type: 'binary_classifier',
      mini_batch_size: '1',
      binary_classifier_model_selection_criteria: 'loss_function',
    };
    const [train, validation] = [draw(40, 0), draw(400, 1_000)];
    const lossOf = (wd?: string) =>
      trainLinearLearner(train, validation, linearLearnerOptions({ ...options, ...(wd && { wd }) })).metrics.find(
        ({ name }) => name === 'validation:objective_loss',
      )?.value ?? 0;
    const fixed = ['0.025', '0.25', '0.0025'].map(lossOf);
    expect(lossOf()).toBeCloseTo(Math.min(...fixed), 10);
    expect(lossOf()).toBeLessThan(Math.max(...fixed));
  });
});

describe('an endpoint', () => {
  const invoke = async (Body: string, ContentType: string, Accept?: string) => {
    const answer = await runtime.send(
      new InvokeEndpointCommand({ EndpointName: 'e', Body, ContentType, ...(Accept && { Accept }) }),
    );
    return Buffer.from(answer.Body).toString();
  };

  test.each(['text/libsvm', 'text/plain', 'application/x-npy', 'application/octet-stream'])(
    'does not take %s',
    async (type) => {
      await expect(invoke('1,2', type)).rejects.toMatchObject({ name: 'ModelError', OriginalStatusCode: 415 });
    },
  );

  test('takes CSV, JSON and JSON lines, and answers the same to each', async () => {
    const expected = await invoke('1.2,0\n0.1,2', 'text/csv');
    expect(JSON.parse(expected).predictions).toHaveLength(2);
    const instances = [{ features: [1.2, 0] }, { data: { features: { values: [0.1, 2] } } }];
    expect(await invoke(JSON.stringify({ instances }), 'application/json')).toBe(expected);
    expect(await invoke(instances.map((it) => JSON.stringify(it)).join('\n'), 'application/jsonlines')).toBe(expected);
  });

  test.each([
    ['{', 'application/json', /JSON/],
    ['{}', 'application/json', /instances/],
    ['{"instances":[{"features":["1",2]}]}', 'application/json', /instance 1 has no list of numbers/],
    ['{"instances":[{"features":[1]}]}', 'application/json', /row 1 has 1 features; the model takes 2/],
    ['null', 'application/json', /instances/],
  ])('refuses the body %s as the container does', async (body, type, message) => {
    await expect(invoke(body, type)).rejects.toMatchObject({
      OriginalStatusCode: 400,
      OriginalMessage: expect.stringMatching(message),
    });
  });

  test('answers no CSV, which linear-learner does not', async () => {
    await expect(invoke('1.2,0', 'text/csv', 'text/csv')).rejects.toMatchObject({ OriginalStatusCode: 406 });
    await expect(invoke('x', 'application/x-recordio-protobuf')).rejects.toThrow(/does not implement the content type/);
  });
});

test.each([
  ['a variant’s name of 64 characters', { VariantName: 'v'.repeat(64) }, /VariantName/],
  ['no instances', { InitialInstanceCount: 0 }, /needs InstanceType and InitialInstanceCount/],
  ['half an instance', { InitialInstanceCount: 1.5 }, /instanceCount/],
])('an endpoint configuration with %s is refused', async (_, more, message) => {
  const config = { EndpointConfigName: 'refused', ProductionVariants: [variant(more)] };
  await expect(control.send(new CreateEndpointConfigCommand(config))).rejects.toMatchObject({
    message: expect.stringMatching(message),
  });
});

test('a transform job takes no content type that the algorithm does not', async () => {
  const transform = (ContentType: string, Accept: string) =>
    control.send(
      new CreateTransformJobCommand({
        ...{ TransformJobName: 't', ModelName: 'm' },
        TransformInput: {
          ContentType,
          SplitType: 'Line',
          DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/validation/' } },
        },
        TransformOutput: { S3OutputPath: 's3://data/scores/', Accept, AssembleWith: 'Line' },
        TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
      }),
    );
  await expect(transform('text/libsvm', 'application/jsonlines')).rejects.toThrow(/has no ContentType text\/libsvm/);
  await expect(transform('text/csv', 'text/csv')).rejects.toThrow(/has no Accept text\/csv/);
});
