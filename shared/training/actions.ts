import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type FeatureGroup, withoutLabel } from '../definition/feature-group.ts';
import type { Champion } from '../promotion/challenger.ts';
import type { GatePolicy, Verdict } from '../promotion/gate.ts';
import type { Removed } from '../promotion/retention.ts';
import type { Rollout, RolloutOptions } from '../promotion/rollout.ts';
import type { LabelCounts } from '../state/label-ledger.ts';
import type { StateTable } from '../state/table.ts';
import { cleanUp, close, examine, fail, refuse } from './attempt/closing.ts';
import { awaitApproval, findChampion, type GoAhead, judgeAttempt, probe, rollOut } from './attempt/promoting.ts';
import { type ToldCheck, tellCheck } from './check.ts';
import { considerTraining, tellTraining } from './consider.ts';
import type { RequestOf, RetrainEvent } from './event.ts';
import type { TrainingOptions } from './plan.ts';
import type { Decision, RetrainingPolicy } from './policy.ts';
import { considerSnapshot, finishSnapshot, type Shown, showSnapshot, snapshotShown } from './snapshots/consider.ts';

/** When to train, on what, by which means, and what is kept. */
export interface RetrainOptions extends TrainingOptions, RolloutOptions {
  readonly policy: RetrainingPolicy;
  readonly gate: GatePolicy;
  /** Rows of each class that a part of the training set needs. */
  readonly minimums: {
    readonly trainPerClass: number;
    readonly validationPerClass: number;
    readonly judgePerClass: number;
  };
  readonly endpointGraceSeconds: number;
  readonly modelsKept: number;
  /** New change log that makes a snapshot before its day is over, in megabytes. */
  readonly snapshotChangeLogMegabytes: number;
  readonly snapshotMachineArn: string;
}

/** What the actions stand on: the options, the definition, the clients, and the clock in epoch milliseconds. */
export interface RetrainDependencies {
  readonly options: RetrainOptions;
  readonly group: FeatureGroup;
  readonly table: StateTable;
  readonly sfn: Pick<SFNClient, 'send'>;
  readonly s3: Pick<S3Client, 'send'>;
  readonly sagemaker: SageMakerClient;
  readonly runtime: Pick<SageMakerRuntimeClient, 'send'>;
  readonly autoscaling: ApplicationAutoScalingClient;
  now(): number;
  /** Is told how many labels the current epoch has, whenever they have been counted. */
  report?(counts: LabelCounts): void;
  /** Is told that an epoch is given up, which somebody should look into. */
  reportGivenUp?(): void;
  /** Is told how old the snapshot is that the views read, at each run of the schedule. */
  reportSnapshotAge?(hours: number): void;
  /** Is told how the check of the online store stands, at each run of the schedule. */
  reportCheck?(check: ToldCheck): void;
}

/** What was decided or done, and why. `changed` is false for what was done before. */
export type Outcome =
  | Decision
  | Verdict
  | {
      readonly decision:
        | ('close' | 'refused' | 'reopen' | 'given-up' | 'snapshot' | 'snapshot-shown')
        | ('too-few-rows' | 'worth-training' | 'known' | 'probe' | 'dry-run');
      readonly changed: boolean;
      readonly reason: string;
    };

/** An outcome, or what the state machine asked for. */
export type RetrainAnswer = Outcome | Champion | GoAhead | Rollout | Shown | (Removed & { readonly alarms: number });

type Action = RetrainEvent['action'];

/** What is done for each request. Everything that has an outcome is decided here or there for a reason that it states. */
const ACTIONS: {
  readonly [A in Action]: (request: RequestOf<A>, dependencies: RetrainDependencies) => Promise<RetrainAnswer>;
} = {
  consider: async ({ isScheduled }, dependencies) => {
    try {
      return await considerTraining(dependencies);
    } finally {
      // Whether or not the loop is paused, and whatever comes of the labels.
      if (isScheduled) await lookAround(dependencies);
    }
  },
  train: ({ reason, dryRun }, dependencies) => (dryRun ? tellTraining : considerTraining)(dependencies, reason),
  snapshot: finishSnapshot,
  'show-snapshot': showSnapshot,
  'snapshot-shown': snapshotShown,
  examine,
  champion: findChampion,
  judge: judgeAttempt,
  approval: awaitApproval,
  rollout: rollOut,
  probe,
  close,
  refuse,
  fail,
  'clean-up': ({ alarms }, dependencies) =>
    cleanUp(
      dependencies,
      alarms.map((it) => it.AlarmName),
    ),
};

/** What the schedule looks after, beside labels. */
async function lookAround(dependencies: RetrainDependencies): Promise<void> {
  await Promise.all([considerSnapshot(dependencies), tellCheck(dependencies)]);
}

/** What a stack without a label does: it trains nothing, but its views read snapshots as those of any other. */
const OF_SNAPSHOTS: readonly Action[] = ['snapshot', 'show-snapshot', 'snapshot-shown'];

/** Does what a request asks for: by the labels, by the schedule, by a person, or by the state machine. */
export async function act<A extends Action>(
  request: RequestOf<A> & { readonly action: A },
  dependencies: RetrainDependencies,
): Promise<RetrainAnswer> {
  if (!dependencies.group.label && !OF_SNAPSHOTS.includes(request.action)) {
    if (request.action === 'consider') await lookAround(dependencies);
    return { decision: 'wait', reason: withoutLabel(dependencies.group) };
  }
  return ACTIONS[request.action](request, dependencies);
}
