import * as z from 'zod';
import { type FeatureGroup, type Label, labelOf } from '../definition/feature-group.ts';
import { type LabelKind, labelKind } from '../definition/label.ts';
import { executionName, resourceName } from '../model/names.ts';
import { schemaHash } from '../model/schema-hash.ts';
import { type DeploymentOptions, deploymentPlan, deploymentPlanSchema } from '../promotion/deployment.ts';
import type { TrainingInFlight } from '../state/epochs.ts';
import type { Snapshot } from '../state/snapshots.ts';
import { trainingImage } from './images.ts';
import { isUsable } from './snapshot.ts';
import { writtenSnapshot } from './snapshots/plan.ts';
import { countQuery, partFolder, type Selection, unloadQuery } from './training-set.ts';

/** Longest input of an execution, in bytes. Source: Step Functions quotas. It becomes the state, which grows: see below. */
const INPUT_BYTES_MAX = 256 * 1024;

/** Bytes kept free of the input for what the states add to it: counts, the training job's description, a failure. */
const INPUT_BYTES_RESERVED = 64 * 1024;

/** Buffering intervals that are waited out. They are hints only: Firehose takes longer when it lags. */
const BUFFERS_WAITED = 2;

/** Default of linear-learner, and more than enough for any size of training set. */
const MINI_BATCH_SIZE_MAX = 1_000;

const DAY_MS = 86_400_000;

/** Input of the retraining state machine. */
export const trainingPlanSchema = z.object({
  featureGroup: z.string(),
  epoch: z.int(),
  attempt: z.int(),
  firehoseWaitSeconds: z.int(),
  endpointPollSeconds: z.int(),
  workGroup: z.string(),
  queryOutputLocation: z.string(),
  database: z.string(),
  snapshotQuery: z.string(),
  /** The snapshot to be written, and what it is built upon: without a base, all of history. */
  snapshot: z.object({
    name: z.string(),
    format: z.string(),
    watermark: z.iso.datetime(),
    base: z.string().nullable(),
    changeLogFrom: z.string().nullable(),
  }),
  /** Which labeled records are learned from. Absent in trainings of older versions: all of them. */
  selection: z.object({ since: z.iso.date().optional(), rowsMax: z.int().optional() }).optional(),
  countQuery: z.string(),
  trainingSetQuery: z.string(),
  trainingJobName: z.string(),
  trainingImage: z.string(),
  trainingRoleArn: z.string(),
  hyperParameters: z.record(z.string(), z.string()),
  trainUri: z.string(),
  validationUri: z.string(),
  judgeUri: z.string(),
  modelUri: z.string(),
  trainingInstanceType: z.string(),
  maxRuntimeSeconds: z.int(),
  modelName: z.string(),
  endpointConfigName: z.string(),
  /** What the names of everything that trainings of the stack make begin with. */
  namesBeginWith: z.string(),
  endpointInstanceType: z.string(),
  schemaHash: z.string(),
  ...deploymentPlanSchema.shape,
});

export type TrainingPlan = z.output<typeof trainingPlanSchema>;

/** Where a training takes place, by which means, and how its model is deployed. */
export interface TrainingOptions extends DeploymentOptions {
  readonly stateMachineArn: string;
  readonly glueDatabase: string;
  readonly athenaWorkgroup: string;
  readonly trainingRoleArn: string;
  readonly trainingInstanceType: string;
  readonly endpointInstanceType: string;
  readonly trainingSecondsMax: number;
  /** Beside or instead of the algorithm's usual ones. */
  readonly hyperParameters: Readonly<Record<string, string>>;
  readonly policy: { readonly labelsThreshold: number };
  /** Labels of how many days back are learned from, and from how many rows at most. */
  readonly trainingWindowDays: number | 'all';
  readonly trainingRowsMax: number | 'all';
  readonly minimums: { readonly trainPerClass: number };
  readonly changeLogBufferSeconds: number;
  readonly endpointPollSeconds: number;
}

/**
 * Everything the state machine needs to train one attempt at an epoch and to put its model behind the endpoint.
 *
 * @param nowMs becomes the snapshot's watermark: its query runs later, so it reads every row that is in S3 by then.
 * @param lastSnapshot the newest finished snapshot, of whatever definition.
 * @throws Error when the algorithm has no image in the state machine's region.
 */
export function trainingPlan(
  group: FeatureGroup,
  options: TrainingOptions,
  due: { epoch: number; attempt: number },
  nowMs: number,
  lastSnapshot?: Snapshot,
): TrainingPlan {
  const { epoch, attempt } = due;
  const name = resourceName(options.endpointName, epoch, attempt, nowMs);
  const bucket = `s3://${options.dataBucket}`;
  const trainingSetUri = `${bucket}/training-sets/${name}/`;
  const database = options.glueDatabase;
  const hash = schemaHash(group);
  const base = lastSnapshot && isUsable(lastSnapshot, group) ? lastSnapshot : undefined;
  const selection = selectionOf(options, nowMs);
  const source = { database, snapshot: name, selection };
  return {
    featureGroup: group.name,
    epoch,
    attempt,
    firehoseWaitSeconds: options.changeLogBufferSeconds * BUFFERS_WAITED,
    endpointPollSeconds: options.endpointPollSeconds,
    workGroup: options.athenaWorkgroup,
    queryOutputLocation: `${bucket}/athena-results/`,
    database,
    ...writtenSnapshot(group, { dataBucket: options.dataBucket, database, name, nowMs, base }),
    selection,
    countQuery: countQuery(group, source),
    trainingSetQuery: unloadQuery(group, source, trainingSetUri),
    trainingJobName: name,
    trainingImage: trainingImage(options.trainingAlgorithm, regionOf(options.stateMachineArn)),
    trainingRoleArn: options.trainingRoleArn,
    hyperParameters: hyperParameters(options, labelOf(group)),
    trainUri: `${trainingSetUri}${partFolder('train')}`,
    validationUri: `${trainingSetUri}${partFolder('validation')}`,
    judgeUri: `${trainingSetUri}${partFolder('judge')}`,
    modelUri: `${bucket}/models/`,
    trainingInstanceType: options.trainingInstanceType,
    maxRuntimeSeconds: options.trainingSecondsMax,
    modelName: name,
    endpointConfigName: name,
    namesBeginWith: options.endpointName,
    endpointInstanceType: options.endpointInstanceType,
    schemaHash: hash,
    ...deploymentPlan(options, name, hash, (scored) =>
      resourceName(options.endpointName, epoch, attempt, nowMs, scored),
    ),
  };
}

/**
 * The training to claim for a plan.
 *
 * @throws Error when the definition is so large that its queries do not fit into an execution's input.
 */
export function trainingOf(plan: TrainingPlan, nowMs: number): TrainingInFlight {
  const { featureGroup, epoch, attempt } = plan;
  const input = JSON.stringify(plan);
  const bytes = Buffer.byteLength(input);
  if (bytes > INPUT_BYTES_MAX - INPUT_BYTES_RESERVED) {
    throw new Error(
      `The training of ${featureGroup} takes an execution input of ${bytes} bytes, of at most ${INPUT_BYTES_MAX} less ${INPUT_BYTES_RESERVED} for its states: use fewer training columns (ordinal categories, training: false).`,
    );
  }
  return { epoch, attempt, executionName: executionName(featureGroup, epoch, attempt), claimedAtMs: nowMs, input };
}

/** Whether a query fits into the state beside the plan: the input of an execution stays in it. */
export function fitsBeside(plan: TrainingPlan, query: string): boolean {
  const bytes = Buffer.byteLength(JSON.stringify(plan)) + Buffer.byteLength(JSON.stringify(query));
  return bytes <= INPUT_BYTES_MAX - INPUT_BYTES_RESERVED / 2;
}

/** Where rows in two schemas are written, under the prefix of the training set. */
export const sharedUri = ({ judgeUri }: Pick<TrainingPlan, 'judgeUri'>): string =>
  judgeUri.replace(partFolder('judge'), 'judge-in-two-schemas/');

function selectionOf({ trainingWindowDays: days, trainingRowsMax }: TrainingOptions, nowMs: number): Selection {
  return {
    ...(days !== 'all' && { since: new Date(nowMs - days * DAY_MS).toISOString().slice(0, 10) }),
    ...(trainingRowsMax !== 'all' && { rowsMax: trainingRowsMax }),
  };
}

/** What each kind of label is to linear-learner and to XGBoost. Sources: their pages of hyperparameters. */
const PREDICTORS: Readonly<
  Record<LabelKind, { readonly linear: string; readonly boosted: Readonly<Record<string, string>> }>
> = {
  binary: { linear: 'binary_classifier', boosted: { objective: 'binary:logistic', eval_metric: 'auc' } },
  'multi-class': { linear: 'multiclass_classifier', boosted: { objective: 'multi:softprob', eval_metric: 'mlogloss' } },
  regression: { linear: 'regressor', boosted: { objective: 'reg:squarederror', eval_metric: 'rmse' } },
};

function hyperParameters(options: TrainingOptions, label: Label): Record<string, string> {
  const { linear, boosted } = PREDICTORS[labelKind(label)];
  const classes = label.classes && String(label.classes.length);
  const { trainingAlgorithm, policy, hyperParameters: given } = options;
  if (trainingAlgorithm === 'xgboost') {
    return { ...boosted, ...(classes && { num_class: classes }), num_round: '100', ...given };
  }
  // What linear-learner does with fewer rows than a mini batch is not documented, and the rows are counted later. The
  // first training follows an epoch of `labelsThreshold` labeled rows and the next ones have more, so the train split
  // holds four fifths of that less what was deleted since: a quarter is on the safe side. Of a window only as many are
  // sure as a training is refused without.
  const { trainingWindowDays, trainingRowsMax, minimums } = options;
  const sure = trainingWindowDays === 'all' ? Math.floor(policy.labelsThreshold / 4) : 2 * minimums.trainPerClass;
  const most = trainingRowsMax === 'all' ? MINI_BATCH_SIZE_MAX : Math.min(MINI_BATCH_SIZE_MAX, trainingRowsMax);
  const miniBatchSize = Math.max(1, Math.min(most, sure));
  const several = classes && { num_classes: classes };
  return { predictor_type: linear, ...several, mini_batch_size: String(miniBatchSize), ...given };
}

function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}
