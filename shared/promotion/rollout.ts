import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  type DescribeEndpointOutput,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';

/** How a challenger that was promoted gets behind its endpoint, decided by what is there at that moment. */

/** Time for starting a fleet, beside the waits, in seconds. */
const FLEET_START_SECONDS = 1_800;

/** Shortest limit that SageMaker takes, in seconds. Source: BlueGreenUpdatePolicy. */
const EXECUTION_TIMEOUT_SECONDS_MIN = 600;

/** Longest wait that SageMaker takes, in seconds. Source: BlueGreenUpdatePolicy. */
export const DEPLOYMENT_WAIT_SECONDS_MAX = 3_600;

type Caller = Pick<SageMakerClient, 'send'>;

export interface RolloutOptions {
  readonly endpointInstanceCount: number;
  readonly canarySeconds: number;
  readonly terminationSeconds: number;
}

/** What the state machine does next. `recreate`: a failed endpoint serves nothing, and may only be deleted. */
export interface Rollout {
  readonly state: 'create' | 'recreate' | 'update';
  readonly instanceCount: number;
  /** Whether the fleet keeps the number of instances it was scaled to. */
  readonly retain: boolean;
  /** Whether nobody asks this endpoint yet, so that no canary tells anything: it is probed before it serves. */
  readonly probe: boolean;
  /** UpdateEndpoint's DeploymentConfig. */
  readonly deploymentConfig: object;
}

/**
 * @param serving endpoint that predictions ask now, if any. A new endpoint starts with the instances that one was scaled to.
 */
export async function planRollout(
  sagemaker: Caller,
  endpointName: string,
  serving: string | undefined,
  options: RolloutOptions,
  alarms: readonly string[],
): Promise<Rollout> {
  const target = await describeEndpoint(sagemaker, endpointName);
  const state = !target ? 'create' : target.EndpointStatus === 'Failed' ? 'recreate' : 'update';
  const fleet =
    state === 'update' ? target : serving === undefined ? undefined : await describeEndpoint(sagemaker, serving);
  const scaled = fleet && (await scaledTo(sagemaker, fleet));
  const instanceCount = scaled ?? options.endpointInstanceCount;
  return {
    state,
    instanceCount,
    retain: scaled !== undefined,
    probe: serving !== endpointName,
    deploymentConfig: deploymentConfig(options, instanceCount, alarms),
  };
}

/** Whether SageMaker has answered that there is no such thing: it has no error of its own for that. */
export const isMissing = (error: unknown): boolean => error instanceof Error && /could not find/i.test(error.message);

/** An endpoint; undefined when there is none. */
export async function describeEndpoint(
  sagemaker: Caller,
  EndpointName: string,
): Promise<DescribeEndpointOutput | undefined> {
  try {
    return await sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The number of instances that a fleet has and was not configured with: autoscaling, or a person, has chosen it. */
export async function scaledTo(sagemaker: Caller, endpoint: DescribeEndpointOutput): Promise<number | undefined> {
  const [variant] = endpoint.ProductionVariants ?? [];
  const current = variant?.DesiredInstanceCount ?? variant?.CurrentInstanceCount;
  if (!current || endpoint.EndpointConfigName === undefined) return undefined;
  const { ProductionVariants } = await sagemaker.send(
    new DescribeEndpointConfigCommand({ EndpointConfigName: endpoint.EndpointConfigName }),
  );
  return current === ProductionVariants?.[0]?.InitialInstanceCount ? undefined : current;
}

/**
 * One instance of the new fleet takes its share of the traffic first, and the rest follows when no alarm has gone off.
 * A canary is at most half a fleet, so a fleet of one moves at once. Alarms are watched until the old fleet is
 * terminated, so that it is kept for as long as a canary would have been watched.
 */
function deploymentConfig(
  { canarySeconds, terminationSeconds }: RolloutOptions,
  instanceCount: number,
  alarms: readonly string[],
) {
  const canary = instanceCount > 1;
  const waits = canarySeconds + terminationSeconds;
  return {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: {
        Type: canary ? 'CANARY' : 'ALL_AT_ONCE',
        WaitIntervalInSeconds: canary ? canarySeconds : 0,
        ...(canary && { CanarySize: { Type: 'INSTANCE_COUNT', Value: 1 } }),
      },
      TerminationWaitInSeconds: canary ? terminationSeconds : Math.min(waits, DEPLOYMENT_WAIT_SECONDS_MAX),
      MaximumExecutionTimeoutInSeconds: Math.max(EXECUTION_TIMEOUT_SECONDS_MIN, waits + FLEET_START_SECONDS),
    },
    AutoRollbackConfiguration: { Alarms: alarms.map((AlarmName) => ({ AlarmName })) },
  };
}
