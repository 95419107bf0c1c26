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
  DescribeEndpointCommand,
  DescribeTrainingJobCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { sageMaker } from '../../../infra/local/sagemaker/sagemaker.ts';
import { ObjectStore } from '../../../infra/local/storage/object-store.ts';
import { served } from '../served.ts';

export const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';
export const ROLE = 'arn:aws:iam::000000000000:role/training';
/** How ARNs of SageMaker begin. */
export const ARN = 'arn:aws:sagemaker:us-east-1:000000000000';

/** How often a job or an endpoint is looked at, in milliseconds. */
const POLL_MS = 20;

/** Rows whose label follows from the first feature, apart from every seventh. */
export function csv(count: number, first = 0): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const row = first + i;
    const feature = ((row * 37) % 100) / 10;
    const label = feature > 5 !== (row % 7 === 0) ? 1 : 0;
    return `${label},${feature},${row % 3}\n`;
  });
  return lines.join('');
}

export const channel = (ChannelName: string, S3Uri: string) => ({
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

export const job = (
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
    await sleep(POLL_MS);
  }
}

/** The local SageMaker over a bucket `data`, and its clients. */
export async function localSageMaker() {
  const dir = mkdtempSync(join(tmpdir(), 'sagemaker-'));
  const objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  const open = async () => {
    const db = new DatabaseSync(join(dir, 'cloud.sqlite'));
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    const local = sageMaker({ db, objects });
    const cloud = await served(local.services);
    return {
      control: new SageMakerClient(cloud.client),
      runtime: new SageMakerRuntimeClient(cloud.client),
      async close() {
        await local.close();
        await cloud.close();
        db.close();
      },
    };
  };
  let opened = await open();
  const trained = (TrainingJobName: string) =>
    until(
      () => opened.control.send(new DescribeTrainingJobCommand({ TrainingJobName })),
      (it) => it.TrainingJobStatus !== 'InProgress' && it.TrainingJobStatus !== 'Stopping',
    );

  const deployed = (EndpointName: string) =>
    until(
      () => opened.control.send(new DescribeEndpointCommand({ EndpointName })),
      (it) => it.EndpointStatus !== 'Creating' && it.EndpointStatus !== 'Updating',
    );

  async function train(name: string, overrides?: Partial<CreateTrainingJobCommandInput>) {
    await opened.control.send(new CreateTrainingJobCommand(job(name, overrides)));
    return trained(name);
  }

  async function putTrainingSet() {
    await objects.put('data', 'set/train/part-0', csv(300));
    await objects.put('data', 'set/train/part-1', csv(100, 300));
    await objects.put('data', 'set/validation/part-0', csv(100, 400));
  }

  /** Trains a model, and makes a configuration of it. */
  async function makeConfig(name: string) {
    await train(name);
    await opened.control.send(
      new CreateModelCommand({
        ModelName: name,
        ExecutionRoleArn: ROLE,
        PrimaryContainer: { Image: IMAGE, ModelDataUrl: `s3://data/models/${name}/output/model.tar.gz` },
      }),
    );
    await opened.control.send(
      new CreateEndpointConfigCommand({
        EndpointConfigName: name,
        ProductionVariants: [
          { VariantName: 'AllTraffic', ModelName: name, InstanceType: 'ml.t2.medium', InitialInstanceCount: 1 },
        ],
      }),
    );
  }

  async function makeEndpoint(EndpointName: string, EndpointConfigName: string) {
    await opened.control.send(new CreateEndpointCommand({ EndpointName, EndpointConfigName }));
    return deployed(EndpointName);
  }

  async function invoke(Body: string, options: { Accept?: string; ContentType?: string } = {}) {
    const answer = await opened.runtime.send(
      new InvokeEndpointCommand({ EndpointName: 'scores', ContentType: 'text/csv', Body, ...options }),
    );
    return { ...answer, text: answer.Body?.transformToString() ?? '' };
  }

  return {
    objects,
    /** Sends a command of the control plane. */
    send: ((command: never) => opened.control.send(command)) as SageMakerClient['send'],
    ...{ trained, deployed, train, putTrainingSet, makeConfig, makeEndpoint, invoke },

    /** Stops it, and starts it again over the same state. */
    async restart(): Promise<void> {
      await opened.close();
      opened = await open();
    },

    async close(): Promise<void> {
      await opened.close();
      rmSync(dir, { recursive: true });
    },
  };
}
