import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { nameWithin, SCHEMA_HASH_DIGITS } from '../../../shared/model/names.ts';
import { arn, type Intrinsic } from './intrinsics.ts';

/** Longest stack name here. Lambda's 64 characters for a function's name, less `-redrive`, `-retrain`, `-compare` or `-history`. */
const STACK_NAME_MAX = 56;

/**
 * Longest endpoint name here: SageMaker's 63 for jobs, models and configurations, less the 23 that name an attempt and
 * what it is for. A cut name would not begin with the endpoint's, as permissions demand.
 */
const ENDPOINT_NAME_MAX = 40;

/** Names that are fixed before deployment, because a name must be known where a reference would close a circle. */
export interface Names {
  readonly stage: string;
  /** CloudFormation stack, and what the functions' and the state machine's names begin with. */
  readonly stack: string;
  /** What the names of endpoints, training jobs, models and endpoint configurations begin with, before a `-`. */
  readonly endpoint: string;
  readonly stateMachine: string;
  readonly snapshotMachine: string;
  readonly backfillMachine: string;
  readonly workGroup: string;
  readonly glueDatabase: string;
}

/** The endpoints of a stack: one for each schema, named by its hash, and the one of version 0.1.0, which has none. */
const endpointPatterns = ({ endpoint }: Names) => [`${endpoint}-${'?'.repeat(SCHEMA_HASH_DIGITS)}`, endpoint];

export const endpointArns = (names: Names): Intrinsic[] =>
  endpointPatterns(names).map((it) => arn('sagemaker', `endpoint/${it}`));

/** Alarms that Application Auto Scaling makes for policies of target tracking. Source: the names it gives them. */
export const scalingAlarmArns = (names: Names): Intrinsic[] =>
  endpointPatterns(names).map((it) => arn('cloudwatch', `alarm:TargetTracking-endpoint/${it}/*`));

/** The names of one feature group's stack in one stage. */
export function namesOf(group: FeatureGroup, stage: string): Names {
  // Stacks and SageMaker's names take no underscore, and SageMaker lowers the case of names in ARNs.
  const base = `tributary-${group.name}-${stage}`.replaceAll('_', '-').toLowerCase();
  const stack = nameWithin(STACK_NAME_MAX, base);
  return {
    stage,
    stack,
    endpoint: nameWithin(ENDPOINT_NAME_MAX, base),
    stateMachine: `${stack}-retraining`,
    snapshotMachine: `${stack}-snapshot`,
    backfillMachine: `${stack}-backfill`,
    workGroup: stack,
    glueDatabase: `tributary_${group.name}_${stage}`.replaceAll('-', '_').toLowerCase(),
  };
}
