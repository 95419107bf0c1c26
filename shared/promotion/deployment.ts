import * as z from 'zod';
import { alarmNames, type Scored } from '../model/names.ts';
import { schemaVariant } from '../model/schema-hash.ts';

/** Period of the alarms, in seconds. One period of trouble is enough: a deployment is watched for minutes only. */
const ALARM_PERIOD_SECONDS = 60;

/** Time for starting a fleet, beside the waits, in seconds. */
const FLEET_START_SECONDS = 1_800;

/** Shortest limit that SageMaker takes, in seconds. Source: BlueGreenUpdatePolicy. */
const EXECUTION_TIMEOUT_SECONDS_MIN = 600;

/** What judges, deploys and guards a challenger: a part of the state machine's input. */
export const deploymentPlanSchema = z.object({
  /** Batch transform jobs that score the validation rows, and where their scores go. */
  challengerJobName: z.string(),
  championJobName: z.string(),
  challengerUri: z.string(),
  championUri: z.string(),
  scoresContentType: z.string(),
  /** Production variant: it carries the schema hash, so that every answer of the endpoint does. */
  variantName: z.string(),
  endpointInstanceCount: z.int(),
  errorAlarmName: z.string(),
  errorRateMax: z.number(),
  latencyAlarmName: z.string(),
  latencyMicrosMax: z.int(),
  alarmPeriodSeconds: z.int(),
  /** UpdateEndpoint's DeploymentConfig. */
  deploymentConfig: z.record(z.string(), z.unknown()),
});

export type DeploymentPlan = z.output<typeof deploymentPlanSchema>;

/** How a challenger is judged, deployed and guarded. */
export interface DeploymentOptions {
  readonly dataBucket: string;
  readonly trainingAlgorithm: 'linear-learner' | 'xgboost';
  readonly endpointInstanceCount: number;
  readonly canarySeconds: number;
  readonly terminationSeconds: number;
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
  hash: string,
  transformJobName: (scored: Scored) => string,
): DeploymentPlan {
  const scores = `s3://${options.dataBucket}/models/${name}/scores/`;
  const { errorAlarmName, latencyAlarmName } = alarmNames(name);
  return {
    challengerJobName: transformJobName('new'),
    championJobName: transformJobName('old'),
    challengerUri: `${scores}challenger/`,
    championUri: `${scores}champion/`,
    // XGBoost's container writes one score per line as CSV; linear-learner's writes no CSV.
    scoresContentType: options.trainingAlgorithm === 'xgboost' ? 'text/csv' : 'application/jsonlines',
    variantName: schemaVariant(hash),
    endpointInstanceCount: options.endpointInstanceCount,
    errorAlarmName,
    errorRateMax: options.alarmErrorPercent / 100,
    latencyAlarmName,
    latencyMicrosMax: options.alarmLatencyMillis * 1_000,
    alarmPeriodSeconds: ALARM_PERIOD_SECONDS,
    deploymentConfig: deploymentConfig(options, [errorAlarmName, latencyAlarmName]),
  };
}

/**
 * One instance of the new fleet takes its share of the traffic first, and the rest follows when no alarm has gone off.
 * A canary is at most half a fleet, so a fleet of one moves at once, and is watched as long.
 */
function deploymentConfig(
  { endpointInstanceCount, canarySeconds, terminationSeconds }: DeploymentOptions,
  alarms: readonly string[],
) {
  const canary = endpointInstanceCount > 1;
  const waits = canarySeconds + terminationSeconds;
  return {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: {
        Type: canary ? 'CANARY' : 'ALL_AT_ONCE',
        WaitIntervalInSeconds: canarySeconds,
        ...(canary && { CanarySize: { Type: 'INSTANCE_COUNT', Value: 1 } }),
      },
      TerminationWaitInSeconds: terminationSeconds,
      MaximumExecutionTimeoutInSeconds: Math.max(EXECUTION_TIMEOUT_SECONDS_MIN, waits + FLEET_START_SECONDS),
    },
    AutoRollbackConfiguration: { Alarms: alarms.map((AlarmName) => ({ AlarmName })) },
  };
}
