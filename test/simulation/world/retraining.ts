import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { retrain } from '../../../functions/retrain.ts';
import type { RetrainOptions } from '../../../shared/training/actions.ts';
import { noFleets } from '../../given/retraining/no-fleets.ts';
import type { Network } from '../aws/aws-call.ts';
import type { DynamoDb } from '../aws/dynamodb.ts';
import type { Faults } from '../aws/faults.ts';
import type { Invocation, Lambda } from '../aws/lambda.ts';
import { type Execution, StepFunctions } from '../aws/step-functions.ts';
import { Violation } from '../judge/violation.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

const MINUTE_MS = 60_000;
const SCHEDULE_MS = 5 * MINUTE_MS;
const TIMEOUT_MS = 60_000;
/** Window of the mapping that reads the label ledger's stream. */
const LABEL_WINDOW_MS = 1_000;
/** How often the state machine calls retrain to end an epoch, before it takes that for a failure. */
const CALLBACK_ATTEMPTS = 3;
/** Schedule ticks within which everything that is due must have been started and finished. */
const SETTLE_TICKS = 300;

/** What retrain has for judging and cleaning up, of which the simulated executions ask nothing. */
const NOT_CALLED = {
  s3: new S3Client({ region: 'us-east-1' }),
  ...noFleets,
  runtime: new SageMakerRuntimeClient({ region: 'us-east-1' }),
};

const PROMOTED = { decision: 'promote', reason: 'better', comparison: {} };

interface Surroundings {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly random: Random;
  readonly profile: Profile;
  readonly lambda: Lambda;
  readonly network: Network;
  readonly dynamodb: DynamoDb;
  readonly stateTable: string;
}

/** Retraining: what makes retrain run, and the executions that it starts. */
export class Retraining {
  readonly stepFunctions: StepFunctions;
  started = 0;
  readonly #around: Surroundings;
  readonly #options: RetrainOptions;
  #labelsWaiting = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#options = optionsOf(around.profile);
    this.stepFunctions = new StepFunctions((execution) => this.#onStart(execution));
  }

  /** The ledger's stream has a new entry. */
  labelWritten(): void {
    if (this.#labelsWaiting) return;
    this.#labelsWaiting = true;
    this.#around.scheduler.wake(LABEL_WINDOW_MS, () => {
      this.#labelsWaiting = false;
      this.#invoke({ Records: [] });
    });
  }

  /** Runs the schedule until `ended`. */
  schedule(ended: () => boolean): void {
    this.#around.scheduler.wake(SCHEDULE_MS, () => {
      if (ended()) return;
      if (!this.#around.faults.strikes('the schedule did not run')) this.#invoke({ source: 'aws.events' });
      this.schedule(ended);
    });
  }

  /** Waits until no training is in flight or due. */
  async settle(): Promise<void> {
    for (let tick = 0; tick < SETTLE_TICKS; tick += 1) {
      await this.#around.scheduler.sleep(SCHEDULE_MS);
      if (this.#due() === undefined) return;
    }
    throw new Violation('no threshold crossing is forgotten', `still, after a day of calm: ${this.#due()}`);
  }

  /** What is in flight or due, in words. Knows only what is in the table. */
  #due(): string | undefined {
    const { dynamodb, profile } = this.#around;
    const state = dynamodb.state.get('epoch');
    const running = [...this.stepFunctions.executions.values()].find((it) => it.status === 'RUNNING');
    if (running) return `${running.name} is running`;
    if (state?.training) return 'a training is in flight, but no execution of it runs';
    if (state?.failed) return 'a failed attempt waits for its next';
    const epoch = state?.epoch?.N ?? '1';
    const carried = state?.carried?.M;
    const sizes = { 0: Number(carried?.['0']?.N ?? 0), 1: Number(carried?.['1']?.N ?? 0) };
    for (const [shard, keys] of dynamodb.labelShards()) {
      const [of, label] = shard.split('#');
      if (of === epoch && (label === '0' || label === '1')) sizes[label] += keys.length;
    }
    const enough =
      sizes[0] + sizes[1] >= profile.labelsThreshold && Math.min(sizes[0], sizes[1]) >= profile.labelsPerClassMin;
    return enough ? `epoch ${epoch} has ${sizes[0]} and ${sizes[1]} labels, and no training` : undefined;
  }

  #invoke(event: unknown) {
    const { lambda, network, dynamodb, scheduler, profile } = this.#around;
    return lambda.invoke({
      functionName: 'retrain',
      timeoutMs: TIMEOUT_MS,
      run: (invocation: Invocation) =>
        retrain(event, {
          options: this.#options,
          group: profile.group,
          table: {
            name: this.#around.stateTable,
            dynamodb: network.client<Pick<DynamoDBClient, 'send'>>(dynamodb, invocation),
          },
          sfn: network.client<Pick<SFNClient, 'send'>>(this.stepFunctions, invocation),
          ...NOT_CALLED,
          now: () => Math.floor(scheduler.now + invocation.clockOffsetMs),
        }),
    });
  }

  #onStart(execution: Execution): void {
    this.started += 1;
    const running = [...this.stepFunctions.executions.values()].filter((it) => it.status === 'RUNNING');
    if (running.length > 1) {
      throw new Violation('one training at a time', `${running.map((it) => it.name).join(' and ')} run at once`);
    }
    const { epoch, attempt } = JSON.parse(execution.input) as { epoch: number; attempt: number };
    const state = this.#around.dynamodb.state.get('epoch')?.training?.M;
    if (state?.epoch?.N !== String(epoch) || state.attempt?.N !== String(attempt)) {
      throw new Violation('an execution is of the claimed attempt', `${execution.name} started without its claim`);
    }
    this.#around.scheduler.wake(this.#around.random.integer(5, 60) * MINUTE_MS, () => this.#finish(execution));
  }

  async #finish(execution: Execution): Promise<void> {
    const { faults } = this.#around;
    if (faults.strikes('an execution vanished without a word')) {
      execution.status = 'ABORTED';
      return;
    }
    const plan = JSON.parse(execution.input);
    const { epoch, attempt, trainingJobName } = plan;
    const failed = faults.strikes('an execution failed');
    const training = { TrainingJobName: trainingJobName };
    const counted = { counts: {}, rowsHash: '' };
    const close = { action: 'close', epoch, attempt, plan, training, counted, verdict: PROMOTED };
    const closed = !failed && (await this.#callBack(close));
    if (!closed) await this.#callBack({ action: 'fail', run: { ...plan, failure: { Error: 'States.TaskFailed' } } });
    execution.status = closed ? 'SUCCEEDED' : 'FAILED';
    if (closed) await this.#invoke({ source: 'retraining' });
  }

  async #callBack(event: unknown): Promise<boolean> {
    for (let attempt = 0; attempt < CALLBACK_ATTEMPTS; attempt += 1) {
      const result = await this.#invoke(event);
      if (result.status === 'answered') return true;
      await this.#around.scheduler.sleep(2_000 * 2 ** attempt);
    }
    return false;
  }
}

function optionsOf(profile: Profile): RetrainOptions {
  const { labelsThreshold, labelsPerClassMin, coolDownSeconds } = profile;
  return {
    stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:retraining',
    snapshotMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:snapshot',
    ...{ trainingWindowDays: 'all', trainingRowsMax: 'all', snapshotChangeLogMegabytes: 10_000 },
    dataBucket: 'data',
    glueDatabase: 'tributary',
    athenaWorkgroup: 'tributary',
    endpointName: 'accounts',
    trainingRoleArn: 'arn:aws:iam::000000000000:role/training',
    trainingInstanceType: 'ml.m5.large',
    endpointInstanceType: 'ml.t2.medium',
    trainingAlgorithm: 'linear-learner',
    trainingSecondsMax: 3_600,
    hyperParameters: {},
    gate: { metric: 'auc', minimumGain: -0.02, confidence: 95, floor: 0.5 },
    minimums: { trainPerClass: 10, validationPerClass: 1, judgePerClass: 5 },
    ...{ promotion: 'automatic', approvalHours: 72, endpointGraceSeconds: 86_400 },
    ...{ endpointInstanceCount: 2, canarySeconds: 300, terminationSeconds: 120 },
    ...{ alarmErrorPercent: 1, alarmLatencyMillis: 500, modelsKept: 5 },
    policy: {
      labelsThreshold,
      labelsPerClassMin,
      coolDownSeconds,
      stalenessMaxSeconds: 604_800,
      retryBackoffSeconds: 60,
      attemptsMax: 99,
    },
    changeLogBufferSeconds: 60,
    endpointPollSeconds: 30,
  };
}
