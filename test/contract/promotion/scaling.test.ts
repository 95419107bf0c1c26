import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
  type PutScalingPolicyCommandInput,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retrain } from '../../../functions/retrain.ts';
import { connect, disconnect } from '../../../infra/commands/remove/clients.ts';
import { removeServing } from '../../../infra/commands/remove/serving.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { endpointName } from '../../../shared/model/names.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { readEpochState } from '../../../shared/state/epochs.ts';
import { deploymentRefusal } from '../../../shared/training/consider.ts';
import { readStatus } from '../../../shared/training/status.ts';
import { changingDefinition, otherEncoding } from '../../given/retraining/changing-definition.ts';
import { type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';
import { runCommand, statusOf } from '../../given/retraining/served-model.ts';

/** An endpoint that people have scaled by themselves, and a schema that changes. Every call of retrain is by its role. */

const BOUNDS = { MinCapacity: 1, MaxCapacity: 6 };
const STEPS: Partial<PutScalingPolicyCommandInput> = {
  PolicyType: 'StepScaling',
  StepScalingPolicyConfiguration: {
    AdjustmentType: 'ChangeInCapacity',
    StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 2 }],
  },
};

/** Keeps a metric of an endpoint at a value. */
const tracking = (endpoint: string): Partial<PutScalingPolicyCommandInput> => ({
  PolicyType: 'TargetTrackingScaling',
  TargetTrackingScalingPolicyConfiguration: {
    TargetValue: 60,
    CustomizedMetricSpecification: {
      ...{ Namespace: '/aws/sagemaker/Endpoints', MetricName: 'CPUUtilization', Statistic: 'Average' },
      Dimensions: [
        { Name: 'EndpointName', Value: endpoint },
        { Name: 'VariantName', Value: 'model' },
      ],
    },
  },
});

let definition: Awaited<ReturnType<typeof changingDefinition>>;
let orders: OrdersCloud;
let settings: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
let client: ApplicationAutoScalingClient;

beforeAll(async () => {
  definition = await changingDefinition();
  orders = await ordersCloud({ gateMinimumGain: -0.9 }, definition.path);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  settings = { endpoint: orders.cloud.endpoint, region: 'us-east-1', credentials };
  client = new ApplicationAutoScalingClient(settings);
});

afterAll(async () => {
  client.destroy();
  await orders.close();
  await definition.close();
});

const nameOf = (version: number) =>
  endpointName(
    orders.cloud.stack.outputs.EndpointName ?? '',
    schemaHash(definition.versions[version] as (typeof definition.versions)[number]),
  );

const keyOf = (endpoint: string) =>
  ({
    ServiceNamespace: 'sagemaker',
    ResourceId: `endpoint/${endpoint}/variant/model`,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  }) as const;

/** How an endpoint is scaled. */
async function scalingOf(endpoint: string) {
  const { ResourceId, ...rest } = keyOf(endpoint);
  const [found, { ScalingPolicies }] = await Promise.all([
    client.send(new DescribeScalableTargetsCommand({ ...rest, ResourceIds: [ResourceId] })),
    client.send(new DescribeScalingPoliciesCommand(keyOf(endpoint))),
  ]);
  return { targets: found.ScalableTargets ?? [], policies: ScalingPolicies ?? [] };
}

const asScaled = (endpoint: string) => ({
  targets: [BOUNDS],
  policies: [
    { PolicyName: 'calls', ...tracking(endpoint) },
    { PolicyName: 'steps', ...STEPS },
  ],
});

const functionOf = (handler: string) => orders.cloud.stack.functions.find((it) => it.handler === handler)?.name ?? '';

describe('an endpoint that people have scaled', () => {
  beforeAll(async () => {
    await orders.write(0, 400);
    expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
    await client.send(new RegisterScalableTargetCommand({ ...keyOf(nameOf(0)), ...BOUNDS }));
    for (const policy of asScaled(nameOf(0)).policies) {
      await client.send(new PutScalingPolicyCommand({ ...keyOf(nameOf(0)), ...policy }));
    }
  });

  it('has nothing trained for another type of instance, which AWS would refuse it', async () => {
    const { Environment } = (await orders.cloud.call('lambda', 'GetFunctionConfiguration', {
      FunctionName: functionOf('functions/retrain.handler'),
    })) as { Environment: { Variables: Record<string, string> } };
    const options = retrainConfig({ ...Environment.Variables, ENDPOINT_INSTANCE_TYPE: 'ml.c5.xlarge' });
    const table = { name: options.stateTable, dynamodb: new DynamoDBClient(settings) };
    const [group] = definition.versions;
    if (!group) throw new Error('There is no definition');
    const dependencies = {
      ...{ options, group, table, autoscaling: client, now: Date.now },
      ...{ sfn: new SFNClient(settings), s3: new S3Client(settings) },
      ...{ sagemaker: new SageMakerClient(settings), runtime: new SageMakerRuntimeClient(settings) },
    };
    const reason = `Endpoint ${nameOf(0)} scales by itself on ml.t2.medium, and AWS refuses it ml.c5.xlarge meanwhile: deregister its scalable target, and register it again afterwards.`;
    const asked = { action: 'train', reason: 'a larger type' };
    expect(await retrain(asked, dependencies)).toEqual({ decision: 'wait', reason });
    expect(await retrain({ ...asked, dryRun: true }, dependencies)).toMatchObject({
      reason: expect.stringContaining(reason),
    });
    expect((await readEpochState(table)).training).toBeUndefined();
    await orders.write(400, 10);
    const soon = { ...options, policy: { ...options.policy, labelsThreshold: 1 } };
    const { next } = await readStatus(table, group, soon, Date.now(), (it) => deploymentRefusal(dependencies, it));
    expect(next).toMatchObject({ decision: 'wait', reason });
    const same = { ...dependencies, options: retrainConfig(Environment.Variables) };
    expect(await retrain({ ...asked, dryRun: true }, same)).toMatchObject({
      reason: expect.stringContaining('would be trained now'),
    });
    for (const it of [table.dynamodb, dependencies.sfn, dependencies.s3, dependencies.sagemaker]) it.destroy();
  });

  it('hands its scaling to the endpoint of a new schema, and loses it with its grace', async () => {
    await definition.change(otherEncoding);
    await orders.cloud.deployFunctions();
    expect(await orders.retrain()).toMatchObject({ decision: 'train' });
    const trained = await orders.ended(2);
    expect(trained, trained.cause).toMatchObject({ status: 'SUCCEEDED' });
    expect(await scalingOf(nameOf(1))).toMatchObject(asScaled(nameOf(1)));

    await orders.cloud.call('dynamodb', 'UpdateItem', {
      ...{ TableName: orders.cloud.stack.outputs.StateTableName, Key: { pk: { S: 'serving' } } },
      UpdateExpression: 'SET retiring.#endpoint = :longAgo',
      ExpressionAttributeNames: { '#endpoint': nameOf(0) },
      ExpressionAttributeValues: { ':longAgo': { S: '2026-01-01T00:00:00.000Z' } },
    });
    await orders.retrain();
    expect(await scalingOf(nameOf(0))).toEqual({ targets: [], policies: [] });
    await expect(orders.cloud.call('sagemaker', 'DescribeEndpoint', { EndpointName: nameOf(0) })).rejects.toMatchObject(
      { message: expect.stringContaining('Could not find endpoint') },
    );
  });

  it('is scaled again when a rollback makes it again', async () => {
    const { trainings } = await statusOf(orders, definition.versions.at(-1));
    const { modelName } = trainings.find((it: { epoch: number }) => it.epoch === 1);
    await runCommand(orders.cloud, 'rollback', definition.path, '--to', modelName);
    expect(await scalingOf(nameOf(0))).toMatchObject(asScaled(nameOf(0)));
  });

  it('is scaled no more once its stack is removed', async () => {
    const clients = connect(settings);
    const endpoints = [{ name: nameOf(0), status: 'InService' }];
    await removeServing(clients, { endpoints, endpointConfigs: [], models: [], alarms: [] });
    expect(await scalingOf(nameOf(0))).toEqual({ targets: [], policies: [] });
    disconnect(clients);
  });
});
