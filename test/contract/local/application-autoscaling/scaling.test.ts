import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApplicationAutoScalingClient,
  DeleteScalingPolicyCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applicationAutoscaling } from '../../../../infra/local/application-autoscaling/application-autoscaling.ts';
import { Faults } from '../../../../infra/local/protocol/faults.ts';
import { callInProcess } from '../../../../infra/local/protocol/server.ts';
import type { Service } from '../../../../infra/local/protocol/service.ts';
import { packModel } from '../../../../infra/local/sagemaker/learner/model-artifact.ts';
import { sageMaker } from '../../../../infra/local/sagemaker/sagemaker.ts';
import { ObjectStore } from '../../../../infra/local/storage/object-store.ts';
import { served } from '../../../given/served.ts';

const ROLE = 'arn:aws:iam::000000000000:role/training';
const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';
const MODEL = { means: [0], scales: [1], weights: [1], bias: 0, threshold: 0.5 };
const KEY = {
  ServiceNamespace: 'sagemaker',
  ResourceId: 'endpoint/e/variant/model',
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
} as const;
const BOUNDS = { MinCapacity: 2, MaxCapacity: 6 };
const TRACKING = {
  PolicyName: 'calls',
  PolicyType: 'TargetTrackingScaling',
  TargetTrackingScalingPolicyConfiguration: {
    TargetValue: 70,
    PredefinedMetricSpecification: { PredefinedMetricType: 'SageMakerVariantInvocationsPerInstance' },
  },
} as const;

let dir: string;
let db: DatabaseSync;
let local: ReturnType<typeof sageMaker>;
let cloud: Awaited<ReturnType<typeof served>>;
let client: ApplicationAutoScalingClient;
let call: (operation: string, input: object) => Promise<unknown>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'scaling-'));
  db = new DatabaseSync(':memory:');
  const objects = new ObjectStore(join(dir, 's3'));
  await objects.createBucket('data');
  await objects.put('data', 'model.tar.gz', packModel(MODEL));
  const services: Service[] = [];
  const inProcess = callInProcess(services, new Faults());
  const { service, scaling } = applicationAutoscaling({ db, call: inProcess });
  local = sageMaker({ db, objects, scaling });
  services.push(...local.services, service);
  cloud = await served(services);
  client = new ApplicationAutoScalingClient(cloud.client);
  call = (operation, input) => inProcess('sagemaker', operation, input);
  const PrimaryContainer = { Image: IMAGE, ModelDataUrl: 's3://data/model.tar.gz' };
  await call('CreateModel', { ModelName: 'm', ExecutionRoleArn: ROLE, PrimaryContainer });
  for (const [EndpointConfigName, InstanceType] of [
    ['first', 'ml.t2.medium'],
    ['second', 'ml.t2.medium'],
    ['larger', 'ml.m5.large'],
  ]) {
    const variant = { VariantName: 'model', ModelName: 'm', InstanceType, InitialInstanceCount: 2 };
    await call('CreateEndpointConfig', { EndpointConfigName, ProductionVariants: [variant] });
  }
  await call('CreateEndpoint', { EndpointName: 'e', EndpointConfigName: 'first' });
  await inService();
});
afterEach(async () => {
  client.destroy();
  await local.close();
  await cloud.close();
  db.close();
  rmSync(dir, { recursive: true });
});

async function inService(): Promise<void> {
  for (;;) {
    const { EndpointStatus } = (await call('DescribeEndpoint', { EndpointName: 'e' })) as { EndpointStatus: string };
    if (EndpointStatus === 'InService') return;
    await sleep(20);
  }
}

const register = (more: object = {}) => client.send(new RegisterScalableTargetCommand({ ...KEY, ...BOUNDS, ...more }));
const put = (more: object = {}) => client.send(new PutScalingPolicyCommand({ ...KEY, ...TRACKING, ...more }));
const targets = async () =>
  (await client.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'sagemaker' }))).ScalableTargets;
const policies = (more: object = {}) => client.send(new DescribeScalingPoliciesCommand({ ...KEY, ...more }));

describe('a scalable target', () => {
  test('is registered, changed in part, described and deregistered with its policies', async () => {
    const { ScalableTargetARN } = await register();
    await register({ MinCapacity: undefined, MaxCapacity: 9 });
    expect(await targets()).toMatchObject([
      { ...KEY, MinCapacity: 2, MaxCapacity: 9, ScalableTargetARN, CreationTime: expect.any(Date) },
    ]);
    await put();
    await client.send(new DeregisterScalableTargetCommand(KEY));
    expect([await targets(), (await policies()).ScalingPolicies]).toEqual([[], []]);
    await expect(client.send(new DeregisterScalableTargetCommand(KEY))).rejects.toMatchObject({
      name: 'ObjectNotFoundException',
    });
  });

  test.each([
    ['a minimum above the maximum', { MinCapacity: 7 }, /less than minimum/],
    ['no bounds', { MinCapacity: undefined, MaxCapacity: undefined }, /minCapacity/],
    ['an endpoint that is not there', { ResourceId: 'endpoint/other/variant/model' }, /Could not find endpoint/],
    ['a variant that is not there', { ResourceId: 'endpoint/e/variant/AllTraffic' }, /Could not find variant/],
    ['no endpoint', { ResourceId: 'table/orders' }, /resource ID/],
  ])('is refused with %s', async (_, more, message) => {
    await expect(register(more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
    expect(await targets()).toEqual([]);
  });

  test('of another service is refused as what is not here', async () => {
    await expect(register({ ServiceNamespace: 'ecs' })).rejects.toMatchObject({ name: 'NotImplementedException' });
  });
});

describe('a scaling policy', () => {
  test('is put, replaced under its ARN, listed by pages and deleted', async () => {
    await register();
    const { PolicyARN } = await put();
    const configuration = { ...TRACKING.TargetTrackingScalingPolicyConfiguration, TargetValue: 50 };
    expect(await put({ TargetTrackingScalingPolicyConfiguration: configuration })).toMatchObject({ PolicyARN });
    const steps = { AdjustmentType: 'ChangeInCapacity', StepAdjustments: [{ ScalingAdjustment: 1 }] };
    const step = { PolicyType: 'StepScaling', StepScalingPolicyConfiguration: steps };
    await put({ PolicyName: 'steps', ...step, TargetTrackingScalingPolicyConfiguration: undefined });
    const first = await policies({ MaxResults: 1 });
    const second = await policies({ MaxResults: 1, NextToken: first.NextToken });
    expect([...(first.ScalingPolicies ?? []), ...(second.ScalingPolicies ?? [])]).toMatchObject([
      { PolicyName: 'calls', PolicyARN, TargetTrackingScalingPolicyConfiguration: configuration },
      { PolicyName: 'steps', StepScalingPolicyConfiguration: steps },
    ]);
    expect(second.NextToken).toBeUndefined();
    await client.send(new DeleteScalingPolicyCommand({ ...KEY, PolicyName: 'calls' }));
    expect((await policies()).ScalingPolicies).toMatchObject([{ PolicyName: 'steps' }]);
    await expect(client.send(new DeleteScalingPolicyCommand({ ...KEY, PolicyName: 'calls' }))).rejects.toMatchObject({
      name: 'ObjectNotFoundException',
    });
  });

  test('of nothing registered, and one without a configuration of its type, are refused', async () => {
    await expect(put()).rejects.toMatchObject({ name: 'ObjectNotFoundException' });
    await register();
    await expect(put({ PolicyType: 'StepScaling' })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(policies({ MaxResults: 11 })).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('an endpoint that is scaled', () => {
  const update = (EndpointConfigName: string) => call('UpdateEndpoint', { EndpointName: 'e', EndpointConfigName });

  test('takes another model, and no other type of instance until it is deregistered', async () => {
    await register();
    await expect(update('larger')).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining('must be deregistered as a scalable target'),
    });
    await update('second');
    await inService();
    await client.send(new DeregisterScalableTargetCommand(KEY));
    await update('larger');
  });

  test('takes its scaling along when it is deleted', async () => {
    await register();
    await call('DeleteEndpoint', { EndpointName: 'e' });
    expect(await targets()).toEqual([]);
  });
});
