import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import { type RetrainConfig, retrainConfig } from '../shared/config.ts';
import { claimEpoch, closeEpoch, countLabels, readEpochState, reopenEpoch } from '../shared/epochs.ts';
import type { FeatureGroup } from '../shared/feature-groups/define.ts';
import { loadFeatureGroup } from '../shared/feature-groups/registry.ts';
import { evidenceOf, parseRetrainEvent, servingOf } from '../shared/retrain-event.ts';
import { startTraining } from '../shared/retraining-execution.ts';
import { type Decision, decide, decideWithoutCounts } from '../shared/retraining-policy.ts';
import { readSnapshot, recordSnapshot } from '../shared/snapshot-record.ts';
import { trainingOf, trainingPlan } from '../shared/training-plan.ts';

/** What retrain stands on: its configuration, the definition, the clients, and the clock in epoch milliseconds. */
export interface RetrainDependencies {
  readonly config: RetrainConfig;
  readonly group: FeatureGroup;
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
  readonly sfn: Pick<SFNClient, 'send'>;
  now(): number;
}

/** What was decided or done, and why. `changed` is false for what was done before. */
export type RetrainAnswer = Decision | { decision: 'close' | 'reopen' | 'snapshot'; changed: boolean; reason: string };

let started: Promise<RetrainDependencies> | undefined;

/** Made once per execution environment, at its first invocation. */
async function production(): Promise<RetrainDependencies> {
  const config = retrainConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  return { config, group, dynamodb: new DynamoDBClient(), sfn: new SFNClient(), now: Date.now };
}

/** Looks at the labels and starts a training when one is due; ends an epoch when the state machine says so. */
export async function retrain(event: unknown, dependencies: RetrainDependencies): Promise<RetrainAnswer> {
  const { dynamodb, config, now } = dependencies;
  const request = parseRetrainEvent(event);
  if (request.action === 'consider') return considerTraining(dependencies);
  if (request.action === 'snapshot') {
    const changed = await recordSnapshot(dynamodb, config.stateTable, request.snapshot);
    return { decision: 'snapshot', changed, reason: `The snapshot ${request.snapshot.name} is finished.` };
  }
  const attempt = `attempt ${request.attempt} at epoch ${request.epoch}`;
  if (request.action === 'close') {
    const closed = { serving: servingOf(request), evidence: evidenceOf(request) };
    const changed = await closeEpoch(dynamodb, config.stateTable, closed, now());
    return { decision: 'close', changed, reason: `The model of ${attempt} serves.` };
  }
  const changed = await reopenEpoch(dynamodb, config.stateTable, request, now());
  return { decision: 'reopen', changed, reason: `The ${attempt} failed: ${request.error}.` };
}

async function considerTraining(dependencies: RetrainDependencies): Promise<RetrainAnswer> {
  const { dynamodb, sfn, config, now } = dependencies;
  const { stateTable, stateMachineArn, policy } = config;
  const state = await readEpochState(dynamodb, stateTable);
  const decision =
    decideWithoutCounts(state, policy, now()) ??
    decide({ counts: await countLabels(dynamodb, stateTable, state.epoch), state, policy, now: now() });
  if (decision.decision === 'wait') return decision;

  const training = decision.decision === 'resume' ? decision.training : await claim(dependencies, decision);
  if (!training) return { decision: 'wait', reason: 'Another invocation has just moved the epoch on.' };

  const execution = await startTraining(sfn, stateMachineArn, training);
  if (execution === 'running') return decision;
  // An execution closes or reopens its epoch before it ends; one that was aborted or timed out did neither.
  const failure = {
    ...training,
    error: 'ExecutionEnded',
    cause: `${training.executionName} ended and left its epoch.`,
  };
  const changed = await reopenEpoch(dynamodb, stateTable, failure, now());
  return { decision: 'reopen', changed, reason: failure.cause };
}

async function claim({ dynamodb, config, group, now }: RetrainDependencies, due: { epoch: number; attempt: number }) {
  const snapshot = await readSnapshot(dynamodb, config.stateTable);
  const training = trainingOf(trainingPlan(group, config, due, now(), snapshot), now());
  return claimEpoch(dynamodb, config.stateTable, training);
}

const logger = new Logger();

export async function handler(event: unknown): Promise<RetrainAnswer> {
  started ??= production();
  const answer = await retrain(event, await started);
  logger.info(answer.reason, { decision: answer.decision });
  return answer;
}
