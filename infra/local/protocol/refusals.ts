import { type AwsError, notImplemented } from './aws-error.ts';

/** Services that are not here, by the name that signatures or targets give them, and what to do instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  iam: 'Roles and policies come from infra/aws, and every call of a function is checked against them; change them there.',
  ssm: 'Settings are params of serverless.yml: start the local cloud with others.',
  secretsmanager: 'Nothing here has a secret; give your application its secrets by its environment.',
  sqs: 'Failed batches go to S3: list the quarantine bucket, or run `npm run redrive`.',
  sns: 'Alarms tell nobody here: ask CloudWatch for their states (DescribeAlarms).',
  events: 'Schedules are read from serverless.yml and run by themselves; Invoke calls a function at once.',
  kms: 'Nothing is encrypted here: leave kmsKeyArn empty.',
  tagging: 'Ask the service itself for the tags of its resources, such as SageMaker ListTags.',
  kinesis: "A table's changes are read by DynamoDB Streams (ListStreams, GetRecords).",
  codedeploy: 'A version that is deployed here takes over at once: there is no deployment to look at.',
  ecr: 'No container runs here: linear-learner has a stand-in.',
  xray: 'No trace is kept here: the functions run without tracing.',
  rds: 'There is no relational database here: ask Athena, or the table.',
  ec2: 'No instance runs here.',
};

/** Names that targets and hosts have for a service of {@link INSTEAD}. */
const ALIASES: Readonly<Record<string, string>> = {
  AmazonSSM: 'ssm',
  AmazonSQS: 'sqs',
  AWSEvents: 'events',
  TrentService: 'kms',
  ResourceGroupsTaggingAPI_20170126: 'tagging',
  Kinesis_20131202: 'kinesis',
  CodeDeploy_20141006: 'codedeploy',
  AmazonEC2ContainerRegistry_V20150921: 'ecr',
};

/** What to do instead of an operation that a service here has not, by service. */
const INSTEAD_OF_OPERATION: Readonly<Record<string, string>> = {
  lambda: 'Functions, aliases and triggers come from serverless.yml: change it and start again.',
  firehose: 'Delivery streams come from serverless.yml and infra/aws: change them and start again.',
  states: 'State machines come from infra/aws/retraining: change the definition and start again.',
  cloudformation:
    'The stack is serverless.yml: change it and start again; `npx serverless package` writes its template.',
  sts: 'The local cloud takes any credentials: keep those you have.',
  logs: 'FilterLogEvents finds words in a log; GetLogEvents reads it.',
  cloudwatch: 'Metrics, alarms on them and dashboards are here; composite alarms, streams and insights need real AWS.',
  'sagemaker-runtime': 'InvokeEndpoint answers at once.',
};

/** What to do instead of single operations. */
const INSTEAD_OF: Readonly<Record<string, string>> = {
  CreateFeatureGroup: 'Feature groups come from shared/feature-groups: add a definition and start again.',
  UpdateFeatureGroup: 'Feature groups come from shared/feature-groups: add a feature and start again.',
  DeleteFeatureGroup: 'Feature groups come from shared/feature-groups: start with another --dir.',
  UpdateRecord: 'A standard online store takes PutRecord of the whole record.',
};

/** The refusal of an operation of a service that is here. */
export function unknownOperation(service: string, operation: string): AwsError {
  const single = Object.hasOwn(INSTEAD_OF, operation) ? INSTEAD_OF[operation] : undefined;
  const general = Object.hasOwn(INSTEAD_OF_OPERATION, service) ? INSTEAD_OF_OPERATION[service] : undefined;
  return notImplemented(service, operation, single ?? general);
}

/** The refusal of a service that is not here, or of an operation that none has. */
export function unknownService(name: string, operation: string): AwsError {
  const service = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  if (Object.hasOwn(INSTEAD, service)) return notImplemented(service, operation, INSTEAD[service]);
  return unknownOperation(service, operation);
}
