import { GATE_CONFIDENCES, GATE_METRICS } from '../promotion/gate.ts';
import { featureGroupSettings } from './feature-group.ts';
import {
  type ConfigOf,
  choice,
  type Environment,
  number,
  numberOr,
  readConfig,
  type Setting,
  text,
} from './variables.ts';

/** Bounds of waits in a deployment, in seconds. Source: SageMaker API, BlueGreenUpdatePolicy. */
const DEPLOYMENT_WAIT_SECONDS = { least: 0, most: 3_600 };

/** Shortest and longest training job, in seconds. SageMaker takes 28 days (StoppingCondition), the state machine a day. */
const TRAINING_SECONDS = { least: 60, most: 86_400 };

/** Longest buffering interval of a delivery stream, in seconds. Source: Firehose API, BufferingHints. */
const BUFFER_SECONDS_MAX = 900;

/** An instance type of SageMaker. */
const INSTANCE = /^ml\.[a-z0-9-]+\.[a-z0-9]+$/;

/** Settings of retrain. */
export const retrainSettings = {
  ...featureGroupSettings,
  stateMachineArn: text(
    'STATE_MACHINE_ARN',
    'ARN of the retraining state machine',
    /^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:.+$/,
  ),
  snapshotMachineArn: text(
    'SNAPSHOT_MACHINE_ARN',
    'ARN of the snapshot state machine',
    /^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:.+$/,
  ),
  dataBucket: text('DATA_BUCKET', 'name of the data bucket'),
  glueDatabase: text('GLUE_DATABASE', 'name of the Glue database of the change log'),
  athenaWorkgroup: text('ATHENA_WORKGROUP', 'name of the Athena workgroup'),
  endpointName: text('ENDPOINT_NAME', 'name of the SageMaker endpoint'),
  trainingRoleArn: text('TRAINING_ROLE_ARN', 'ARN of the role of training jobs and models'),
  trainingInstanceType: text('TRAINING_INSTANCE_TYPE', 'instance type of training jobs, such as ml.m5.large', INSTANCE),
  endpointInstanceType: text('ENDPOINT_INSTANCE_TYPE', 'instance type of the endpoint, such as ml.t2.medium', INSTANCE),
  trainingAlgorithm: choice(
    'TRAINING_ALGORITHM',
    ['linear-learner', 'xgboost'],
    'linear-learner or xgboost',
    'linear-learner',
  ),
  trainingSecondsMax: number(
    'TRAINING_SECONDS_MAX',
    'seconds after which SageMaker stops a training job',
    TRAINING_SECONDS,
    3_600,
  ),
  trainingWindowDays: numberOr(
    'all',
    number('TRAINING_WINDOW_DAYS', 'days back from which labels are learned', { least: 1, most: 9_999 }),
    'all',
  ),
  trainingRowsMax: numberOr('all', number('TRAINING_ROWS_MAX', 'rows to train on at most', { least: 1 }), 'all'),
  /** Beside or instead of the algorithm's usual ones. */
  hyperParameters: hyperParameters(),
  gate: {
    metric: choice('GATE_METRIC', GATE_METRICS, GATE_METRICS.join(' or '), 'auc'),
    minimumGain: number(
      'GATE_MINIMUM_GAIN',
      'least gain over the serving model; negative is a margin of non-inferiority',
      { least: -0.999, most: 0.999, decimals: true },
      -0.02,
    ),
    confidence: confidence(),
    floor: number(
      'GATE_FLOOR',
      'least area under the curve that a first model certainly has, where nothing serves',
      { least: 0, most: 1, decimals: true },
      0.5,
    ),
  },
  /** Rows of each class that a part of the training set needs. */
  minimums: {
    trainPerClass: number('TRAIN_ROWS_PER_CLASS_MIN', 'rows of each class to train on', { least: 1 }, 10),
    validationPerClass: number('VALIDATION_ROWS_PER_CLASS_MIN', 'rows of each class to validate on', { least: 0 }, 1),
    judgePerClass: number('JUDGE_ROWS_PER_CLASS_MIN', 'rows of each class to judge by', { least: 1 }, 5),
  },
  promotion: choice(
    'PROMOTION',
    ['automatic', 'approve'],
    'automatic: the gate promotes; or approve: a person does, after the gate',
    'automatic',
  ),
  approvalHours: number('APPROVAL_HOURS', 'hours that a challenger waits for a person', { least: 1, most: 168 }, 72),
  endpointInstanceCount: number('ENDPOINT_INSTANCE_COUNT', 'instances of the endpoint', { least: 1 }, 2),
  canarySeconds: number('CANARY_SECONDS', 'seconds in which a canary is watched', DEPLOYMENT_WAIT_SECONDS, 300),
  terminationSeconds: number(
    'TERMINATION_SECONDS',
    'seconds that the old fleet is kept for',
    DEPLOYMENT_WAIT_SECONDS,
    120,
  ),
  alarmErrorPercent: number(
    'ALARM_ERROR_PERCENT',
    'failing invocations in per cent that roll a deployment back',
    { least: 0 },
    1,
  ),
  alarmLatencyMillis: number(
    'ALARM_LATENCY_MILLIS',
    'latency of the model in milliseconds that rolls a deployment back',
    { least: 1 },
    500,
  ),
  endpointGraceSeconds: number(
    'ENDPOINT_GRACE_SECONDS',
    'seconds for which the endpoint of a former schema is kept',
    { least: 60 },
    86_400,
  ),
  snapshotChangeLogMegabytes: number(
    'SNAPSHOT_CHANGE_LOG_MEGABYTES',
    'megabytes of new change log that make a snapshot before its day is over',
    { least: 1 },
    10_000,
  ),
  /** Models and endpoint configurations in use are kept as well. */
  modelsKept: number('MODELS_KEPT', 'newest models and endpoint configurations that are kept', { least: 2 }, 5),
  policy: {
    labelsThreshold: number('LABELS_THRESHOLD', 'newly labeled records that make a training due', { least: 1 }),
    labelsPerClassMin: number('LABELS_PER_CLASS_MIN', 'newly labeled records that each class needs', { least: 0 }),
    coolDownSeconds: numberOr(
      'auto',
      number('COOL_DOWN_SECONDS', 'seconds between a finished training and the next', { least: 0 }),
    ),
    stalenessMaxSeconds: number('STALENESS_MAX_SECONDS', 'seconds after which a training is due with any new label', {
      least: 1,
    }),
    retryBackoffSeconds: number(
      'RETRY_BACKOFF_SECONDS',
      'seconds between the first failed training and its next attempt',
      { least: 1 },
      60,
    ),
    attemptsMax: number('ATTEMPTS_MAX', 'attempts at an epoch before it is given up', { least: 1, most: 99 }, 5),
  },
  changeLogBufferSeconds: number('CHANGE_LOG_BUFFER_SECONDS', 'buffering interval of the change log in seconds', {
    least: 0,
    most: BUFFER_SECONDS_MAX,
  }),
  endpointPollSeconds: number('ENDPOINT_POLL_SECONDS', 'seconds between two looks at the endpoint', { least: 1 }),
};

export type RetrainConfig = ConfigOf<typeof retrainSettings>;

/** Variables of what only a stack that trains has. */
export const TRAINING_VARIABLES: readonly string[] = ['STATE_MACHINE_ARN', 'ENDPOINT_NAME', 'TRAINING_ROLE_ARN'];

const settingsWithoutLabel: typeof retrainSettings = {
  ...retrainSettings,
  ...{ stateMachineArn: absent(retrainSettings.stateMachineArn), endpointName: absent(retrainSettings.endpointName) },
  trainingRoleArn: absent(retrainSettings.trainingRoleArn),
};

/**
 * The settings of retrain.
 *
 * @param trains whether the definition has a label. Without one, what only trainings need is empty.
 * @throws Error as {@link readConfig}.
 */
export const retrainConfig = (environment?: Environment, trains = true): RetrainConfig =>
  readConfig(trains ? retrainSettings : settingsWithoutLabel, environment);

/** A setting that is not there. */
function absent(setting: Setting<string>): Setting<string> {
  return { ...setting, fallback: '' };
}

function confidence(): Setting<number> {
  return {
    variable: 'GATE_CONFIDENCE',
    expected: `confidence of the gain's interval in per cent, one of ${GATE_CONFIDENCES.join(', ')}`,
    read: (given) => GATE_CONFIDENCES.find((it) => String(it) === given),
    fallback: 95,
  };
}

function hyperParameters(): Setting<Readonly<Record<string, string>>> {
  return {
    variable: 'HYPER_PARAMETERS',
    expected: 'hyperparameters beside or instead of the usual ones, as a JSON object of strings',
    read(given) {
      try {
        const value: unknown = JSON.parse(given);
        const isRight =
          value !== null &&
          typeof value === 'object' &&
          !Array.isArray(value) &&
          Object.values(value).every((it) => typeof it === 'string');
        return isRight ? (value as Record<string, string>) : undefined;
      } catch {
        return undefined;
      }
    },
    fallback: {},
  };
}
