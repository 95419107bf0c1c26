import { GATE_CONFIDENCES, GATE_METRICS, type GatePolicy } from '../promotion/gate.ts';
import type { RetrainingPolicy } from '../training/policy.ts';

/**
 * The environment of each function as a checked value. Nothing else in functions/ and shared/ reads process.env. It is
 * checked by hand: every cold start waits for this module, and loading zod for it would take a tenth of one.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** One variable. `read` answers undefined for a text that is not what is expected. */
interface Variable<T> {
  readonly expected: string;
  read(text: string): T | undefined;
  /** What it is when it is missing; without one it has to be given. */
  readonly fallback?: T | undefined;
}

/** Bounds of waits in a deployment, in seconds. Source: SageMaker API, BlueGreenUpdatePolicy. */
const DEPLOYMENT_WAIT_SECONDS_MAX = 3_600;

/** Longest training job, in seconds. Source: SageMaker API, StoppingCondition: 28 days. The state machine gives it less. */
const TRAINING_SECONDS_MAX = 86_400;

const text = (expected: string, pattern = /^/): Variable<string> => ({
  expected,
  read: (given) => (pattern.test(given) ? given : undefined),
});

const choice = <T extends string>(choices: readonly T[], expected: string, fallback?: T): Variable<T> => ({
  expected,
  read: (given) => choices.find((it) => it === given),
  fallback,
});

const number = (
  pattern: RegExp,
  isRight: (value: number) => boolean,
  expected: string,
  fallback?: number,
): Variable<number> => ({
  expected,
  read: (given) => (pattern.test(given) && isRight(Number(given)) ? Number(given) : undefined),
  fallback,
});

const wholeNumber = (least: number, expected: string, fallback?: number, most = Number.MAX_SAFE_INTEGER) =>
  number(
    /^\d+$/,
    (it) => it >= least && it <= most,
    `${expected}: a whole number, at least ${least}${most < Number.MAX_SAFE_INTEGER ? ` and at most ${most}` : ''}`,
    fallback,
  );

const deploymentWait = (expected: string, fallback: number) =>
  wholeNumber(0, expected, fallback, DEPLOYMENT_WAIT_SECONDS_MAX);

const hyperParameters: Variable<Readonly<Record<string, string>>> = {
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

const common = {
  FEATURE_GROUP: text('name of a definition in shared/feature-groups, or the path of a definition file'),
  STATE_TABLE: text('name of the state table'),
};

const ingestVariables = {
  ...common,
  CHANGE_LOG_STREAM: text('name of the Firehose stream of the change log'),
  QUARANTINE_BUCKET: text('name of the quarantine bucket'),
  HAZARD_WINDOW_SECONDS: wholeNumber(0, 'first and last seconds of a batch whose records get a fence', 1),
  FEATURE_STORE_CONCURRENCY: wholeNumber(1, 'calls to Feature Store in flight at once', 16),
  FEATURE_STORE_WRITER: choice(
    ['direct', 'sdk'],
    'direct: the requests of the SDK, made of bytes; or sdk: its commands',
    'direct',
  ),
};

const retrainVariables = {
  ...common,
  STATE_MACHINE_ARN: text('ARN of the retraining state machine', /^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:.+$/),
  DATA_BUCKET: text('name of the data bucket'),
  GLUE_DATABASE: text('name of the Glue database of the change log'),
  ATHENA_WORKGROUP: text('name of the Athena workgroup'),
  ENDPOINT_NAME: text('name of the SageMaker endpoint'),
  TRAINING_ROLE_ARN: text('ARN of the role of training jobs and models'),
  TRAINING_INSTANCE_TYPE: text('instance type of training jobs, such as ml.m5.large'),
  ENDPOINT_INSTANCE_TYPE: text('instance type of the endpoint, such as ml.t2.medium'),
  TRAINING_ALGORITHM: choice(['linear-learner', 'xgboost'], 'linear-learner or xgboost', 'linear-learner'),
  TRAINING_SECONDS_MAX: wholeNumber(
    60,
    'seconds after which SageMaker stops a training job',
    3_600,
    TRAINING_SECONDS_MAX,
  ),
  HYPER_PARAMETERS: hyperParameters,
  GATE_METRIC: choice(GATE_METRICS, GATE_METRICS.join(' or '), 'auc'),
  GATE_MINIMUM_GAIN: number(
    /^-?\d+(\.\d+)?$/,
    (it) => it > -1 && it < 1,
    'least gain over the serving model; negative is a margin of non-inferiority: a number between -1 and 1',
    -0.02,
  ),
  GATE_CONFIDENCE: number(
    /^\d+$/,
    (it) => GATE_CONFIDENCES.includes(it),
    `confidence of the gain's interval in per cent, one of ${GATE_CONFIDENCES.join(', ')}`,
    95,
  ),
  ENDPOINT_INSTANCE_COUNT: wholeNumber(1, 'instances of the endpoint', 2),
  CANARY_SECONDS: deploymentWait('seconds in which a canary is watched', 300),
  TERMINATION_SECONDS: deploymentWait('seconds that the old fleet is kept for', 120),
  ALARM_ERROR_PERCENT: wholeNumber(0, 'failing invocations in per cent that roll a deployment back', 1),
  ALARM_LATENCY_MILLIS: wholeNumber(1, 'latency of the model in milliseconds that rolls a deployment back', 500),
  MODELS_KEPT: wholeNumber(2, 'newest models and endpoint configurations that are kept', 5),
  LABELS_THRESHOLD: wholeNumber(1, 'newly labelled records that make a training due'),
  LABELS_PER_CLASS_MIN: wholeNumber(0, 'newly labelled records that each class needs at least'),
  COOL_DOWN_SECONDS: wholeNumber(0, 'seconds between a finished training and the next'),
  STALENESS_MAX_SECONDS: wholeNumber(1, 'seconds after which a training is due with any new label'),
  RETRY_BACKOFF_SECONDS: wholeNumber(1, 'seconds between the first failed training and its next attempt', 60),
  CHANGE_LOG_BUFFER_SECONDS: wholeNumber(0, 'buffering interval of the change log in seconds'),
  ENDPOINT_POLL_SECONDS: wholeNumber(1, 'seconds between two looks at the endpoint'),
};

const rehearseVariables = {
  SOURCE_STREAM_ARN: text('ARN of the stream that ingest reads'),
  INGEST_FUNCTION: text('name of the function ingest'),
  NEW_VERSION: text('ARN of the version of ingest that is to take over'),
  ACCEPT_DIFFERENCES: choice(['true', 'false'], 'true or false'),
};

const predictVariables = { ...common, ENDPOINT_NAME: text('name of the SageMaker endpoint') };

/** What ingest is configured with. */
export interface IngestConfig {
  readonly featureGroup: string;
  readonly stateTable: string;
  readonly changeLogStream: string;
  readonly quarantineBucket: string;
  readonly hazardWindowSeconds: number;
  readonly featureStoreConcurrency: number;
  readonly featureStoreWriter?: 'direct' | 'sdk';
}

/** What retrain is configured with. */
export interface RetrainConfig {
  readonly featureGroup: string;
  readonly stateTable: string;
  readonly stateMachineArn: string;
  readonly dataBucket: string;
  readonly glueDatabase: string;
  readonly athenaWorkgroup: string;
  readonly endpointName: string;
  readonly trainingRoleArn: string;
  readonly trainingInstanceType: string;
  readonly endpointInstanceType: string;
  readonly trainingAlgorithm: 'linear-learner' | 'xgboost';
  readonly trainingSecondsMax: number;
  /** Beside or instead of the algorithm's usual ones. */
  readonly hyperParameters: Readonly<Record<string, string>>;
  readonly gate: GatePolicy;
  readonly endpointInstanceCount: number;
  readonly canarySeconds: number;
  readonly terminationSeconds: number;
  readonly alarmErrorPercent: number;
  readonly alarmLatencyMillis: number;
  /** Newest models and endpoint configurations that are kept; what is in use is kept as well. */
  readonly modelsKept: number;
  readonly policy: RetrainingPolicy;
  readonly changeLogBufferSeconds: number;
  readonly endpointPollSeconds: number;
}

/** What predict is configured with. */
export interface PredictConfig {
  readonly featureGroup: string;
  readonly stateTable: string;
  readonly endpointName: string;
}

/** What the rehearsal of a new version of ingest is configured with. */
export interface RehearseConfig {
  readonly sourceStreamArn: string;
  readonly ingestFunction: string;
  readonly newVersion: string;
  /** Whether the new version is meant to write something else. */
  readonly acceptDifferences: boolean;
}

/** @throws Error naming every variable that is missing or wrong, and what is expected of it. */
export function ingestConfig(environment: Environment = process.env): IngestConfig {
  const it = parse(ingestVariables, environment);
  return {
    featureGroup: it.FEATURE_GROUP,
    stateTable: it.STATE_TABLE,
    changeLogStream: it.CHANGE_LOG_STREAM,
    quarantineBucket: it.QUARANTINE_BUCKET,
    hazardWindowSeconds: it.HAZARD_WINDOW_SECONDS,
    featureStoreConcurrency: it.FEATURE_STORE_CONCURRENCY,
    featureStoreWriter: it.FEATURE_STORE_WRITER,
  };
}

/** @throws Error as {@link ingestConfig}. */
export function retrainConfig(environment: Environment = process.env): RetrainConfig {
  const it = parse(retrainVariables, environment);
  return {
    featureGroup: it.FEATURE_GROUP,
    stateTable: it.STATE_TABLE,
    stateMachineArn: it.STATE_MACHINE_ARN,
    dataBucket: it.DATA_BUCKET,
    glueDatabase: it.GLUE_DATABASE,
    athenaWorkgroup: it.ATHENA_WORKGROUP,
    endpointName: it.ENDPOINT_NAME,
    trainingRoleArn: it.TRAINING_ROLE_ARN,
    trainingInstanceType: it.TRAINING_INSTANCE_TYPE,
    endpointInstanceType: it.ENDPOINT_INSTANCE_TYPE,
    trainingAlgorithm: it.TRAINING_ALGORITHM,
    trainingSecondsMax: it.TRAINING_SECONDS_MAX,
    hyperParameters: it.HYPER_PARAMETERS,
    gate: { metric: it.GATE_METRIC, minimumGain: it.GATE_MINIMUM_GAIN, confidence: it.GATE_CONFIDENCE },
    endpointInstanceCount: it.ENDPOINT_INSTANCE_COUNT,
    canarySeconds: it.CANARY_SECONDS,
    terminationSeconds: it.TERMINATION_SECONDS,
    alarmErrorPercent: it.ALARM_ERROR_PERCENT,
    alarmLatencyMillis: it.ALARM_LATENCY_MILLIS,
    modelsKept: it.MODELS_KEPT,
    policy: {
      labelsThreshold: it.LABELS_THRESHOLD,
      labelsPerClassMin: it.LABELS_PER_CLASS_MIN,
      coolDownSeconds: it.COOL_DOWN_SECONDS,
      stalenessMaxSeconds: it.STALENESS_MAX_SECONDS,
      retryBackoffSeconds: it.RETRY_BACKOFF_SECONDS,
    },
    changeLogBufferSeconds: it.CHANGE_LOG_BUFFER_SECONDS,
    endpointPollSeconds: it.ENDPOINT_POLL_SECONDS,
  };
}

/** @throws Error as {@link ingestConfig}. */
export function predictConfig(environment: Environment = process.env): PredictConfig {
  const it = parse(predictVariables, environment);
  return { featureGroup: it.FEATURE_GROUP, stateTable: it.STATE_TABLE, endpointName: it.ENDPOINT_NAME };
}

/** @throws Error as {@link ingestConfig}. */
export function rehearseConfig(environment: Environment = process.env): RehearseConfig {
  const it = parse(rehearseVariables, environment);
  return {
    sourceStreamArn: it.SOURCE_STREAM_ARN,
    ingestFunction: it.INGEST_FUNCTION,
    newVersion: it.NEW_VERSION,
    acceptDifferences: it.ACCEPT_DIFFERENCES === 'true',
  };
}

type Values<V> = { readonly [Name in keyof V]: V[Name] extends Variable<infer T> ? T : never };

function parse<V extends Readonly<Record<string, Variable<unknown>>>>(variables: V, environment: Environment) {
  const problems: string[] = [];
  const values = Object.entries(variables).map(([name, { read, expected, fallback }]) => {
    // An empty variable is how deployment tools write a missing one.
    const given = environment[name] || undefined;
    const value = given === undefined ? fallback : read(given);
    if (value === undefined) {
      const found = given === undefined ? 'is missing' : `is ${JSON.stringify(given)}`;
      problems.push(`${name} ${found}; expected: ${expected}`);
    }
    return [name, value];
  });
  if (problems.length > 0) throw new Error(`The environment is not valid: ${problems.join('. ')}`);
  return Object.fromEntries(values) as Values<V>;
}
