import { compareSettings } from '../../../shared/config/compare.ts';
import { historySettings, MARGIN_SECONDS_MAX, MARGIN_SECONDS_MIN } from '../../../shared/config/history.ts';
import { ingestSettings } from '../../../shared/config/ingest.ts';
import { rehearseSettings } from '../../../shared/config/rehearse.ts';
import { retrainSettings } from '../../../shared/config/retrain.ts';
import {
  choice,
  flag,
  number,
  type Setting,
  type Settings,
  settingsOf,
  text,
} from '../../../shared/config/variables.ts';
import { nearMatch } from '../../../shared/definition/near-match.ts';

/** Days for which CloudWatch keeps a log. Source: PutRetentionPolicy, retentionInDays. */
const LOG_RETENTION_DAYS = [
  ...['1', '3', '5', '7', '14', '30', '60', '90', '120', '150', '180', '365', '400', '545', '731'],
  ...['1096', '1827', '2192', '2557', '2922', '3288', '3653'],
];

/** CodeDeploy's own configurations for Lambda. Source: CodeDeploy guide, deployment configurations on Lambda. */
const DEPLOYMENT_CONFIGURATIONS = [
  ...['LambdaAllAtOnce', 'LambdaCanary10Percent5Minutes', 'LambdaCanary10Percent10Minutes'],
  ...['LambdaCanary10Percent15Minutes', 'LambdaCanary10Percent30Minutes', 'LambdaLinear10PercentEvery1Minute'],
  ...['LambdaLinear10PercentEvery2Minutes', 'LambdaLinear10PercentEvery3Minutes'],
  'LambdaLinear10PercentEvery10Minutes',
].map((it) => `CodeDeployDefault.${it}`);

/** Longest wait for a batch, in seconds. Source: Lambda, MaximumBatchingWindowInSeconds. */
const BATCHING_SECONDS_MAX = 300;

/** Source: IAM, CreateRole, Path; without the characters that a policy takes for wildcards or variables. */
const ROLE_PATH = /^\/([\w+=,.@-]+\/)+$/;

/** Params that no function reads, or that AWS bounds more narrowly: each row's variable is the param's name. */
const OF_THE_STACK: Settings = {
  featureGroup: text('featureGroup', 'name of a definition in shared/feature-groups'),
  logRetentionDays: choice(
    'logRetentionDays',
    LOG_RETENTION_DAYS,
    `days that CloudWatch keeps a log: ${LOG_RETENTION_DAYS.join(', ')}`,
  ),
  labelsWindowSeconds: number('labelsWindowSeconds', 'seconds in which label events are gathered', {
    least: 0,
    most: BATCHING_SECONDS_MAX,
  }),
  backfillMarginSeconds: number('backfillMarginSeconds', 'seconds by which clocks may differ, which on AWS are 61', {
    ...{ least: MARGIN_SECONDS_MIN, most: MARGIN_SECONDS_MAX },
  }),
  ingestMemoryMegabytes: number('ingestMemoryMegabytes', 'megabytes of ingest', { least: 256, most: 10_240 }),
  ingestBatchRecords: number('ingestBatchRecords', 'records of a batch', { least: 1, most: 10_000 }),
  ingestConcurrency: optional(
    number('ingestConcurrency', 'invocations of ingest at once, or nothing', { least: 1, most: 10_000 }),
  ),
  warmWritesPerSecond: optional(
    number('warmWritesPerSecond', 'writes a second from the first one on, or nothing', { least: 4_000 }),
  ),
  predictionLog: flag('predictionLog', 'whether predict keeps each prediction'),
  sourceTableStreamArn: arn('sourceTableStreamArn', 'dynamodb', /^table\/[^/]+\/stream\/.+/),
  kmsKeyArn: arn('kmsKeyArn', 'kms', /^key\/.+/),
  alarmTopicArn: arn('alarmTopicArn', 'sns', /^[\w.-]+$/),
  deploymentRoleArn: arn('deploymentRoleArn', 'iam', /^role\/.+/),
  permissionsBoundaryArn: arn('permissionsBoundaryArn', 'iam', /^policy\/.+/),
  rolePath: {
    ...{ variable: 'rolePath', expected: 'a path of IAM such as /tributary/live-test/, or nothing', fallback: '' },
    read: (given) => (ROLE_PATH.test(given) ? given : undefined),
  },
  deploymentConfiguration: choice(
    'deploymentConfiguration',
    DEPLOYMENT_CONFIGURATIONS,
    `one of CodeDeploy's configurations: ${DEPLOYMENT_CONFIGURATIONS.join(', ')}`,
  ),
};

/** The same, or nothing. */
function optional(setting: Setting<number>): Setting<number | ''> {
  return { ...setting, fallback: '' };
}

/** An ARN of a service, or nothing. */
function arn(variable: string, service: string, resource: RegExp): Setting<string> {
  return {
    ...{ variable, expected: `an ARN of ${service}, or nothing`, fallback: '' },
    read(given) {
      const [prefix, , found, , account = '', ...rest] = given.split(':');
      const isOne = prefix === 'arn' && found === service && /^\d{12}$/.test(account) && resource.test(rest.join(':'));
      return isOne ? given : undefined;
    },
  };
}

/** `labelsThreshold` of `LABELS_THRESHOLD`: a function's variable is called after the param that gives it. */
const paramOf = ({ variable }: Setting<unknown>): string =>
  /[a-z]/.test(variable)
    ? variable
    : variable.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** What each param may be. */
const RULES: ReadonlyMap<string, Setting<unknown>> = new Map(
  [retrainSettings, rehearseSettings, ingestSettings, compareSettings, historySettings, OF_THE_STACK]
    .flatMap(settingsOf)
    .map((setting) => [paramOf(setting), setting]),
);

/** What is wrong with the params of a deployment: a sentence each, with the way out. */
export function paramProblems(params: Readonly<Record<string, unknown>>, known: readonly string[]): string[] {
  return Object.entries(params).flatMap(([name, value]) => {
    if (!known.includes(name)) {
      const near = nearMatch(name, known);
      return `there is no param ${name}${near === undefined ? '' : `: did you mean ${near}?`}`;
    }
    const rule = RULES.get(name);
    const given = String(value);
    // An empty text is how a param says that there is none.
    if (!rule || (given === '' && rule.fallback !== undefined) || rule.read(given) !== undefined) return [];
    return `${name} is ${JSON.stringify(given)}; expected: ${rule.expected}`;
  });
}

/** Whether there is a rule for a param, so that a new one is not forgotten. */
export const hasRule = (name: string): boolean => RULES.has(name);
