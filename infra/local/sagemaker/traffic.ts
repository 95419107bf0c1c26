import { notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { EndpointConfig } from './endpoint-configs.ts';
import { required, validationException } from './resources.ts';

/** How long an endpoint is Creating or Updating, or rolling back, in milliseconds: AWS takes minutes, a test should not. */
export const DEPLOY_MS = 500;

/** Bounds of a blue/green update in seconds. Source: SageMaker API, BlueGreenUpdatePolicy and TrafficRoutingConfig. */
const WAIT_SECONDS_MAX = 3_600;
const EXECUTION_TIMEOUT_SECONDS = { min: 600, max: 28_800 };

/** Alarms of one deployment. Source: SageMaker API, AutoRollbackConfig. */
const ALARMS_MAX = 10;

/** Greatest share of the new fleet that is a canary. Source: SageMaker API, CanarySize. */
const CANARY_SHARE_MAX = 0.5;

export interface DeploymentConfig {
  readonly BlueGreenUpdatePolicy?: {
    readonly TrafficRoutingConfiguration: {
      readonly Type: string;
      readonly WaitIntervalInSeconds: number;
      readonly CanarySize?: { readonly Type: string; readonly Value: number };
    };
    readonly TerminationWaitInSeconds?: number;
    readonly MaximumExecutionTimeoutInSeconds?: number;
  };
  readonly AutoRollbackConfiguration?: { readonly Alarms?: readonly { readonly AlarmName: string }[] };
}

/** When an update's traffic moves, in epoch milliseconds, and what takes it back. */
export interface TrafficPlan {
  /** The new fleet is up, and answers its share of the requests. */
  readonly canaryAtMs: number;
  /** The new fleet answers all requests. The old one is kept, to go back to. */
  readonly allAtMs: number;
  /** The old fleet is ended, and with it the update. */
  readonly doneAtMs: number;
  /** Share of the requests that the new fleet answers from `canaryAtMs` to `allAtMs`. */
  readonly canaryShare: number;
  /** Alarms that roll the update back while it lasts. */
  readonly alarms: readonly string[];
}

/**
 * Plans a blue/green update, and refuses what is not carried out. Without a configuration all traffic moves at once.
 *
 * @throws AwsError ValidationException or NotImplementedException
 */
export function trafficPlan(config: DeploymentConfig | undefined, target: EndpointConfig, nowMs: number): TrafficPlan {
  refuseUnknown('SageMaker', 'DeploymentConfig', config ?? {}, ['BlueGreenUpdatePolicy', 'AutoRollbackConfiguration']);
  const alarms = alarmsOf(config);
  const policy = config?.BlueGreenUpdatePolicy;
  const canaryAtMs = nowMs + DEPLOY_MS;
  if (!policy) return { canaryAtMs, allAtMs: canaryAtMs, doneAtMs: canaryAtMs, canaryShare: 1, alarms };
  refuseUnknown('SageMaker', 'BlueGreenUpdatePolicy', policy, [
    ...['TrafficRoutingConfiguration', 'TerminationWaitInSeconds', 'MaximumExecutionTimeoutInSeconds'],
  ]);
  const routing = required(policy.TrafficRoutingConfiguration, 'TrafficRoutingConfiguration');
  refuseUnknown('SageMaker', 'TrafficRoutingConfiguration', routing, ['Type', 'WaitIntervalInSeconds', 'CanarySize']);
  const waitSeconds = seconds('WaitIntervalInSeconds', routing.WaitIntervalInSeconds, 0, WAIT_SECONDS_MAX);
  const termination = seconds('TerminationWaitInSeconds', policy.TerminationWaitInSeconds ?? 0, 0, WAIT_SECONDS_MAX);
  const { min, max } = EXECUTION_TIMEOUT_SECONDS;
  const limit = seconds('MaximumExecutionTimeoutInSeconds', policy.MaximumExecutionTimeoutInSeconds ?? max, min, max);
  if (limit <= waitSeconds + termination) {
    throw validationException('MaximumExecutionTimeoutInSeconds must be greater than the sum of the waits');
  }
  const canaryShare = shareOf(routing, target);
  const allAtMs = canaryAtMs + (canaryShare < 1 ? waitSeconds * 1000 : 0);
  // With all traffic at once the wait comes after the shift: it is the time in which the alarms watch.
  const doneAtMs = allAtMs + (canaryShare < 1 ? 0 : waitSeconds * 1000) + termination * 1000;
  return { canaryAtMs, allAtMs, doneAtMs, canaryShare, alarms };
}

function shareOf(
  { Type, CanarySize }: NonNullable<DeploymentConfig['BlueGreenUpdatePolicy']>['TrafficRoutingConfiguration'],
  target: EndpointConfig,
): number {
  if (Type === 'ALL_AT_ONCE') return 1;
  if (Type !== 'CANARY') throw notImplemented('SageMaker', `traffic routing of type ${Type}`);
  const size = required(CanarySize, 'CanarySize');
  const instances = target.ProductionVariants[0]?.InitialInstanceCount ?? 1;
  const share = size.Type === 'INSTANCE_COUNT' ? size.Value / instances : size.Value / 100;
  if (size.Value < 1 || share > CANARY_SHARE_MAX) {
    throw validationException(
      `CanarySize ${size.Value} (${size.Type}) of ${instances} instances is not at least one and at most half of them`,
    );
  }
  return share;
}

function alarmsOf(config: DeploymentConfig | undefined): string[] {
  const rollback = config?.AutoRollbackConfiguration;
  if (!rollback) return [];
  refuseUnknown('SageMaker', 'AutoRollbackConfiguration', rollback, ['Alarms']);
  const names = (rollback.Alarms ?? []).map(({ AlarmName }) => AlarmName);
  if (names.length > ALARMS_MAX) throw validationException(`Alarms must have at most ${ALARMS_MAX} members`);
  return names;
}

function seconds(member: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw validationException(`${member} is ${value}, not ${min} to ${max}`);
}

/** Whether the new fleet answers request number `count` of an endpoint: every request is dealt, none at random. */
export function isCanary({ canaryShare }: TrafficPlan, count: number): boolean {
  return Math.floor((count + 1) * canaryShare) > Math.floor(count * canaryShare);
}
