import type { DatabaseSync } from 'node:sqlite';
import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import { pageOf } from '../protocol/page.ts';
import type { Call, Operation, Service } from '../protocol/service.ts';
import { ScalableTargets, type TargetKey } from './scalable-targets.ts';

const SERVICE = 'Application Auto Scaling';
const DIMENSION = 'sagemaker:variant:DesiredInstanceCount';
const KEY = ['ServiceNamespace', 'ResourceId', 'ScalableDimension'] as const;

/** Entries of one answer, at most. Sources: DescribeScalableTargets, DescribeScalingPolicies. */
const TARGETS_MAX = 50;
const POLICIES_MAX = 10;

interface Register extends TargetKey {
  readonly MinCapacity?: number;
  readonly MaxCapacity?: number;
  readonly SuspendedState?: object;
}

interface Put extends TargetKey {
  readonly PolicyName: string;
  readonly PolicyType?: string;
  readonly StepScalingPolicyConfiguration?: { readonly AdjustmentType?: string; readonly StepAdjustments?: unknown };
  readonly TargetTrackingScalingPolicyConfiguration?: Tracking;
}

interface Tracking {
  readonly TargetValue?: number;
  readonly PredefinedMetricSpecification?: object;
  readonly CustomizedMetricSpecification?: object;
}

interface Describe extends Partial<TargetKey> {
  readonly ResourceIds?: readonly string[];
  readonly PolicyNames?: readonly string[];
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/**
 * How the numbers of endpoints' instances are to be scaled: targets and policies are kept and shown. Nothing is scaled,
 * as no instance runs here, and no alarm is made.
 *
 * @param call asks SageMaker for the endpoint.
 */
export function applicationAutoscaling({ db, call }: { db: DatabaseSync; call: Call }): {
  service: Service;
  /** What SageMaker asks before it changes an endpoint, and tells when it has deleted one. */
  scaling: {
    isScaled(endpointName: string, variantName: string): boolean;
    end(endpointName: string, variantName: string): void;
  };
} {
  const targets = new ScalableTargets(db);
  return {
    service: {
      name: 'application-autoscaling',
      target: 'AnyScaleFrontendService',
      operations: { ...targetOperations(targets, call), ...policyOperations(targets) },
    },
    scaling: {
      isScaled: (endpointName, variantName) => targets.get(resourceIdOf(endpointName, variantName)) !== undefined,
      end: (endpointName, variantName) => void targets.delete(resourceIdOf(endpointName, variantName)),
    },
  };
}

function targetOperations(targets: ScalableTargets, call: Call): Record<string, Operation> {
  return {
    RegisterScalableTarget: async (input: Register) => {
      refuseUnknown(SERVICE, 'RegisterScalableTarget', input, [...KEY, 'MinCapacity', 'MaxCapacity', 'SuspendedState']);
      const key = keyOf(input);
      const before = targets.get(key.ResourceId);
      const MinCapacity = capacity('MinCapacity', input.MinCapacity ?? before?.MinCapacity);
      const MaxCapacity = capacity('MaxCapacity', input.MaxCapacity ?? before?.MaxCapacity);
      if (MinCapacity > MaxCapacity) throw invalid('Maximum capacity cannot be less than minimum capacity');
      await checkVariant(call, key.ResourceId);
      const SuspendedState = input.SuspendedState ?? before?.SuspendedState ?? NOTHING_SUSPENDED;
      return { ScalableTargetARN: targets.put(key, { MinCapacity, MaxCapacity, SuspendedState }).ScalableTargetARN };
    },

    DescribeScalableTargets: (input: Describe) => {
      const own = ['ServiceNamespace', 'ScalableDimension', 'ResourceIds', 'MaxResults', 'NextToken'];
      refuseUnknown(SERVICE, 'DescribeScalableTargets', input, own);
      checkNamespace(input.ServiceNamespace);
      if (input.ScalableDimension !== undefined) checkDimension(input.ScalableDimension);
      const found = targets.all().filter((it) => input.ResourceIds?.includes(it.ResourceId) ?? true);
      const { items, next } = pageOf(found, pageSize(input, TARGETS_MAX), input.NextToken);
      return { ScalableTargets: items, ...(next !== undefined && { NextToken: next }) };
    },

    DeregisterScalableTarget: (input: TargetKey) => {
      refuseUnknown(SERVICE, 'DeregisterScalableTarget', input, KEY);
      const key = keyOf(input);
      if (!targets.delete(key.ResourceId)) throw notFound('No scalable target found', key);
      return {};
    },
  };
}

function policyOperations(targets: ScalableTargets): Record<string, Operation> {
  return {
    PutScalingPolicy: (input: Put) => {
      const configurations = ['StepScalingPolicyConfiguration', 'TargetTrackingScalingPolicyConfiguration'];
      refuseUnknown(SERVICE, 'PutScalingPolicy', input, [...KEY, 'PolicyName', 'PolicyType', ...configurations]);
      const key = keyOf(input);
      const PolicyName = required('PolicyName', input.PolicyName);
      if (!targets.get(key.ResourceId)) throw notFound('No scalable target registered', key);
      const PolicyType = input.PolicyType ?? 'StepScaling';
      checkConfiguration(PolicyType, input);
      const { PolicyARN } = targets.putPolicy({ ...input, ...key, PolicyName, PolicyType });
      return { PolicyARN, Alarms: [] };
    },

    DescribeScalingPolicies: (input: Describe) => {
      refuseUnknown(SERVICE, 'DescribeScalingPolicies', input, [...KEY, 'PolicyNames', 'MaxResults', 'NextToken']);
      checkNamespace(input.ServiceNamespace);
      if (input.ScalableDimension !== undefined) checkDimension(input.ScalableDimension);
      const found = targets
        .policies(input.ResourceId)
        .filter((it) => input.PolicyNames?.includes(it.PolicyName) ?? true)
        .map((it) => ({ ...it, Alarms: [] }));
      const { items, next } = pageOf(found, pageSize(input, POLICIES_MAX), input.NextToken);
      return { ScalingPolicies: items, ...(next !== undefined && { NextToken: next }) };
    },

    DeleteScalingPolicy: (input: TargetKey & { readonly PolicyName: string }) => {
      refuseUnknown(SERVICE, 'DeleteScalingPolicy', input, [...KEY, 'PolicyName']);
      const key = keyOf(input);
      const name = required('PolicyName', input.PolicyName);
      if (!targets.deletePolicy(key.ResourceId, name)) throw notFound(`No scaling policy ${name} found`, key);
      return {};
    },
  };
}

const NOTHING_SUSPENDED = {
  DynamicScalingInSuspended: false,
  DynamicScalingOutSuspended: false,
  ScheduledScalingSuspended: false,
};

const resourceIdOf = (endpointName: string, variantName: string) => `endpoint/${endpointName}/variant/${variantName}`;

/** @throws AwsError ValidationException for what is no variant of an endpoint. */
function keyOf({ ServiceNamespace, ResourceId, ScalableDimension }: TargetKey): TargetKey {
  checkNamespace(ServiceNamespace);
  checkDimension(required('ScalableDimension', ScalableDimension));
  variantOf(required('ResourceId', ResourceId));
  return { ServiceNamespace, ResourceId, ScalableDimension };
}

function checkNamespace(namespace: string | undefined): void {
  if (required('ServiceNamespace', namespace) === 'sagemaker') return;
  throw notImplemented(SERVICE, `service namespace ${namespace}`, 'Only endpoints of SageMaker are scaled here.');
}

function checkDimension(dimension: string): void {
  if (dimension === DIMENSION) return;
  throw notImplemented(SERVICE, `scalable dimension ${dimension}`, `Here it is ${DIMENSION}.`);
}

function variantOf(resourceId: string): { endpointName: string; variantName: string } {
  const [, endpointName, variantName] = /^endpoint\/([^/]+)\/variant\/([^/]+)$/.exec(resourceId) ?? [];
  if (endpointName && variantName) return { endpointName, variantName };
  throw invalid(`Unsupported resource ID: ${resourceId.slice(0, 200)}, expected endpoint/NAME/variant/NAME`);
}

/** @throws AwsError ValidationException when SageMaker has no such endpoint, or the endpoint no such variant. */
async function checkVariant(call: Call, resourceId: string): Promise<void> {
  const { endpointName, variantName } = variantOf(resourceId);
  const { ProductionVariants = [] } = (await call('sagemaker', 'DescribeEndpoint', { EndpointName: endpointName })) as {
    ProductionVariants?: readonly { readonly VariantName: string }[];
  };
  if (ProductionVariants.some((it) => it.VariantName === variantName)) return;
  throw invalid(`Could not find variant ${variantName} of endpoint ${endpointName}`);
}

/** @throws AwsError ValidationException for a configuration of another type, or one that lacks what it needs. */
function checkConfiguration(type: string, input: Put): void {
  const { StepScalingPolicyConfiguration: step, TargetTrackingScalingPolicyConfiguration: tracking } = input;
  if (type === 'StepScaling') {
    if (!step || tracking) throw invalid('A policy of type StepScaling has a StepScalingPolicyConfiguration alone');
    required('AdjustmentType', step.AdjustmentType);
    required('StepAdjustments', step.StepAdjustments);
  } else if (type === 'TargetTrackingScaling') {
    if (!tracking || step) {
      throw invalid('A policy of type TargetTrackingScaling has a TargetTrackingScalingPolicyConfiguration alone');
    }
    required('TargetValue', tracking.TargetValue);
    const { PredefinedMetricSpecification: predefined, CustomizedMetricSpecification: customized } = tracking;
    if (Boolean(predefined) === Boolean(customized)) {
      throw invalid('A target is tracked of either a predefined or a customized metric');
    }
  } else throw notImplemented(SERVICE, `policy type ${type}`);
}

function capacity(member: string, value: number | undefined): number {
  const found = required(member, value);
  if (Number.isInteger(found) && found >= 0) return found;
  throw invalid(`${member} must be a whole number of instances, not ${found}`);
}

function pageSize({ MaxResults }: Describe, most: number): number {
  if (MaxResults === undefined || (MaxResults >= 1 && MaxResults <= most)) return MaxResults ?? most;
  throw invalid(`MaxResults is ${MaxResults}, not 1 to ${most}`);
}

function required<T>(member: string, value: T | undefined): T {
  if (value !== undefined && value !== null) return value;
  const name = member.charAt(0).toLowerCase() + member.slice(1);
  throw invalid(
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  );
}

const invalid = (message: string) => new AwsError('ValidationException', message);

const notFound = (what: string, { ServiceNamespace, ResourceId, ScalableDimension }: TargetKey) =>
  new AwsError(
    'ObjectNotFoundException',
    `${what} for service namespace: ${ServiceNamespace}, resource ID: ${ResourceId}, scalable dimension: ${ScalableDimension}`,
  );
