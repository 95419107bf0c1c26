import { readFileSync } from 'node:fs';

/** A call that a command made: its program's file, and what it asked of which client. */
export interface RecordedCall {
  readonly by: string;
  readonly client: string;
  readonly command: string;
  readonly input: Readonly<Record<string, string>>;
}

/** What test/fixtures/moto/recorder.cjs has written. */
export const recordedCalls = (file: string): RecordedCall[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** IAM's prefix of each client, and actions that are not named as their operation is. */
const PREFIXES: Readonly<Record<string, string>> = {
  ApplicationAutoScalingClient: 'application-autoscaling',
  CloudFormationClient: 'cloudformation',
  CloudWatchClient: 'cloudwatch',
  CloudWatchLogsClient: 'logs',
  DynamoDBClient: 'dynamodb',
  LambdaClient: 'lambda',
  S3Client: 's3',
  SageMakerClient: 'sagemaker',
  SFNClient: 'states',
};
const RENAMED: Readonly<Record<string, readonly string[]>> = {
  DeleteObjects: ['DeleteObject', 'DeleteObjectVersion'],
  HeadBucket: ['ListBucket'],
  HeadObject: ['GetObject'],
  ListObjectsV2: ['ListBucket'],
  ListObjectVersions: ['ListBucketVersions'],
};
/** Of each service, what a call is about. The others know no resource. */
const RESOURCES: Readonly<
  Record<string, (input: RecordedCall['input'], arn: (resource: string) => string) => unknown>
> = {
  cloudformation: ({ StackName: it }, arn) => it && (it.startsWith('arn:') ? it : arn(`stack/${it}/*`)),
  cloudwatch: ({ AlarmNames: it }, arn) => it && arn(`alarm:${it}`),
  dynamodb: ({ TableName: it }, arn) => it && arn(`table/${it}`),
  lambda: ({ FunctionName: it }, arn) => it && arn(`function:${it}`),
  s3: ({ Bucket, Key }) => `arn:aws:s3:::${Bucket}${Key ? `/${Key}` : ''}`,
  sagemaker: ({ EndpointName, EndpointConfigName, ModelName, TrainingJobName, TransformJobName }, arn) => {
    const kinds = { endpoint: EndpointName, 'endpoint-config': EndpointConfigName, model: ModelName };
    const jobs = { 'training-job': TrainingJobName, 'transform-job': TransformJobName };
    const [kind, name] = Object.entries({ ...kinds, ...jobs }).find(([, it]) => it !== undefined) ?? [];
    return name && arn(`${kind}/${name}`);
  },
  states: ({ stateMachineArn, executionArn }) => stateMachineArn ?? executionArn,
};

/** The permissions that a call needs. STS says to anybody who he is. */
export function permissionsOf(
  { client, command, input }: RecordedCall,
  { region, account }: { readonly region: string; readonly account: string },
): { action: string; resource: string }[] {
  if (client === 'STSClient') return [];
  const service = PREFIXES[client];
  if (service === undefined) throw new Error(`${client} is not known here: add it to PREFIXES.`);
  const operation = command.replace(/Command$/, '');
  const resource = RESOURCES[service]?.(input, (it) => `arn:aws:${service}:${region}:${account}:${it}`) || '*';
  const inObject = operation === 'DeleteObjects' ? '/x' : '';
  return (RENAMED[operation] ?? [operation]).map((it) => ({
    action: `${service}:${it}`,
    resource: `${String(resource).replace(/^(arn:[^:]+:[^:]+:)[^:]*:\d{12}:/, `$1${region}:${account}:`)}${inObject}`,
  }));
}
