import {
  type ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  PutScalingPolicyCommand,
  paginateDescribeScalingPolicies,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DescribeEndpointConfigCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker';
import { VARIANT } from '../model/names.ts';
import { describeEndpoint } from './rollout.ts';

/** How people have an endpoint scaled goes with what serves. They registered it: nothing here begins to scale by itself. */

/** The number of instances of an endpoint, as Application Auto Scaling names it. */
const scaled = (endpointName: string) =>
  ({
    ServiceNamespace: 'sagemaker',
    ResourceId: `endpoint/${endpointName}/variant/${VARIANT}`,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  }) as const;

async function scalableTarget(autoscaling: Pick<ApplicationAutoScalingClient, 'send'>, endpointName: string) {
  const { ResourceId, ...rest } = scaled(endpointName);
  const { ScalableTargets } = await autoscaling.send(
    new DescribeScalableTargetsCommand({ ...rest, ResourceIds: [ResourceId] }),
  );
  return ScalableTargets?.[0];
}

/**
 * Has an endpoint scaled as another one is: by the same bounds, and by policies of the same names. A metric that a
 * policy names by the endpoint is the new endpoint's. The alarms that start step policies are people's own and are not
 * taken over; those of target tracking are made with the policy.
 *
 * Idempotent: a target and a policy are replaced by what is the same.
 */
export async function takeOverScaling(
  autoscaling: ApplicationAutoScalingClient,
  from: string,
  to: string,
): Promise<void> {
  const target = await scalableTarget(autoscaling, from);
  if (!target) return;
  const { MinCapacity, MaxCapacity, SuspendedState } = target;
  await autoscaling.send(
    new RegisterScalableTargetCommand({ ...scaled(to), MinCapacity, MaxCapacity, SuspendedState }),
  );
  for await (const page of paginateDescribeScalingPolicies({ client: autoscaling }, scaled(from))) {
    for (const policy of page.ScalingPolicies ?? []) {
      const { PolicyName, PolicyType, StepScalingPolicyConfiguration, TargetTrackingScalingPolicyConfiguration } =
        policy;
      await autoscaling.send(
        new PutScalingPolicyCommand({
          ...scaled(to),
          ...{ PolicyName, PolicyType, StepScalingPolicyConfiguration },
          TargetTrackingScalingPolicyConfiguration: renamed(TargetTrackingScalingPolicyConfiguration, from, to),
        }),
      );
    }
  }
}

/** A configuration whose metrics have the dimensions of another endpoint. */
function renamed<T>(configuration: T, from: string, to: string): T {
  if (configuration === undefined) return configuration;
  return JSON.parse(
    JSON.stringify(configuration, (key, value: unknown) => (key === 'Value' && value === from ? to : value)),
  );
}

/**
 * Ends the scaling of an endpoint that is to be deleted, its policies and their alarms with it. Idempotent.
 * SageMaker does not delete a scaled endpoint for those who may not do so. Source: "Delete endpoints configured for auto
 * scaling".
 */
export async function endScaling(
  autoscaling: Pick<ApplicationAutoScalingClient, 'send'>,
  endpointName: string,
): Promise<void> {
  if (!(await scalableTarget(autoscaling, endpointName))) return;
  await autoscaling.send(new DeregisterScalableTargetCommand(scaled(endpointName)));
}

/**
 * Why an endpoint cannot be updated to instances of another type, with the way out; undefined when it can.
 * Source: "Update endpoints that use auto scaling": such an update of a scalable target fails.
 */
export async function scalingRefusal(
  {
    sagemaker,
    autoscaling,
  }: {
    sagemaker: Pick<SageMakerClient, 'send'>;
    autoscaling: Pick<ApplicationAutoScalingClient, 'send'>;
  },
  endpointName: string,
  instanceType: string | undefined,
): Promise<string | undefined> {
  const endpoint = await describeEndpoint(sagemaker, endpointName);
  if (endpoint?.EndpointConfigName === undefined) return undefined;
  const { ProductionVariants } = await sagemaker.send(
    new DescribeEndpointConfigCommand({ EndpointConfigName: endpoint.EndpointConfigName }),
  );
  const current = ProductionVariants?.[0]?.InstanceType;
  if (current === instanceType || !(await scalableTarget(autoscaling, endpointName))) return undefined;
  return `Endpoint ${endpointName} scales by itself on ${current}, and AWS refuses it ${instanceType} meanwhile: deregister its scalable target, and register it again afterwards.`;
}
