import type { S3Client } from '@aws-sdk/client-s3';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { FeatureGroup } from '../definition/feature-group.ts';
import { type Champion, judgeChallenger } from '../promotion/challenger.ts';
import type { GatePolicy, Verdict } from '../promotion/gate.ts';
import type { Removed } from '../promotion/retention.ts';
import type { Rollout, RolloutOptions } from '../promotion/rollout.ts';
import type { LabelCounts } from '../state/label-ledger.ts';
import { recordSnapshot } from '../state/snapshots.ts';
import type { StateTable } from '../state/table.ts';
import { cleanUp, close, examine, fail, refuse } from './attempt/closing.ts';
import { awaitApproval, findChampion, type GoAhead, probe, rollOut } from './attempt/promoting.ts';
import { considerTraining, tellTraining } from './consider.ts';
import type { RequestOf, RetrainEvent } from './event.ts';
import type { TrainingOptions } from './plan.ts';
import type { Decision, RetrainingPolicy } from './policy.ts';

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
  now(): number;
  /** Is told how many labels the current epoch has, whenever they have been counted. */
  report?(counts: LabelCounts): void;
  /** Is told that an epoch is given up, which somebody should look into. */
  reportGivenUp?(): void;
}

/** What was decided or done, and why. `changed` is false for what was done before. */
export type Outcome =
  | Decision
  | Verdict
  | {
      readonly decision:
        | ('close' | 'refused' | 'reopen' | 'given-up' | 'snapshot')
        | ('too-few-rows' | 'worth-training' | 'known' | 'probe' | 'dry-run');
      readonly changed: boolean;
      readonly reason: string;
    };

/** An outcome, or what the state machine asked for. */
export type RetrainAnswer = Outcome | Champion | GoAhead | Rollout | (Removed & { readonly alarms: number });

type Action = RetrainEvent['action'];

/** What is done for each request. Everything that has an outcome is decided here or there for a reason that it states. */
const ACTIONS: {
  readonly [A in Action]: (request: RequestOf<A>, dependencies: RetrainDependencies) => Promise<RetrainAnswer>;
} = {
  consider: (_, dependencies) => considerTraining(dependencies),
  train: ({ reason, dryRun }, dependencies) => (dryRun ? tellTraining : considerTraining)(dependencies, reason),
  snapshot: async ({ snapshot }, { table }) => {
    const changed = await recordSnapshot(table, snapshot);
    return { decision: 'snapshot', changed, reason: `The snapshot ${snapshot.name} is finished.` };
  },
  examine,
  champion: findChampion,
  judge: ({ plan, champion }, { s3, options }) => judgeChallenger(s3, plan, champion, options.gate),
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

/** Does what a request asks for: by the labels, by the schedule, by a person, or by the state machine. */
export function act<A extends Action>(
  request: RequestOf<A> & { readonly action: A },
  dependencies: RetrainDependencies,
): Promise<RetrainAnswer> {
  return ACTIONS[request.action](request, dependencies);
}
