import * as z from 'zod';
import { GATE_CONFIDENCES, GATE_METRICS, type GatePolicy } from './promotion-gate.ts';
import type { RetrainingPolicy } from './retraining-policy.ts';

/** The environment of each function as a checked value. Nothing else in functions/ and shared/ reads process.env. */

type Environment = Readonly<Record<string, string | undefined>>;

const text = (expected: string) => z.string().describe(expected);

const wholeNumber = (least: number, expected: string) =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .pipe(z.int().min(least))
    .describe(`${expected}: a whole number, at least ${least}`);

const share = (expected: string) =>
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number)
    .pipe(z.number().gt(-1).lt(1))
    .describe(`${expected}: a number between -1 and 1`);

/** Bounds of waits in a deployment, in seconds. Source: SageMaker API, BlueGreenUpdatePolicy. */
const DEPLOYMENT_WAIT_SECONDS_MAX = 3_600;

/** Longest training job, in seconds. Source: SageMaker API, StoppingCondition: 28 days. The state machine gives it less. */
const TRAINING_SECONDS_MAX = 86_400;

const common = {
  FEATURE_GROUP: text('name of a definition in shared/feature-groups, or the path of a definition file'),
  STATE_TABLE: text('name of the state table'),
};

const deploymentWait = (expected: string) =>
  wholeNumber(0, `${expected}, at most ${DEPLOYMENT_WAIT_SECONDS_MAX}`).refine(
    (it) => it <= DEPLOYMENT_WAIT_SECONDS_MAX,
  );

const hyperParameters = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'not JSON' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.string()))
  .describe('hyperparameters beside or instead of the usual ones, as a JSON object of strings');

const ingestVariables = z.object({
  ...common,
  CHANGE_LOG_STREAM: text('name of the Firehose stream of the change log'),
  QUARANTINE_BUCKET: text('name of the quarantine bucket'),
  HAZARD_WINDOW_SECONDS: wholeNumber(0, 'first and last seconds of a batch whose records get a fence').default(1),
  FEATURE_STORE_CONCURRENCY: wholeNumber(1, 'calls to Feature Store in flight at once').default(16),
  FEATURE_STORE_WRITER: z
    .enum(['direct', 'sdk'])
    .default('direct')
    .describe('direct: the requests of the SDK, made of bytes; or sdk: its commands'),
});

const retrainVariables = z.object({
  ...common,
  STATE_MACHINE_ARN: z
    .string()
    .regex(/^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:.+$/)
    .describe('ARN of the retraining state machine'),
  DATA_BUCKET: text('name of the data bucket'),
  GLUE_DATABASE: text('name of the Glue database of the change log'),
  ATHENA_WORKGROUP: text('name of the Athena workgroup'),
  ENDPOINT_NAME: text('name of the SageMaker endpoint'),
  TRAINING_ROLE_ARN: text('ARN of the role of training jobs and models'),
  TRAINING_INSTANCE_TYPE: text('instance type of training jobs, such as ml.m5.large'),
  ENDPOINT_INSTANCE_TYPE: text('instance type of the endpoint, such as ml.t2.medium'),
  TRAINING_ALGORITHM: z
    .enum(['linear-learner', 'xgboost'])
    .default('linear-learner')
    .describe('linear-learner or xgboost'),
  TRAINING_SECONDS_MAX: wholeNumber(60, 'seconds after which SageMaker stops a training job')
    .refine((it) => it <= TRAINING_SECONDS_MAX)
    .default(3_600),
  HYPER_PARAMETERS: hyperParameters.default({}),
  GATE_METRIC: z.enum(GATE_METRICS).default('auc').describe(GATE_METRICS.join(' or ')),
  GATE_MINIMUM_GAIN: share('least gain over the serving model; negative is a margin of non-inferiority').default(-0.02),
  GATE_CONFIDENCE: wholeNumber(
    1,
    `confidence of the gain's interval in per cent, one of ${GATE_CONFIDENCES.join(', ')}`,
  )
    .refine((it) => GATE_CONFIDENCES.includes(it))
    .default(95),
  ENDPOINT_INSTANCE_COUNT: wholeNumber(1, 'instances of the endpoint').default(2),
  CANARY_SECONDS: deploymentWait('seconds in which a canary is watched').default(300),
  TERMINATION_SECONDS: deploymentWait('seconds that the old fleet is kept for').default(120),
  ALARM_ERROR_PERCENT: wholeNumber(0, 'failing invocations in per cent that roll a deployment back').default(1),
  ALARM_LATENCY_MILLIS: wholeNumber(1, 'latency of the model in milliseconds that rolls a deployment back').default(
    500,
  ),
  MODELS_KEPT: wholeNumber(2, 'newest models and endpoint configurations that are kept').default(5),
  LABELS_THRESHOLD: wholeNumber(1, 'newly labelled records that make a training due'),
  LABELS_PER_CLASS_MIN: wholeNumber(0, 'newly labelled records that each class needs at least'),
  COOL_DOWN_SECONDS: wholeNumber(0, 'seconds between a finished training and the next'),
  STALENESS_MAX_SECONDS: wholeNumber(1, 'seconds after which a training is due with any new label'),
  RETRY_BACKOFF_SECONDS: wholeNumber(1, 'seconds between the first failed training and its next attempt').default(60),
  CHANGE_LOG_BUFFER_SECONDS: wholeNumber(0, 'buffering interval of the change log in seconds'),
  ENDPOINT_POLL_SECONDS: wholeNumber(1, 'seconds between two looks at the endpoint'),
});

const rehearseVariables = z.object({
  SOURCE_STREAM_ARN: text('ARN of the stream that ingest reads'),
  INGEST_FUNCTION: text('name of the function ingest'),
  NEW_VERSION: text('ARN of the version of ingest that is to take over'),
  ACCEPT_DIFFERENCES: z.enum(['true', 'false']).describe('true or false'),
});

const predictVariables = z.object({ ...common, ENDPOINT_NAME: text('name of the SageMaker endpoint') });

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

function parse<S extends z.ZodObject>(variables: S, environment: Environment): z.output<S> {
  // An empty variable is how deployment tools write a missing one.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = variables.safeParse(given);
  if (parsed.success) return parsed.data;
  const names = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
  const problems = [...names].map((name) => {
    const found = given[name] === undefined ? 'is missing' : `is ${JSON.stringify(given[name])}`;
    return `${name} ${found}; expected: ${variables.shape[name]?.description}`;
  });
  throw new Error(`The environment is not valid: ${problems.join('. ')}`);
}
