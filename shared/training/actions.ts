import type { S3Client } from '@aws-sdk/client-s3';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { type Champion, championOf, judgeChallenger } from '../promotion/challenger.ts';
import type { GatePolicy, Verdict } from '../promotion/gate.ts';
import { type Removed, removeOldModels } from '../promotion/retention.ts';
import { claimEpoch, closeEpoch, type EpochState, readEpochState, reopenEpoch } from '../state/epochs.ts';
import { readEvidence, servedBefore } from '../state/evidence.ts';
import { countLabels, type LabelCounts } from '../state/label-ledger.ts';
import { readServing } from '../state/serving.ts';
import { readSnapshot, recordSnapshot } from '../state/snapshots.ts';
import type { StateTable } from '../state/table.ts';
import { evidenceOf, type RetrainEvent, servingOf } from './event.ts';
import { startTraining } from './execution.ts';
import { type TrainingOptions, trainingOf, trainingPlan } from './plan.ts';
import { type Decision, decide, decideWithoutCounts, type RetrainingPolicy } from './policy.ts';

/** When to train, on what, by which means, and what is kept. */
export interface RetrainOptions extends TrainingOptions {
  readonly policy: RetrainingPolicy;
  readonly gate: GatePolicy;
  readonly modelsKept: number;
}

/** What the actions stand on: the options, the definition, the clients, and the clock in epoch milliseconds. */
export interface RetrainDependencies {
  readonly options: RetrainOptions;
  readonly group: FeatureGroup;
  readonly table: StateTable;
  readonly sfn: Pick<SFNClient, 'send'>;
  readonly s3: Pick<S3Client, 'send'>;
  readonly sagemaker: SageMakerClient;
  now(): number;
  /** Is told how many labels the current epoch has, whenever they have been counted. */
  report?(counts: LabelCounts): void;
}

/** What was decided or done, and why. `changed` is false for what was done before. */
export type Outcome =
  | Decision
  | Verdict
  | {
      readonly decision: 'close' | 'refused' | 'reopen' | 'snapshot';
      readonly changed: boolean;
      readonly reason: string;
    };

/** An outcome, or what the state machine asked for. */
export type RetrainAnswer = Outcome | Champion | (Removed & { readonly alarms: number });

type Action = RetrainEvent['action'];
type RequestOf<A extends Action> = Extract<RetrainEvent, { readonly action: A }>;

/** What is done for each request. Everything that has an outcome is decided here or there for a reason that it states. */
const ACTIONS: {
  readonly [A in Action]: (request: RequestOf<A>, dependencies: RetrainDependencies) => Promise<RetrainAnswer>;
} = {
  consider: (_, dependencies) => considerTraining(dependencies),
  champion: async ({ plan }, { table }) => championOf(await readServing(table), plan),
  judge: ({ plan, champion }, { s3, options }) => judgeChallenger(s3, plan, champion.found, options.gate),
  close: async (request, { table, now }) => {
    const { epoch, attempt } = request;
    const closed = { epoch, attempt, evidence: evidenceOf(request), serving: servingOf(request) };
    const changed = await closeEpoch(table, closed, now());
    return { decision: 'close', changed, reason: `The model of ${nameOf(request)} serves.` };
  },
  refuse: async (request, { table, now }) => {
    const { epoch, attempt, verdict } = request;
    const changed = await closeEpoch(table, { epoch, attempt, evidence: evidenceOf(request) }, now());
    const reason = `The model of ${nameOf(request)} was refused: ${verdict.reason}`;
    return { decision: 'refused', changed, reason };
  },
  reopen: async (request, { table, now }) => {
    const changed = await reopenEpoch(table, request, now());
    return { decision: 'reopen', changed, reason: `The ${nameOf(request)} failed: ${request.error}.` };
  },
  snapshot: async ({ snapshot }, { table }) => {
    const changed = await recordSnapshot(table, snapshot);
    return { decision: 'snapshot', changed, reason: `The snapshot ${snapshot.name} is finished.` };
  },
  'clean-up': ({ alarmNames }, dependencies) => cleanUp(dependencies, alarmNames),
};

/** Does what a request asks for: by the labels, by the schedule, or by the state machine. */
export function act<A extends Action>(
  request: RequestOf<A> & { readonly action: A },
  dependencies: RetrainDependencies,
): Promise<RetrainAnswer> {
  return ACTIONS[request.action](request, dependencies);
}

const nameOf = ({ epoch, attempt }: { epoch: number; attempt: number }) => `attempt ${attempt} at epoch ${epoch}`;

async function considerTraining(dependencies: RetrainDependencies): Promise<Outcome> {
  const { table, sfn, options, now } = dependencies;
  const state = await readEpochState(table);
  const decision = decideWithoutCounts(state, options.policy, now()) ?? (await decideByLabels(dependencies, state));
  if (decision.decision === 'wait') return decision;

  const training = decision.decision === 'resume' ? decision.training : await claim(dependencies, decision);
  if (!training) return { decision: 'wait', reason: 'Another invocation has just moved the epoch on.' };

  const execution = await startTraining(sfn, options.stateMachineArn, training);
  if (execution === 'running') return decision;
  // An execution closes or reopens its epoch before it ends; one that was aborted or timed out did neither.
  const failure = {
    ...training,
    error: 'ExecutionEnded',
    cause: `${training.executionName} ended and left its epoch.`,
  };
  const changed = await reopenEpoch(table, failure, now());
  return { decision: 'reopen', changed, reason: failure.cause };
}

async function decideByLabels({ table, options, now, report }: RetrainDependencies, state: EpochState) {
  const counts = await countLabels(table, state.epoch);
  report?.(counts);
  return decide({ counts, state, policy: options.policy, now: now() });
}

async function claim({ table, options, group, now }: RetrainDependencies, due: { epoch: number; attempt: number }) {
  const snapshot = await readSnapshot(table);
  const training = trainingOf(trainingPlan(group, options, due, now(), snapshot), now());
  return claimEpoch(table, training);
}

/** Removes old models and configurations, but not what serves nor what a rollback would go back to. */
async function cleanUp({ table, sagemaker, options }: RetrainDependencies, alarmNames: readonly string[]) {
  const { endpointName, modelsKept } = options;
  const serving = await readServing(table);
  const { epoch } = await readEpochState(table);
  const before = serving && servedBefore(serving, await readEvidence(table, epoch));
  const inUse = [serving, before].flatMap((it) => (it ? [it.modelName, it.endpointConfigName] : []));
  const removed = await removeOldModels(sagemaker, endpointName, modelsKept, inUse, alarmNames);
  return { ...removed, alarms: removed.alarmNames.length };
}
