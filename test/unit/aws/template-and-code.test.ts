import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { roleOf } from '../../../infra/aws/cloudformation/iam.ts';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { backfillDefinition } from '../../../infra/aws/history/backfill.ts';
import { snapshotDefinition } from '../../../infra/aws/retraining/snapshot-machine.ts';
import { retrainingDefinition } from '../../../infra/aws/retraining/state-machine.ts';
import { resourcesOf } from '../../../infra/aws/stack.ts';
import { compareSettings } from '../../../shared/config/compare.ts';
import { historySettings } from '../../../shared/config/history.ts';
import { ingestSettings } from '../../../shared/config/ingest.ts';
import { predictSettings } from '../../../shared/config/predict.ts';
import { rehearseSettings } from '../../../shared/config/rehearse.ts';
import { retrainSettings } from '../../../shared/config/retrain.ts';
import { type Settings, settingsOf } from '../../../shared/config/variables.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';

/** Walks serverless.yml, the template and the code together: what one says, the other has to mean. */

interface Definition {
  readonly handler: string;
  readonly role: string;
  readonly environment: Readonly<Record<string, unknown>>;
}

const text = readFileSync('serverless.yml', 'utf8');
const configuration = parse(text, { logLevel: 'silent' }) as {
  readonly params: { readonly default: Readonly<Record<string, unknown>> };
  readonly provider: { readonly environment?: Readonly<Record<string, unknown>> };
  readonly functions: Readonly<Record<string, Definition>>;
};
const functions = Object.entries(configuration.functions);

const { resources } = resourcesOf(bankMarketing, namesOf(bankMarketing, 'dev'), {
  ...STACK_OPTIONS,
  kmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1',
  predictionLog: true,
});

const moduleOf = ({ handler }: Definition) => handler.replace(/\.[^.]+$/, '.ts');

/** What of our code reaches the function: bundled as it is deployed, so that what nothing calls has gone. */
function codeOf(definition: Definition): string {
  const { outputFiles } = buildSync({
    entryPoints: [moduleOf(definition)],
    bundle: true,
    write: false,
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outputFiles.map((file) => file.text).join('\n');
}

/** Settings by the function of shared/config that reads them. */
const SETTINGS: Readonly<Record<string, Settings>> = {
  compareConfig: compareSettings,
  historyConfig: historySettings,
  ingestConfig: ingestSettings,
  predictConfig: predictSettings,
  rehearseConfig: rehearseSettings,
  retrainConfig: retrainSettings,
};

/** Set by the plugin, which alone knows the version's name. */
const SET_BY_PLUGIN: Readonly<Record<string, readonly string[]>> = { rehearse: ['NEW_VERSION'] };
/** Read by Powertools, where a function has its logger or its metrics. */
const POWERTOOLS = {
  POWERTOOLS_SERVICE_NAME: /aws-lambda-powertools\/(logger|metrics)/,
  POWERTOOLS_METRICS_NAMESPACE: /aws-lambda-powertools\/metrics/,
};

describe.each(functions)('function %s', (name, definition) => {
  it('has its handler', async () => {
    const module = await import(new URL(`../../../${moduleOf(definition)}`, import.meta.url).href);
    expect(module[definition.handler.split('.').at(-1) ?? '']).toBeInstanceOf(Function);
  });

  it('is set every environment variable it reads, and reads every one it is set', () => {
    const code = codeOf(definition);
    const own = readFileSync(moduleOf(definition), 'utf8');
    const read = [...own.matchAll(/\b(\w+Config)\(/g)].flatMap(([, it = '']) =>
      settingsOf(SETTINGS[it] ?? {}).map(({ variable }) => variable),
    );
    const byPowertools = Object.entries(POWERTOOLS).flatMap(([it, used]) => (used.test(code) ? it : []));
    const set = [
      ...Object.keys(configuration.provider.environment ?? {}),
      ...Object.keys(definition.environment),
      ...(SET_BY_PLUGIN[name] ?? []),
    ];
    expect([...set].sort()).toEqual([...read, ...byPowertools].sort());
  });

  it('may do what it does, and nothing else', () => {
    const role = roleOf(resources.Resources[definition.role] ?? { Type: '', Properties: {} });
    const allowed = new Set(role?.statements.flatMap((it) => it.Action));
    const called = new Set(actionsOf(codeOf(definition)));
    const unexplained = [...allowed].filter((action) => !called.has(action) && !(action in byServices(name)));
    expect({ notAllowed: [...called].filter((it) => !allowed.has(it)), unexplained }).toEqual({
      notAllowed: [],
      unexplained: [],
    });
  });
});

/** IAM's prefix of each SDK client, and actions that are not named as their operation is. */
const PREFIXES: Readonly<Record<string, string>> = {
  'client-application-auto-scaling': 'application-autoscaling',
  'client-cloudwatch': 'cloudwatch',
  'client-codedeploy': 'codedeploy',
  'client-dynamodb': 'dynamodb',
  'client-dynamodb-streams': 'dynamodb',
  'client-firehose': 'firehose',
  'client-lambda': 'lambda',
  'client-s3': 's3',
  'client-sagemaker': 'sagemaker',
  'client-sagemaker-featurestore-runtime': 'sagemaker',
  'client-sagemaker-runtime': 'sagemaker',
  'client-sfn': 'states',
};
const RENAMED: Readonly<Record<string, string | readonly string[]>> = {
  // What is checked is each statement: the label ledger and fences insert and update.
  'dynamodb:BatchExecuteStatement': ['dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate'],
  's3:ListObjectsV2': 's3:ListBucket',
  'lambda:Invoke': 'lambda:InvokeFunction',
};

/** The actions of every command that code makes, `new PutItemCommand(`, and of every list it goes through by pages. */
function actionsOf(code: string): string[] {
  const imports = code.matchAll(/import \{([^}]*)\} from "@aws-sdk\/([\w-]+)"/g);
  return [...imports].flatMap(([, names = '', client = '']) =>
    [...names.matchAll(/\b(\w+)Command\b|\bpaginate(\w+)\b/g)]
      .map(([name, command, list]) => [`${command ? 'new ' : ''}${name}`, command ?? list])
      .filter(([use]) => new RegExp(`\\b${use}\\d*\\(`).test(code))
      .map(([, operation]) => `${PREFIXES[client] ?? client}:${operation}`)
      .flatMap((action) => RENAMED[action] ?? action),
  );
}

/** What no code of ours calls: who calls it in the function's name, and when. */
function byServices(name: string): Readonly<Record<string, string>> {
  const always = {
    'logs:CreateLogStream': 'Lambda, for the log',
    'logs:PutLogEvents': 'Lambda, for the log',
    'xray:PutTelemetryRecords': 'Lambda, for traces',
    'xray:PutTraceSegments': 'Lambda, for traces',
    'kms:Decrypt': "the services, when data is encrypted with the customer's key",
    'kms:GenerateDataKey': "the services, when data is encrypted with the customer's key",
  };
  const stream = {
    'dynamodb:DescribeStream': 'the event source mapping',
    'dynamodb:GetRecords': 'the event source mapping',
    'dynamodb:GetShardIterator': 'the event source mapping',
    'dynamodb:ListStreams': 'the event source mapping',
  };
  const write = { 'sagemaker:PutRecord': 'Feature Store, for each entry of a batch write' };
  const scaling = Object.fromEntries(
    [
      'cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:PutMetricAlarm',
      'sagemaker:UpdateEndpointWeightsAndCapacities',
    ]
      .flatMap((it) => it.split(' '))
      .map((action) => [action, 'Application Auto Scaling, for a new endpoint']),
  );
  switch (name) {
    case 'ingest':
      return { ...always, ...stream, ...write, 's3:ListBucket': 'Lambda, for failed batches' };
    case 'retrain':
      return { ...always, ...stream, ...scaling };
    case 'redrive':
      return { ...always, ...write };
    case 'history': {
      const exporting = 'DynamoDB, which exports with the rights of who asks';
      return { ...always, ...write, 's3:AbortMultipartUpload': exporting, 's3:PutObjectAcl': exporting };
    }
    default:
      return always;
  }
}

/** Roles that a service assumes, and what it does with each action. Sources: the services' developer guides. */
const OF_FIREHOSE = [
  's3:AbortMultipartUpload s3:GetBucketLocation s3:GetObject s3:ListBucket s3:ListBucketMultipartUploads s3:PutObject',
  'logs:PutLogEvents kms:Decrypt kms:GenerateDataKey',
];
const OF_SERVICES: Readonly<Record<string, readonly string[]>> = {
  ChangeLogStreamRole: OF_FIREHOSE,
  PredictionLogStreamRole: OF_FIREHOSE,
  FeatureGroupRole: [
    's3:GetBucketAcl s3:GetBucketLocation s3:GetObject s3:ListBucket s3:PutObject s3:PutObjectAcl',
    'glue:CreateDatabase glue:CreateTable glue:GetDatabase glue:GetTable glue:UpdateTable',
    'kms:CreateGrant kms:Decrypt kms:DescribeKey kms:GenerateDataKey',
  ],
  TrainingRole: [
    's3:AbortMultipartUpload s3:GetBucketLocation s3:GetObject s3:ListBucket s3:PutObject',
    'logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents cloudwatch:PutMetricData',
    'cloudwatch:DescribeAlarms',
    'ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetAuthorizationToken ecr:GetDownloadUrlForLayer',
    'kms:Decrypt kms:GenerateDataKey',
  ],
  DeploymentRole: [
    'lambda:GetAlias lambda:GetProvisionedConcurrencyConfig lambda:InvokeFunction lambda:UpdateAlias',
    'cloudwatch:DescribeAlarms kms:Decrypt kms:GenerateDataKey',
  ],
};

describe('roles of services', () => {
  it.each(Object.entries(OF_SERVICES))('%s may do what its service documents, and nothing else', (id, documented) => {
    const role = roleOf(resources.Resources[id] ?? { Type: '', Properties: {} });
    const actions = [...new Set(role?.statements.flatMap((it) => it.Action))].sort();
    expect(actions).toEqual(documented.flatMap((it) => it.split(' ')).sort());
  });

  it('are all roles but the functions’ and the state machines’', () => {
    const roles = Object.entries(resources.Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
    const ofFunctions = functions.map(([, { role }]) => role);
    expect(roles.map(([id]) => id).sort()).toEqual(
      [
        ...[...Object.keys(OF_SERVICES), ...ofFunctions],
        ...['BackfillStateMachineRole', 'RetrainingStateMachineRole', 'SnapshotStateMachineRole'],
      ].sort(),
    );
  });
});

describe.each([
  ['BackfillStateMachine', backfillDefinition],
  ['RetrainingStateMachine', retrainingDefinition],
  ['SnapshotStateMachine', snapshotDefinition],
])('%s', (id, definition) => {
  /** What an integration needs beyond the operation that names it. Source: Step Functions' developer guide. */
  const BESIDES: Readonly<Record<string, readonly string[]>> = {
    'athena:startQueryExecution.sync': [
      'athena:GetDataCatalog athena:GetQueryExecution athena:StopQueryExecution lakeformation:GetDataAccess',
      'glue:CreateDatabase glue:GetDatabase glue:GetPartition glue:GetPartitions glue:GetTable glue:GetTables',
      's3:AbortMultipartUpload s3:GetBucketLocation s3:GetObject s3:ListBucket s3:ListBucketMultipartUploads',
      's3:ListMultipartUploadParts s3:PutObject',
    ],
    'sagemaker:createTrainingJob.sync': [
      'sagemaker:AddTags sagemaker:DescribeTrainingJob sagemaker:ListTags sagemaker:StopTrainingJob iam:PassRole',
      'events:DescribeRule events:PutRule events:PutTargets',
    ],
    'sagemaker:createTransformJob.sync': [
      'sagemaker:AddTags sagemaker:DescribeTransformJob sagemaker:ListTags sagemaker:StopTransformJob',
      'events:DescribeRule events:PutRule events:PutTargets',
    ],
    'sagemaker:updateEndpoint': ['cloudwatch:DescribeAlarms'],
    'cloudwatch:putMetricAlarm': ['cloudwatch:TagResource'],
    'lambda:invoke': ['lambda:InvokeFunction'],
  };
  const ALWAYS = [
    'xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments',
    'kms:Decrypt kms:GenerateDataKey',
  ];
  /** A map starts an execution of its own machine for each of its items. */
  const OF_DISTRIBUTED_MAPS = ['states:DescribeExecution states:StartExecution states:StopExecution'];
  const asl = JSON.stringify(definition);

  it('may call what its states call, and nothing else', () => {
    const ofMaps = asl.includes('"DISTRIBUTED"') ? OF_DISTRIBUTED_MAPS : [];
    const integrations = [...asl.matchAll(/"arn:aws:states:::(?:aws-sdk:)?([^"]+)"/g)].map(([, it = '']) => it);
    const needed = integrations.flatMap((integration) => {
      const [service = '', operation = ''] = integration.replace(/\.sync$/, '').split(':');
      const action = `${service}:${operation.charAt(0).toUpperCase()}${operation.slice(1)}`;
      return [...(action === 'lambda:Invoke' ? [] : [action]), ...(BESIDES[integration] ?? [])];
    });
    const role = roleOf(resources.Resources[`${id}Role`] ?? { Type: '', Properties: {} });
    const allowed = new Set(role?.statements.flatMap((it) => it.Action));
    expect([...allowed].sort()).toEqual(
      [...new Set([...needed, ...ofMaps, ...ALWAYS].flatMap((it) => it.split(' ')))].sort(),
    );
  });

  it('is given every substitution that its definition has, and has every one that it is given', () => {
    const properties = resources.Resources[id]?.Properties as { DefinitionSubstitutions: object };
    const used = new Set([...asl.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(Object.keys(properties.DefinitionSubstitutions).sort());
  });
});

describe('serverless.yml', () => {
  it('has a param for every one that is asked for, and asks for every one it has', () => {
    const files = readdirSync('infra/aws', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const asked = [text, ...files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))]
      .flatMap((it) => [...it.matchAll(/\bparam:(\w+)/g)])
      .map(([, name]) => name);
    expect([...new Set(asked)].sort()).toEqual(Object.keys(configuration.params.default).sort());
  });
});

describe('every policy', () => {
  const statements = Object.entries(resources.Resources).flatMap(([id, resource]) =>
    (roleOf(resource)?.statements ?? []).map((statement) => [id, statement] as const),
  );

  it('holds in the region of the deployment only, wherever the action has one', () => {
    const everywhere = statements.filter(
      ([, it]) => !(it.Condition?.StringEquals && 'aws:RequestedRegion' in it.Condition.StringEquals),
    );
    expect(everywhere.flatMap(([, it]) => it.Action).filter((action) => !action.startsWith('iam:'))).toEqual([]);
  });

  it('passes roles to SageMaker and to Step Functions only', () => {
    const passing = statements.filter(([, it]) => it.Action.includes('iam:PassRole'));
    for (const [, { Condition }] of passing) {
      expect(['sagemaker.amazonaws.com', 'states.amazonaws.com']).toContain(
        Condition?.StringEquals?.['iam:PassedToService'],
      );
    }
  });

  it('names its resources: a star stands for part of a name, never for all there is', () => {
    const unnamed = statements.filter(([, it]) => it.Resource !== '*' && JSON.stringify(it.Resource).includes('"*"'));
    expect(unnamed).toEqual([]);
  });
});
