import type { FeatureGroup } from '../definition/feature-group.ts';
import { type TrainingOptions, trainingOf, trainingPlan } from './plan.ts';

/**
 * Names and settings as long as they can be: what fits into an execution's input with them fits with any. A base of
 * snapshots makes the longest query.
 */
const LONGEST: TrainingOptions = {
  stateMachineArn: `arn:aws:states:us-east-1:123456789012:stateMachine:${'m'.repeat(80)}`,
  dataBucket: 'b'.repeat(63),
  glueDatabase: 'd'.repeat(140),
  athenaWorkgroup: 'w'.repeat(64),
  endpointName: 'e'.repeat(40),
  trainingRoleArn: `arn:aws:iam::123456789012:role/${'r'.repeat(64)}`,
  ...{ trainingInstanceType: 'ml.m5.24xlarge', endpointInstanceType: 'ml.m5.24xlarge' },
  ...{ trainingAlgorithm: 'linear-learner', trainingSecondsMax: 86_400, hyperParameters: {} },
  ...{ promotion: 'approve', approvalHours: 168, alarmErrorPercent: 1, alarmLatencyMillis: 60_000 },
  ...{ trainingWindowDays: 9_999, trainingRowsMax: 1_000_000_000, minimums: { trainPerClass: 10 } },
  ...{ policy: { labelsThreshold: 1_000_000 }, changeLogBufferSeconds: 900, endpointPollSeconds: 30 },
};

/** Why no model can ever be trained by a definition, and how to change it: one sentence each. None if one can, or none is to be. */
export function untrainable(group: FeatureGroup): string[] {
  if (!group.label) return [];
  const nowMs = Date.UTC(2026, 0, 1);
  const first = trainingPlan(group, LONGEST, { epoch: 99_999, attempt: 99 }, nowMs);
  const next = trainingPlan(group, LONGEST, { epoch: 99_999, attempt: 99 }, nowMs, first.snapshot);
  try {
    trainingOf(next, nowMs);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
