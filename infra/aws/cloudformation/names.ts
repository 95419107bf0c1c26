import { createHash } from 'node:crypto';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';

/** Longest stack name here. Lambda's 64 characters for a function's name, less `-redrive` or `-retrain`. */
const STACK_NAME_MAX = 56;

/** Longest endpoint name here. SageMaker's 63 for jobs, models and configurations, less what epochs and attempts add. */
const ENDPOINT_NAME_MAX = 40;

/** Names that are fixed before deployment, because a name must be known where a reference would close a circle. */
export interface Names {
  readonly stage: string;
  /** CloudFormation stack, and what the functions' and the state machine's names begin with. */
  readonly stack: string;
  /** Endpoint. Training jobs, models and endpoint configurations have names that begin with it and `-`. */
  readonly endpoint: string;
  readonly stateMachine: string;
  readonly workGroup: string;
  readonly glueDatabase: string;
}

/** The names of one feature group's stack in one stage. */
export function namesOf(group: FeatureGroup, stage: string): Names {
  // Stacks and SageMaker's names take no underscore, and SageMaker lowers the case of names in ARNs.
  const base = `tributary-${group.name}-${stage}`.replaceAll('_', '-').toLowerCase();
  const stack = shorten(base, STACK_NAME_MAX);
  return {
    stage,
    stack,
    endpoint: shorten(base, ENDPOINT_NAME_MAX),
    stateMachine: `${stack}-retraining`,
    workGroup: stack,
    glueDatabase: `tributary_${group.name}_${stage}`.replaceAll('-', '_').toLowerCase(),
  };
}

/** Cuts a name to `max` characters, ending in a hash of the whole so that two long names stay two. */
function shorten(name: string, max: number): string {
  if (name.length <= max) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, max - hash.length - 1).replace(/-+$/, '')}-${hash}`;
}
