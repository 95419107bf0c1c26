import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { type RetrainConfig, retrainConfig } from '../shared/config/variables.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import type { FeatureGroup } from '../shared/feature-groups/define.ts';
import { type Champion, championOf, judgeChallenger } from '../shared/promotion/challenger.ts';
import type { Verdict } from '../shared/promotion/gate.ts';
import { type Removed, removeOldModels } from '../shared/promotion/retention.ts';
import { recordDecision } from '../shared/state/decisions.ts';
import {
  claimEpoch,
  closeEpoch,
  countLabels,
  type EpochState,
  type LabelCounts,
  readEpochState,
  reopenEpoch,
} from '../shared/state/epochs.ts';
import { readEvidence, servedBefore } from '../shared/state/evidence.ts';
import { readServing } from '../shared/state/serving.ts';
import { readSnapshot, recordSnapshot } from '../shared/state/snapshots.ts';
import { evidenceOf, parseRetrainEvent, type RetrainEvent, servingOf } from '../shared/training/event.ts';
import { startTraining } from '../shared/training/execution.ts';
import { trainingOf, trainingPlan } from '../shared/training/plan.ts';
import { type Decision, decide, decideWithoutCounts } from '../shared/training/policy.ts';
import { publishLabelProgress } from '../shared/training/progress.ts';

/** What retrain stands on: its configuration, the definition, the clients, and the clock in epoch milliseconds. */
export interface RetrainDependencies {
  readonly config: RetrainConfig;
  readonly group: FeatureGroup;
  readonly dynamodb: Pick<DynamoDBClient, 'send'>;
  readonly sfn: Pick<SFNClient, 'send'>;
  readonly s3: Pick<S3Client, 'send'>;
  readonly sagemaker: SageMakerClient;
  now(): number;
  /** Is told how many labels the current epoch has, whenever they have been counted. */
  report?(counts: LabelCounts): void;
}

/** What was decided or done, and why. `changed` is false for what was done before. */
type Outcome =
  | Decision
  | Verdict
  | {
      readonly decision: 'close' | 'refused' | 'reopen' | 'snapshot';
      readonly changed: boolean;
      readonly reason: string;
    };

/** An outcome, or what the state machine asked for. */
export type RetrainAnswer = Outcome | Champion | (Removed & { readonly alarms: number });

let started: Promise<RetrainDependencies> | undefined;

/** Made once per execution environment, at its first invocation. */
async function production(): Promise<RetrainDependencies> {
  const config = retrainConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  const clients = { dynamodb: new DynamoDBClient(), sfn: new SFNClient(), s3: new S3Client() };
  return {
    ...{ config, group, ...clients, sagemaker: new SageMakerClient(), now: Date.now },
    report: (counts) => publishLabelProgress(group.name, counts, config.policy.labelsThreshold),
  };
}

/**
 * Looks at the labels and starts a training when one is due; does for the state machine what needs the state table or
 * arithmetic. Whatever is decided is recorded with its reason.
 */
export async function retrain(event: unknown, dependencies: RetrainDependencies): Promise<RetrainAnswer> {
  const { dynamodb, config, now } = dependencies;
  const request = parseRetrainEvent(event);
  if (request.action === 'champion') return championOf(await readServing(dynamodb, config.stateTable), request.plan);
  if (request.action === 'clean-up') return cleanUp(dependencies, request.alarmNames);
  const outcome = await carryOut(request, dependencies);
  await recordDecision(dynamodb, config.stateTable, outcome, now());
  return outcome;
}

type Recorded = Exclude<RetrainEvent, { readonly action: 'champion' | 'clean-up' }>;

async function carryOut(request: Recorded, dependencies: RetrainDependencies): Promise<Outcome> {
  const { dynamodb, s3, config, now } = dependencies;
  if (request.action === 'consider') return considerTraining(dependencies);
  if (request.action === 'judge') return judgeChallenger(s3, request.plan, request.champion.found, config.gate);
  if (request.action === 'snapshot') {
    const changed = await recordSnapshot(dynamodb, config.stateTable, request.snapshot);
    return { decision: 'snapshot', changed, reason: `The snapshot ${request.snapshot.name} is finished.` };
  }
  const { epoch, attempt } = request;
  const name = `attempt ${attempt} at epoch ${epoch}`;
  if (request.action === 'reopen') {
    const changed = await reopenEpoch(dynamodb, config.stateTable, request, now());
    return { decision: 'reopen', changed, reason: `The ${name} failed: ${request.error}.` };
  }
  const promoted = request.action === 'close';
  const evidence = evidenceOf(request);
  const closed = { epoch, attempt, evidence, ...(promoted && { serving: servingOf(request) }) };
  const changed = await closeEpoch(dynamodb, config.stateTable, closed, now());
  if (promoted) return { decision: 'close', changed, reason: `The model of ${name} serves.` };
  return { decision: 'refused', changed, reason: `The model of ${name} was refused: ${request.verdict.reason}` };
}

async function considerTraining(dependencies: RetrainDependencies): Promise<Outcome> {
  const { dynamodb, sfn, config, now } = dependencies;
  const { stateTable, stateMachineArn } = config;
  const state = await readEpochState(dynamodb, stateTable);
  const decision = decideWithoutCounts(state, config.policy, now()) ?? (await decideByLabels(dependencies, state));
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

async function decideByLabels({ dynamodb, config, now, report }: RetrainDependencies, state: EpochState) {
  const counts = await countLabels(dynamodb, config.stateTable, state.epoch);
  report?.(counts);
  return decide({ counts, state, policy: config.policy, now: now() });
}

async function claim({ dynamodb, config, group, now }: RetrainDependencies, due: { epoch: number; attempt: number }) {
  const snapshot = await readSnapshot(dynamodb, config.stateTable);
  const training = trainingOf(trainingPlan(group, config, due, now(), snapshot), now());
  return claimEpoch(dynamodb, config.stateTable, training);
}

/** Removes old models and configurations, but not what serves nor what a rollback would go back to. */
async function cleanUp({ dynamodb, sagemaker, config }: RetrainDependencies, alarmNames: readonly string[]) {
  const { stateTable, endpointName, modelsKept } = config;
  const serving = await readServing(dynamodb, stateTable);
  const { epoch } = await readEpochState(dynamodb, stateTable);
  const before = serving && servedBefore(serving, await readEvidence(dynamodb, stateTable, epoch));
  const inUse = [serving, before].flatMap((it) => (it ? [it.modelName, it.endpointConfigName] : []));
  const removed = await removeOldModels(sagemaker, endpointName, modelsKept, inUse, alarmNames);
  return { ...removed, alarms: removed.alarmNames.length };
}

const logger = new Logger();

export async function handler(event: unknown): Promise<RetrainAnswer> {
  started ??= production();
  const answer = await retrain(event, await started);
  if ('reason' in answer) logger.info(answer.reason, { decision: answer.decision });
  else logger.info('Answered the state machine', { answer });
  return answer;
}
