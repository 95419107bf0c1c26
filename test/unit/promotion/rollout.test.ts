import type { DescribeEndpointConfigCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { DescribeEndpointCommand } from '@aws-sdk/client-sagemaker';
import { describe, expect, test } from 'vitest';
import { planRollout } from '../../../shared/promotion/rollout.ts';

const OPTIONS = { endpointInstanceCount: 2, canarySeconds: 300, terminationSeconds: 120 };

interface Fleet {
  readonly status: string;
  readonly instances: number;
}

/** SageMaker with these endpoints, each configured with two instances. */
const sagemakerWith = (endpoints: Record<string, Fleet>) =>
  ({
    send: async (command: DescribeEndpointCommand | DescribeEndpointConfigCommand) => {
      if (!(command instanceof DescribeEndpointCommand)) return { ProductionVariants: [{ InitialInstanceCount: 2 }] };
      const fleet = endpoints[command.input.EndpointName ?? ''];
      if (!fleet) throw new Error('Could not find endpoint "arn:aws:sagemaker:us-east-1:1:endpoint/none".');
      const ProductionVariants = [{ VariantName: 'model', DesiredInstanceCount: fleet.instances }];
      return { EndpointStatus: fleet.status, EndpointConfigName: 'config', ProductionVariants };
    },
  }) as unknown as SageMakerClient;

const plan = (endpoints: Record<string, Fleet>, serving?: string, options = OPTIONS) =>
  planRollout(sagemakerWith(endpoints), 'new', serving, options, ['errors', 'latency']);

const policyOf = ({ deploymentConfig }: { deploymentConfig: object }) =>
  (deploymentConfig as { BlueGreenUpdatePolicy: Record<string, unknown> }).BlueGreenUpdatePolicy;

describe('a rollout', () => {
  test('makes the first endpoint as it is configured, and has it probed', async () => {
    expect(await plan({})).toMatchObject({ state: 'create', instanceCount: 2, retain: false, probe: true });
  });

  test('updates what serves by a canary, without a probe', async () => {
    const found = await plan({ new: { status: 'InService', instances: 2 } }, 'new');
    expect(found).toMatchObject({ state: 'update', instanceCount: 2, retain: false, probe: false });
    expect(policyOf(found)).toMatchObject({
      TrafficRoutingConfiguration: { Type: 'CANARY', WaitIntervalInSeconds: 300 },
      TerminationWaitInSeconds: 120,
    });
    expect(found).toMatchObject({
      deploymentConfig: { AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }, { AlarmName: 'latency' }] } },
    });
  });

  test('leaves a fleet with the instances it was scaled to', async () => {
    const found = await plan({ new: { status: 'InService', instances: 7 } }, 'new');
    expect(found).toMatchObject({ instanceCount: 7, retain: true });
  });

  test('watches a fleet that was scaled to one for as long as a canary', async () => {
    const found = await plan({ new: { status: 'InService', instances: 1 } }, 'new');
    expect(policyOf(found)).toMatchObject({
      TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 },
      TerminationWaitInSeconds: 420,
    });
  });

  test('starts the endpoint of a new schema with the instances that the serving one was scaled to', async () => {
    const found = await plan({ old: { status: 'InService', instances: 5 } }, 'old');
    expect(found).toMatchObject({ state: 'create', instanceCount: 5, probe: true });
  });

  test('probes an endpoint that stands but is not asked, and makes a failed one again', async () => {
    const endpoints = { new: { status: 'InService', instances: 2 }, old: { status: 'InService', instances: 2 } };
    expect(await plan(endpoints, 'old')).toMatchObject({ state: 'update', probe: true });
    expect(await plan({ new: { status: 'Failed', instances: 0 } }, undefined)).toMatchObject({ state: 'recreate' });
  });
});
