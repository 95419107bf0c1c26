import { arn } from '../protocol/arn.ts';
import { sageMakerArn } from './arns.ts';
import type { Row, Rows } from './permissions.ts';
import type { Permission } from './policy.ts';

/** What calls to the services that train, serve and watch need. */

const NAME_MEMBER = {
  'training-job': 'TrainingJobName',
  'transform-job': 'TransformJobName',
  model: 'ModelName',
  'endpoint-config': 'EndpointConfigName',
  endpoint: 'EndpointName',
} as const;
type Kind = keyof typeof NAME_MEMBER;

type Input = Readonly<Record<string, unknown>>;

const named = (action: string, kind: Kind, input: Input): Permission => ({
  action: `sagemaker:${action}`,
  resource: sageMakerArn(kind, input[NAME_MEMBER[kind]] as string),
});

const on =
  (action: string, ...kinds: Kind[]): Row =>
  (input: Input) =>
    kinds.map((kind) => named(action, kind, input));

/** Creating with tags is tagging too. */
const tags = (kind: Kind, input: Input): Permission[] =>
  input.Tags === undefined ? [] : [named('AddTags', kind, input)];

/** Giving a role to SageMaker. */
const pass = (roleArn: unknown): Permission => ({
  action: 'iam:PassRole',
  resource: String(roleArn),
  context: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
});

/** SageMaker's lists know no resource. */
const list =
  (action: string): Row =>
  () => [{ action: `sagemaker:${action}`, resource: '*' }];

const alarm = (action: string, name: unknown): Permission => ({
  action: `cloudwatch:${action}`,
  resource: arn('cloudwatch', `alarm:${name}`),
});

interface Scaled {
  readonly ServiceNamespace: string;
  readonly ResourceId?: string;
  readonly ScalableDimension: string;
}

/** The number of an endpoint's instances. */
const NUMBER: Scaled = {
  ServiceNamespace: 'sagemaker',
  ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
};

/** A target's ARN has an id of its own. */
const scalableTarget = (action: string, { ServiceNamespace, ScalableDimension }: Scaled): Permission => ({
  action: `application-autoscaling:${action}`,
  resource: arn('application-autoscaling', 'scalable-target/0123456789abcdef'),
  context: {
    'application-autoscaling:service-namespace': ServiceNamespace,
    'application-autoscaling:scalable-dimension': ScalableDimension,
  },
});

/** `endpoint/NAME/variant/NAME` */
const endpointOf = ({ ResourceId = '' }: Scaled): string => sageMakerArn('endpoint', ResourceId.split('/')[1]);

/** The two alarms of a policy of target tracking. */
const trackingAlarm = (action: string, { ResourceId }: Scaled): Permission =>
  alarm(action, `TargetTracking-${ResourceId}-AlarmHigh-0123`);

/**
 * What is asked of SageMaker and CloudWatch for it is asked in the caller's name. Sources: SageMaker, "Auto scaling
 * prerequisites"; the managed policy AmazonSageMakerCanvasFullAccess.
 */
const autoscaling: Readonly<Record<string, Row>> = {
  DescribeScalableTargets: () => [{ action: 'application-autoscaling:DescribeScalableTargets', resource: '*' }],
  DescribeScalingPolicies: () => [{ action: 'application-autoscaling:DescribeScalingPolicies', resource: '*' }],
  RegisterScalableTarget: (input: Scaled) => [
    scalableTarget('RegisterScalableTarget', input),
    ...['DescribeEndpoint', 'UpdateEndpointWeightsAndCapacities'].map((it) => ({
      action: `sagemaker:${it}`,
      resource: endpointOf(input),
    })),
  ],
  PutScalingPolicy: (input: Scaled & { readonly PolicyType?: string }) => [
    scalableTarget('PutScalingPolicy', input),
    ...(input.PolicyType === 'TargetTrackingScaling'
      ? [trackingAlarm('PutMetricAlarm', input), trackingAlarm('DeleteAlarms', input), alarm('DescribeAlarms', '*')]
      : []),
  ],
  DeleteScalingPolicy: (input: Scaled) => [
    scalableTarget('DeleteScalingPolicy', input),
    trackingAlarm('DeleteAlarms', input),
  ],
  DeregisterScalableTarget: (input: Scaled) => [
    scalableTarget('DeregisterScalableTarget', input),
    trackingAlarm('DeleteAlarms', input),
  ],
};

interface Update {
  readonly DeploymentConfig?: { readonly AutoRollbackConfiguration?: object };
}

/** An update that hangs on alarms is refused to whoever cannot see them. */
const watch = ({ DeploymentConfig }: Update): Permission[] =>
  DeploymentConfig?.AutoRollbackConfiguration ? [alarm('DescribeAlarms', '*')] : [];

const sagemaker: Readonly<Record<string, Row>> = {
  CreateTrainingJob: (input: Input) => [
    named('CreateTrainingJob', 'training-job', input),
    ...tags('training-job', input),
    pass(input.RoleArn),
  ],
  DescribeTrainingJob: on('DescribeTrainingJob', 'training-job'),
  StopTrainingJob: on('StopTrainingJob', 'training-job'),
  // A transform job is created of a model, which is checked too.
  CreateTransformJob: (input: Input) => [
    named('CreateTransformJob', 'transform-job', input),
    named('CreateTransformJob', 'model', input),
    ...tags('transform-job', input),
  ],
  DescribeTransformJob: on('DescribeTransformJob', 'transform-job'),
  StopTransformJob: on('StopTransformJob', 'transform-job'),
  CreateModel: (input: Input) => [
    named('CreateModel', 'model', input),
    ...tags('model', input),
    pass(input.ExecutionRoleArn),
  ],
  DescribeModel: on('DescribeModel', 'model'),
  DeleteModel: on('DeleteModel', 'model'),
  ListModels: list('ListModels'),
  CreateEndpointConfig: (input: Input) => [
    named('CreateEndpointConfig', 'endpoint-config', input),
    ...tags('endpoint-config', input),
  ],
  DescribeEndpointConfig: on('DescribeEndpointConfig', 'endpoint-config'),
  DeleteEndpointConfig: on('DeleteEndpointConfig', 'endpoint-config'),
  ListEndpointConfigs: list('ListEndpointConfigs'),
  // Creating and updating are checked against the configuration too.
  CreateEndpoint: (input: Input) => [
    named('CreateEndpoint', 'endpoint', input),
    named('CreateEndpoint', 'endpoint-config', input),
    ...tags('endpoint', input),
  ],
  UpdateEndpoint: (input: Input & Update) => [
    named('UpdateEndpoint', 'endpoint', input),
    named('UpdateEndpoint', 'endpoint-config', input),
    ...watch(input),
  ],
  DescribeEndpoint: on('DescribeEndpoint', 'endpoint'),
  // Deleting one that is scaled deregisters it. Source: SageMaker, "Delete endpoints configured for auto scaling".
  DeleteEndpoint: async (input: Input & { readonly EndpointName: string }, facts) => [
    named('DeleteEndpoint', 'endpoint', input),
    ...((await facts.isScaled(input.EndpointName)) ? [scalableTarget('DeregisterScalableTarget', NUMBER)] : []),
  ],
  ListEndpoints: list('ListEndpoints'),
  ListTags: ({ ResourceArn }: { ResourceArn: string }) => [{ action: 'sagemaker:ListTags', resource: ResourceArn }],
  AddTags: ({ ResourceArn }: { ResourceArn: string }) => [{ action: 'sagemaker:AddTags', resource: ResourceArn }],
};

/**
 * What fetching an image from ECR needs: of the role, also for the images of AWS's own accounts.
 * Source: SageMaker, "CreateTrainingJob API: execution role permissions".
 */
export function imagePermissions(image: string): Permission[] {
  const [, account, region, name] =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]{1,30})\.[a-z.]{1,30}\/([^:@\s]{1,255})/.exec(image) ?? [];
  if (name === undefined) return [];
  const resource = `arn:aws:ecr:${region}:${account}:repository/${name}`;
  return [
    { action: 'ecr:GetAuthorizationToken', resource: '*' },
    ...['BatchCheckLayerAvailability', 'GetDownloadUrlForLayer', 'BatchGetImage'].map((action) => ({
      action: `ecr:${action}`,
      resource,
    })),
  ];
}

const execution =
  (action: string): Row =>
  ({ executionArn }: { executionArn: string }) => [{ action: `states:${action}`, resource: executionArn }];

/** The rules by which Step Functions hears that a job has ended. Source: Step Functions, IAM policies for SageMaker. */
const JOB_RULES: Readonly<Record<string, string>> = {
  'arn:aws:states:::sagemaker:createTrainingJob.sync': 'StepFunctionsGetEventsForSageMakerTrainingJobsRule',
  'arn:aws:states:::sagemaker:createTransformJob.sync': 'StepFunctionsGetEventsForSageMakerTransformJobsRule',
};

interface MachineInput {
  readonly definition: { readonly States?: Readonly<Record<string, { readonly Resource?: unknown }>> };
}

export const modelPermissions: Rows = {
  sagemaker,
  'application-autoscaling': autoscaling,
  'sagemaker-runtime': { InvokeEndpoint: on('InvokeEndpoint', 'endpoint') },
  cloudwatch: {
    PutMetricAlarm: ({ AlarmName, Tags }: { AlarmName: string; Tags?: unknown }) => [
      alarm('PutMetricAlarm', AlarmName),
      ...(Tags === undefined ? [] : [alarm('TagResource', AlarmName)]),
    ],
    DeleteAlarms: ({ AlarmNames }: { AlarmNames: readonly string[] }) =>
      AlarmNames.map((name) => alarm('DeleteAlarms', name)),
    DescribeAlarms: () => [alarm('DescribeAlarms', '*')],
    GetMetricStatistics: () => [{ action: 'cloudwatch:GetMetricStatistics', resource: '*' }],
  },
  logs: {
    PutLogEvents: ({ logGroupName, logStreamName }: { logGroupName: string; logStreamName: string }) =>
      ['CreateLogStream', 'PutLogEvents'].map((action) => ({
        action: `logs:${action}`,
        resource: arn('logs', `log-group:${logGroupName}:log-stream:${logStreamName}`),
      })),
  },
  states: {
    // A state machine is refused whose own role could not make the rules that end its jobs.
    CreateStateMachine: ({ definition }: MachineInput) =>
      Object.values(definition.States ?? {}).flatMap(({ Resource }) => {
        const rule = JOB_RULES[String(Resource)];
        return ['PutTargets', 'PutRule', 'DescribeRule'].flatMap((action) =>
          rule === undefined ? [] : [{ action: `events:${action}`, resource: arn('events', `rule/${rule}`) }],
        );
      }),
    StartExecution: ({ stateMachineArn }: { stateMachineArn: string }) => [
      { action: 'states:StartExecution', resource: stateMachineArn },
    ],
    DescribeExecution: execution('DescribeExecution'),
    StopExecution: execution('StopExecution'),
  },
  lambda: {
    Invoke: ({ FunctionName, Qualifier }: { FunctionName: string; Qualifier?: string }) => {
      const [name = '', version = Qualifier] = (FunctionName.split(':function:').pop() ?? '').split(':');
      const resource = arn('lambda', `function:${name}${version === undefined ? '' : `:${version}`}`);
      return [{ action: 'lambda:InvokeFunction', resource }];
    },
  },
};
