import * as z from 'zod';
import { alarmNames, endpointName, type Scored } from '../model/names.ts';

/** Period of the alarms, in seconds. */
const ALARM_PERIOD_SECONDS = 60;

/** Polls for a person's answer, at most: the history of an execution holds 25,000 events, five of them for each. */
const APPROVAL_POLLS_MAX = 1_000;

/** Shortest pause between two of them, in seconds. */
const APPROVAL_POLL_SECONDS_MIN = 5;

/** What judges, deploys and guards a challenger: a part of the state machine's input. */
export const deploymentPlanSchema = z.object({
  /** Batch transform jobs that score the rows to judge by, and where their scores go. */
  challengerJobName: z.string(),
  championJobName: z.string(),
  leaderJobName: z.string(),
  challengerUri: z.string(),
  championUri: z.string(),
  leaderUri: z.string(),
  scoresContentType: z.string(),
  /** Endpoint of the model's schema. */
  endpointName: z.string(),
  errorAlarmName: z.string(),
  errorRateMax: z.number(),
  latencyAlarmName: z.string(),
  latencyMicrosMax: z.int(),
  alarmPeriodSeconds: z.int(),
  /** How long a challenger waits for a person, and the pause between two looks; 0 for promotion by the gate alone. */
  approvalSeconds: z.int(),
  approvalPollSeconds: z.int(),
});

export type DeploymentPlan = z.output<typeof deploymentPlanSchema>;

export type Algorithm = 'linear-learner' | 'xgboost';

/** How a challenger is judged, deployed and guarded. */
export interface DeploymentOptions {
  readonly dataBucket: string;
  /** What the names of the stack's endpoints begin with. */
  readonly endpointName: string;
  readonly trainingAlgorithm: Algorithm;
  readonly promotion: 'automatic' | 'approve';
  readonly approvalHours: number;
  readonly alarmErrorPercent: number;
  readonly alarmLatencyMillis: number;
}

/**
 * The part of a training plan that comes after the training.
 *
 * @param name of the attempt's model and endpoint configuration.
 * @param transformJobName makes the name of the transform job that scores a model.
 */
export function deploymentPlan(
  options: DeploymentOptions,
  name: string,
  schemaHash: string,
  transformJobName: (scored: Scored) => string,
): DeploymentPlan {
  const scores = `s3://${options.dataBucket}/models/${name}/scores/`;
  const approvalSeconds = options.promotion === 'approve' ? options.approvalHours * 3_600 : 0;
  return {
    challengerJobName: transformJobName('new'),
    championJobName: transformJobName('old'),
    leaderJobName: transformJobName('top'),
    challengerUri: `${scores}challenger/`,
    championUri: `${scores}champion/`,
    leaderUri: `${scores}leader/`,
    scoresContentType: scoresContentType(options.trainingAlgorithm),
    endpointName: endpointName(options.endpointName, schemaHash),
    ...alarmNames(name),
    errorRateMax: options.alarmErrorPercent / 100,
    latencyMicrosMax: options.alarmLatencyMillis * 1_000,
    alarmPeriodSeconds: ALARM_PERIOD_SECONDS,
    approvalSeconds,
    approvalPollSeconds: Math.max(APPROVAL_POLL_SECONDS_MIN, Math.ceil(approvalSeconds / APPROVAL_POLLS_MAX)),
  };
}

/** How a model writes its scores. XGBoost's container writes one per line as CSV; linear-learner's writes no CSV. */
export const scoresContentType = (algorithm: Algorithm): string =>
  algorithm === 'xgboost' ? 'text/csv' : 'application/jsonlines';

/** The algorithm of a training image, which is all that a model of version 0.1.0 tells of it. */
export const algorithmOf = (trainingImage: string | undefined): Algorithm =>
  trainingImage?.includes('xgboost') ? 'xgboost' : 'linear-learner';
