import * as athena from '@aws-sdk/client-athena';
import * as cfn from '@aws-sdk/client-cloudformation';
import * as cw from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as events from '@aws-sdk/client-eventbridge';
import * as firehose from '@aws-sdk/client-firehose';
import * as iam from '@aws-sdk/client-iam';
import * as lambda from '@aws-sdk/client-lambda';
import * as s3 from '@aws-sdk/client-s3';
import * as sagemaker from '@aws-sdk/client-sagemaker';
import * as store from '@aws-sdk/client-sagemaker-featurestore-runtime';
import * as runtime from '@aws-sdk/client-sagemaker-runtime';
import * as sfn from '@aws-sdk/client-sfn';
import * as ssm from '@aws-sdk/client-ssm';
import * as sts from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OrdersCloud, ordersCloud } from '../../../given/retraining/orders-cloud.ts';

/**
 * Calls that real clients make to a stack: each is answered, answered with AWS's own error, or refused with what to do
 * instead, in the shape that its client reads.
 */

const STACK = 'tributary-orders-v2-dev';
const GROUP = 'Orders_v2';
const DAY_MS = 24 * 3_600_000;

let orders: OrdersCloud;
let outputs: Readonly<Record<string, string>>;
/** Names that are known when the stack runs. */
let known: {
  execution: string;
  training: string;
  model: string;
  endpoint: string;
  transform: string;
  streamArn: string;
  uploadId: string;
  logStream: string;
};
const clients = new Map<unknown, { send(command: never): Promise<unknown>; destroy(): void }>();

type Client = new (settings: object) => { send(command: never): Promise<unknown>; destroy(): void };

async function send(Type: Client, command: object): Promise<unknown> {
  const settings = {
    endpoint: orders.cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'l', secretAccessKey: 'l' },
    maxAttempts: 1,
  };
  const client = clients.get(Type) ?? new Type(settings);
  clients.set(Type, client);
  return client.send(command as never);
}

/** A call to a service without an installed client, by its JSON protocol. @throws Error by the name that it answers. */
async function rpc(target: string, body: object = {}): Promise<unknown> {
  const headers = { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' };
  const answer = await fetch(orders.cloud.endpoint, { method: 'POST', headers, body: JSON.stringify(body) });
  const parsed = (await answer.json()) as { __type?: string; message?: string };
  if (answer.ok) return parsed;
  throw Object.assign(new Error(parsed.message), { name: parsed.__type, $metadata: { httpStatusCode: answer.status } });
}

beforeAll(async () => {
  orders = await ordersCloud();
  const { cloud } = orders;
  outputs = cloud.stack.outputs;
  await orders.write(1, 320);
  const ended = (await orders.ended(1)) as { executionArn?: string; status: string };
  expect(ended.status).toBe('SUCCEEDED');
  const names = async (operation: string, member: string, name: string) => {
    const answer = (await cloud.call('sagemaker', operation, {})) as Record<string, Record<string, string>[]>;
    return String(answer[member]?.[0]?.[name]);
  };
  const { Table } = (await cloud.call('dynamodb', 'DescribeTable', { TableName: 'shop.orders' })) as {
    Table: { LatestStreamArn: string };
  };
  const upload = (await send(
    s3.S3Client,
    new s3.CreateMultipartUploadCommand({ Bucket: outputs.DataBucketName, Key: 'parts' }),
  )) as { UploadId: string };
  const { logStreams = [] } = (await send(
    logs.CloudWatchLogsClient,
    new logs.DescribeLogStreamsCommand({ logGroupName: `/aws/lambda/${STACK}-ingest` }),
  )) as logs.DescribeLogStreamsCommandOutput;
  known = {
    execution: String(ended.executionArn),
    training: await names('ListTrainingJobs', 'TrainingJobSummaries', 'TrainingJobName'),
    model: await names('ListModels', 'Models', 'ModelName'),
    endpoint: await names('ListEndpoints', 'Endpoints', 'EndpointName'),
    transform: await names('ListTransformJobs', 'TransformJobSummaries', 'TransformJobName'),
    streamArn: Table.LatestStreamArn,
    uploadId: upload.UploadId,
    logStream: logStreams[0]?.logStreamName ?? '',
  };
  await cloud.objects.put(bucket(), 'some/object', 'content');
});
afterAll(async () => {
  for (const client of clients.values()) client.destroy();
  await orders.close();
});

const bucket = () => outputs.DataBucketName ?? '';
const range = () => ({ StartTime: new Date(Date.now() - DAY_MS), EndTime: new Date(Date.now() + 60_000) });
const ingest = {
  Namespace: 'AWS/Lambda',
  MetricName: 'Invocations',
  Dimensions: [{ Name: 'FunctionName', Value: `${STACK}-ingest` }],
};
const identifier = { FeatureGroupName: GROUP, RecordIdentifierValueAsString: 'o-1|1' };
const record = [
  { FeatureName: 'order_id', ValueAsString: 'calls|1' },
  { FeatureName: 'changed_at', ValueAsString: '2026-01-01T00:00:00.000Z' },
];
const inBucket = () => ({ Bucket: bucket() });
const object = (Key = 'some/object') => ({ Bucket: bucket(), Key });
const named = (FunctionName: string) => ({ FunctionName: `${STACK}-${FunctionName}` });

type Call = () => Promise<unknown>;
const of = (Type: unknown, commands: Readonly<Record<string, () => object>>): [string, Call][] =>
  Object.entries(commands).map(([name, make]) => [name, () => send(Type as Client, make())]);

/** Calls that are answered. */
const ANSWERED: [string, Call][] = [
  ...of(store.SageMakerFeatureStoreRuntimeClient, {
    'featurestore GetRecord': () => new store.GetRecordCommand(identifier),
    'featurestore GetRecord of some features': () =>
      new store.GetRecordCommand({ ...identifier, FeatureNames: ['quantity'] }),
    'featurestore GetRecord of nobody': () =>
      new store.GetRecordCommand({ ...identifier, RecordIdentifierValueAsString: 'none' }),
    'featurestore BatchGetRecord': () =>
      new store.BatchGetRecordCommand({
        Identifiers: [{ FeatureGroupName: GROUP, RecordIdentifiersValueAsString: ['o-1|1', 'o-2|1'] }],
      }),
    'featurestore PutRecord': () => new store.PutRecordCommand({ FeatureGroupName: GROUP, Record: record }),
    'featurestore BatchWriteRecord': () =>
      new store.BatchWriteRecordCommand({ Entries: [{ FeatureGroupName: GROUP, Record: record }] }),
    'featurestore ListRecords': () => new store.ListRecordsCommand({ FeatureGroupName: GROUP }),
    'featurestore DeleteRecord': () =>
      new store.DeleteRecordCommand({
        FeatureGroupName: GROUP,
        RecordIdentifierValueAsString: 'calls|1',
        EventTime: '2026-01-02T00:00:00.000Z',
      }),
  }),
  ...of(sagemaker.SageMakerClient, {
    'sagemaker DescribeFeatureGroup': () => new sagemaker.DescribeFeatureGroupCommand({ FeatureGroupName: GROUP }),
    'sagemaker ListFeatureGroups': () => new sagemaker.ListFeatureGroupsCommand({ NameContains: 'Orders' }),
    'sagemaker DescribeFeatureMetadata': () =>
      new sagemaker.DescribeFeatureMetadataCommand({ FeatureGroupName: GROUP, FeatureName: 'quantity' }),
    'sagemaker ListTrainingJobs': () => new sagemaker.ListTrainingJobsCommand({ StatusEquals: 'Completed' }),
    'sagemaker DescribeTrainingJob': () =>
      new sagemaker.DescribeTrainingJobCommand({ TrainingJobName: known.training }),
    'sagemaker ListTransformJobs': () => new sagemaker.ListTransformJobsCommand({}),
    'sagemaker DescribeTransformJob': () =>
      new sagemaker.DescribeTransformJobCommand({ TransformJobName: known.transform }),
    'sagemaker ListModels': () => new sagemaker.ListModelsCommand({}),
    'sagemaker DescribeModel': () => new sagemaker.DescribeModelCommand({ ModelName: known.model }),
    'sagemaker ListEndpoints': () => new sagemaker.ListEndpointsCommand({}),
    'sagemaker DescribeEndpoint': () => new sagemaker.DescribeEndpointCommand({ EndpointName: known.endpoint }),
    'sagemaker ListEndpointConfigs': () => new sagemaker.ListEndpointConfigsCommand({}),
    'sagemaker DescribeEndpointConfig': () =>
      new sagemaker.DescribeEndpointConfigCommand({ EndpointConfigName: known.model }),
    'sagemaker ListTags': () =>
      new sagemaker.ListTagsCommand({ ResourceArn: `arn:aws:sagemaker:us-east-1:000000000000:model/${known.model}` }),
    'sagemaker AddTags': () =>
      new sagemaker.AddTagsCommand({
        ResourceArn: `arn:aws:sagemaker:us-east-1:000000000000:model/${known.model}`,
        Tags: [{ Key: 'k', Value: 'v' }],
      }),
  }),
  ...of(runtime.SageMakerRuntimeClient, {
    'sagemaker-runtime InvokeEndpoint': () =>
      new runtime.InvokeEndpointCommand({
        EndpointName: known.endpoint,
        ContentType: 'text/csv',
        Body: `${'1,'.repeat(9)}0`,
      }),
  }),
  ...of(sfn.SFNClient, {
    'states ListStateMachines': () => new sfn.ListStateMachinesCommand({}),
    'states DescribeStateMachine': () =>
      new sfn.DescribeStateMachineCommand({ stateMachineArn: outputs.RetrainingStateMachineArn }),
    'states ListExecutions': () =>
      new sfn.ListExecutionsCommand({ stateMachineArn: outputs.RetrainingStateMachineArn, statusFilter: 'SUCCEEDED' }),
    'states DescribeExecution': () => new sfn.DescribeExecutionCommand({ executionArn: known.execution }),
    'states GetExecutionHistory': () =>
      new sfn.GetExecutionHistoryCommand({ executionArn: known.execution, reverseOrder: true, maxResults: 5 }),
  }),
  ...of(lambda.LambdaClient, {
    'lambda ListFunctions': () => new lambda.ListFunctionsCommand({}),
    'lambda GetFunction': () => new lambda.GetFunctionCommand(named('predict')),
    'lambda GetFunction of an alias': () => new lambda.GetFunctionCommand({ ...named('predict'), Qualifier: 'live' }),
    'lambda GetFunctionConfiguration': () => new lambda.GetFunctionConfigurationCommand(named('retrain')),
    'lambda ListAliases': () => new lambda.ListAliasesCommand(named('predict')),
    'lambda GetAlias': () => new lambda.GetAliasCommand({ ...named('predict'), Name: 'live' }),
    'lambda ListVersionsByFunction': () => new lambda.ListVersionsByFunctionCommand(named('predict')),
    'lambda GetFunctionUrlConfig': () => new lambda.GetFunctionUrlConfigCommand(named('predict')),
    'lambda ListFunctionUrlConfigs': () => new lambda.ListFunctionUrlConfigsCommand(named('predict')),
    'lambda ListEventSourceMappings': () => new lambda.ListEventSourceMappingsCommand(named('ingest')),
    'lambda ListEventSourceMappings of a stream': () =>
      new lambda.ListEventSourceMappingsCommand({ EventSourceArn: known.streamArn }),
    'lambda GetFunctionConcurrency': () => new lambda.GetFunctionConcurrencyCommand(named('ingest')),
    'lambda GetAccountSettings': () => new lambda.GetAccountSettingsCommand({}),
    'lambda Invoke': () => new lambda.InvokeCommand({ ...named('redrive'), Payload: '{"action":"list"}' }),
    'lambda Invoke by alias': () =>
      new lambda.InvokeCommand({ ...named('predict'), Qualifier: 'live', Payload: '{"order_id":"o-1|1"}' }),
    'lambda Invoke by name and alias': () =>
      new lambda.InvokeCommand({ FunctionName: `${STACK}-predict:live`, Payload: '{"order_id":"o-1|1"}' }),
    'lambda Invoke with its log': () =>
      new lambda.InvokeCommand({ ...named('redrive'), LogType: 'Tail', Payload: '{"action":"list"}' }),
    'lambda Invoke later': () =>
      new lambda.InvokeCommand({ ...named('redrive'), InvocationType: 'Event', Payload: '{"action":"list"}' }),
    'lambda Invoke, dry': () => new lambda.InvokeCommand({ ...named('redrive'), InvocationType: 'DryRun' }),
  }),
  [
    'lambda function URL',
    async () => {
      const { FunctionUrl } = (await send(
        lambda.LambdaClient,
        new lambda.GetFunctionUrlConfigCommand(named('predict')),
      )) as { FunctionUrl: string };
      const answer = await fetch(FunctionUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"order_id":"o-1|1"}',
      });
      expect(answer.status).toBeLessThan(500);
    },
  ],
  ...of(cw.CloudWatchClient, {
    'cloudwatch ListMetrics': () => new cw.ListMetricsCommand({ Namespace: 'Tributary', RecentlyActive: 'PT3H' }),
    'cloudwatch GetMetricStatistics': () =>
      new cw.GetMetricStatisticsCommand({
        ...ingest,
        ...range(),
        Period: 300,
        Statistics: ['Sum'],
        ExtendedStatistics: ['p95'],
      }),
    'cloudwatch GetMetricData': () =>
      new cw.GetMetricDataCommand({
        ...range(),
        MetricDataQueries: [
          { Id: 'm', MetricStat: { Metric: ingest, Period: 300, Stat: 'Sum' } },
          { Id: 'e', Expression: 'm * 2' },
        ],
      }),
    'cloudwatch PutMetricData': () =>
      new cw.PutMetricDataCommand({ Namespace: 'Shop', MetricData: [{ MetricName: 'Orders', Value: 3 }] }),
    'cloudwatch DescribeAlarms': () => new cw.DescribeAlarmsCommand({ AlarmNamePrefix: STACK }),
    'cloudwatch DescribeAlarmsForMetric': () =>
      new cw.DescribeAlarmsForMetricCommand({ Namespace: 'AWS/Lambda', MetricName: 'Errors' }),
    'cloudwatch PutMetricAlarm': () =>
      new cw.PutMetricAlarmCommand({
        AlarmName: 'mine',
        ...ingest,
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    'cloudwatch SetAlarmState': () =>
      new cw.SetAlarmStateCommand({ AlarmName: 'mine', StateValue: 'OK', StateReason: 'test' }),
    'cloudwatch DeleteAlarms': () => new cw.DeleteAlarmsCommand({ AlarmNames: ['mine'] }),
    'cloudwatch ListDashboards': () => new cw.ListDashboardsCommand({}),
    'cloudwatch GetDashboard': () => new cw.GetDashboardCommand({ DashboardName: STACK }),
  }),
  ...of(logs.CloudWatchLogsClient, {
    'logs DescribeLogGroups': () => new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/' }),
    'logs DescribeLogStreams': () =>
      new logs.DescribeLogStreamsCommand({
        logGroupName: `/aws/lambda/${STACK}-ingest`,
        orderBy: 'LastEventTime',
        descending: true,
      }),
    'logs GetLogEvents': () =>
      new logs.GetLogEventsCommand({
        logGroupName: `/aws/lambda/${STACK}-ingest`,
        logStreamName: known.logStream,
        limit: 5,
      }),
    'logs FilterLogEvents': () =>
      new logs.FilterLogEventsCommand({ logGroupName: `/aws/lambda/${STACK}-ingest`, filterPattern: 'REPORT' }),
    'logs FilterLogEvents since': () =>
      new logs.FilterLogEventsCommand({
        logGroupName: `/aws/lambda/${STACK}-retrain`,
        startTime: Date.now() - DAY_MS,
        interleaved: true,
      }),
  }),
  ...of(s3.S3Client, {
    's3 ListBuckets': () => new s3.ListBucketsCommand({}),
    's3 CreateBucket': () => new s3.CreateBucketCommand({ Bucket: 'of-a-user' }),
    's3 HeadBucket': () => new s3.HeadBucketCommand({ Bucket: 'of-a-user' }),
    's3 DeleteBucket': () => new s3.DeleteBucketCommand({ Bucket: 'of-a-user' }),
    's3 GetBucketLocation': () => new s3.GetBucketLocationCommand(inBucket()),
    's3 GetBucketVersioning': () => new s3.GetBucketVersioningCommand(inBucket()),
    's3 GetBucketEncryption': () => new s3.GetBucketEncryptionCommand(inBucket()),
    's3 GetBucketRequestPayment': () => new s3.GetBucketRequestPaymentCommand(inBucket()),
    's3 GetBucketAcl': () => new s3.GetBucketAclCommand(inBucket()),
    's3 ListObjects': () => new s3.ListObjectsCommand(inBucket()),
    's3 ListObjectsV2': () => new s3.ListObjectsV2Command({ ...inBucket(), Prefix: 'change-log/', Delimiter: '/' }),
    's3 PutObject': () => new s3.PutObjectCommand({ ...object('put'), Body: 'x' }),
    's3 GetObject': () => new s3.GetObjectCommand(object()),
    's3 GetObject of a range': () => new s3.GetObjectCommand({ ...object(), Range: 'bytes=0-2' }),
    's3 HeadObject': () => new s3.HeadObjectCommand(object()),
    's3 CopyObject': () => new s3.CopyObjectCommand({ ...object('copy'), CopySource: `${bucket()}/some/object` }),
    's3 DeleteObject': () => new s3.DeleteObjectCommand(object('copy')),
    's3 DeleteObjects': () => new s3.DeleteObjectsCommand({ ...inBucket(), Delete: { Objects: [{ Key: 'put' }] } }),
    's3 UploadPart': () =>
      new s3.UploadPartCommand({ ...object('parts'), UploadId: known.uploadId, PartNumber: 1, Body: 'x' }),
    's3 UploadPartCopy': () =>
      new s3.UploadPartCopyCommand({
        ...object('parts'),
        UploadId: known.uploadId,
        PartNumber: 1,
        CopySource: `${bucket()}/some/object`,
      }),
    's3 ListParts': () => new s3.ListPartsCommand({ ...object('parts'), UploadId: known.uploadId }),
    's3 ListMultipartUploads': () => new s3.ListMultipartUploadsCommand(inBucket()),
    's3 AbortMultipartUpload': () =>
      new s3.AbortMultipartUploadCommand({ ...object('parts'), UploadId: known.uploadId }),
  }),
  [
    's3 presigned link',
    async () => {
      const signed =
        'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=l%2F20261126%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261126T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0';
      expect((await fetch(`${orders.cloud.endpoint}/${bucket()}/some/object?${signed}`)).status).toBe(200);
    },
  ],
  ...of(athena.AthenaClient, {
    'athena StartQueryExecution': () =>
      new athena.StartQueryExecutionCommand({
        QueryString: 'SELECT count(*) FROM latest',
        WorkGroup: outputs.AthenaWorkGroup,
        QueryExecutionContext: { Database: outputs.AthenaDatabase },
      }),
  }),
  ...of(firehose.FirehoseClient, {
    'firehose ListDeliveryStreams': () => new firehose.ListDeliveryStreamsCommand({}),
    'firehose DescribeDeliveryStream': () =>
      new firehose.DescribeDeliveryStreamCommand({ DeliveryStreamName: `${STACK}-ChangeLogStream` }),
  }),
  ...of(sts.STSClient, { 'sts GetCallerIdentity': () => new sts.GetCallerIdentityCommand({}) }),
  ...of(cfn.CloudFormationClient, {
    'cloudformation DescribeStacks': () => new cfn.DescribeStacksCommand({ StackName: STACK }),
    'cloudformation DescribeStacks, all': () => new cfn.DescribeStacksCommand({}),
    'cloudformation ListStacks': () => new cfn.ListStacksCommand({ StackStatusFilter: ['CREATE_COMPLETE'] }),
    'cloudformation ListStackResources': () => new cfn.ListStackResourcesCommand({ StackName: STACK }),
    'cloudformation DescribeStackResources': () => new cfn.DescribeStackResourcesCommand({ StackName: STACK }),
    'cloudformation DescribeStackResource': () =>
      new cfn.DescribeStackResourceCommand({ StackName: STACK, LogicalResourceId: 'DataBucket' }),
  }),
];

/** Calls that AWS itself would answer with this error. */
const ERRORS: [string, Call, string][] = [
  [
    'featurestore GetRecord of no group',
    () =>
      send(
        store.SageMakerFeatureStoreRuntimeClient as never,
        new store.GetRecordCommand({ ...identifier, FeatureGroupName: 'none' }),
      ),
    'ResourceNotFound',
  ],
  [
    'sagemaker DescribeEndpoint of none',
    () => send(sagemaker.SageMakerClient as never, new sagemaker.DescribeEndpointCommand({ EndpointName: 'none' })),
    'ValidationException',
  ],
  [
    'sagemaker DescribeFeatureGroup of none',
    () =>
      send(sagemaker.SageMakerClient as never, new sagemaker.DescribeFeatureGroupCommand({ FeatureGroupName: 'none' })),
    'ResourceNotFound',
  ],
  [
    'sagemaker-runtime of another width',
    () =>
      send(
        runtime.SageMakerRuntimeClient as never,
        new runtime.InvokeEndpointCommand({ EndpointName: known.endpoint, ContentType: 'text/csv', Body: '1' }),
      ),
    'ModelError',
  ],
  [
    'states DescribeExecution of none',
    () => send(sfn.SFNClient as never, new sfn.DescribeExecutionCommand({ executionArn: `${known.execution}x` })),
    'ExecutionDoesNotExist',
  ],
  [
    'lambda GetFunction of none',
    () => send(lambda.LambdaClient as never, new lambda.GetFunctionCommand({ FunctionName: 'none' })),
    'ResourceNotFoundException',
  ],
  [
    'lambda Invoke of no alias',
    () => send(lambda.LambdaClient as never, new lambda.InvokeCommand({ ...named('redrive'), Qualifier: 'live' })),
    'ResourceNotFoundException',
  ],
  [
    'lambda GetAlias of none',
    () => send(lambda.LambdaClient as never, new lambda.GetAliasCommand({ ...named('predict'), Name: 'none' })),
    'ResourceNotFoundException',
  ],
  [
    'lambda GetPolicy',
    () => send(lambda.LambdaClient as never, new lambda.GetPolicyCommand(named('predict'))),
    'ResourceNotFoundException',
  ],
  [
    'lambda GetFunctionUrlConfig of none',
    () => send(lambda.LambdaClient as never, new lambda.GetFunctionUrlConfigCommand(named('ingest'))),
    'ResourceNotFoundException',
  ],
  [
    'cloudwatch GetDashboard of none',
    () => send(cw.CloudWatchClient as never, new cw.GetDashboardCommand({ DashboardName: 'none' })),
    'ResourceNotFound',
  ],
  [
    'logs GetLogEvents of none',
    () =>
      send(
        logs.CloudWatchLogsClient as never,
        new logs.GetLogEventsCommand({ logGroupName: 'none', logStreamName: 'x' }),
      ),
    'ResourceNotFoundException',
  ],
  ['s3 GetBucketTagging', () => send(s3.S3Client as never, new s3.GetBucketTaggingCommand(inBucket())), 'NoSuchTagSet'],
  [
    's3 GetBucketPolicy',
    () => send(s3.S3Client as never, new s3.GetBucketPolicyCommand(inBucket())),
    'NoSuchBucketPolicy',
  ],
  [
    's3 GetBucketCors',
    () => send(s3.S3Client as never, new s3.GetBucketCorsCommand(inBucket())),
    'NoSuchCORSConfiguration',
  ],
  [
    's3 GetBucketLifecycle',
    () => send(s3.S3Client as never, new s3.GetBucketLifecycleConfigurationCommand(inBucket())),
    'NoSuchLifecycleConfiguration',
  ],
  ['s3 GetObject of none', () => send(s3.S3Client as never, new s3.GetObjectCommand(object('none'))), 'NoSuchKey'],
  ['s3 HeadBucket of none', () => send(s3.S3Client as never, new s3.HeadBucketCommand({ Bucket: 'none' })), 'NotFound'],
  [
    's3 DeleteBucket of a full one',
    () => send(s3.S3Client as never, new s3.DeleteBucketCommand(inBucket())),
    'BucketNotEmpty',
  ],
  [
    'cloudformation DescribeStacks of none',
    () => send(cfn.CloudFormationClient as never, new cfn.DescribeStacksCommand({ StackName: 'none' })),
    'ValidationError',
  ],
  [
    'firehose DescribeDeliveryStream of none',
    () =>
      send(
        firehose.FirehoseClient as never,
        new firehose.DescribeDeliveryStreamCommand({ DeliveryStreamName: 'none' }),
      ),
    'ResourceNotFoundException',
  ],
];

/** Calls that are refused, and what the refusal says to do. */
const REFUSED: [string, Call, RegExp][] = [
  [
    'sagemaker Search',
    () => send(sagemaker.SageMakerClient as never, new sagemaker.SearchCommand({ Resource: 'TrainingJob' })),
    /ListTrainingJobs/,
  ],
  ['sagemaker CreateFeatureGroup', () => rpc('SageMaker.CreateFeatureGroup'), /shared\/feature-groups/],
  ['sagemaker CreateProcessingJob', () => rpc('SageMaker.CreateProcessingJob'), /use real AWS/],
  ['iam ListRoles', () => send(iam.IAMClient as never, new iam.ListRolesCommand({})), /infra\/aws/],
  ['iam GetRole', () => send(iam.IAMClient as never, new iam.GetRoleCommand({ RoleName: 'x' })), /infra\/aws/],
  [
    'iam CreateRole',
    () => send(iam.IAMClient as never, new iam.CreateRoleCommand({ RoleName: 'x', AssumeRolePolicyDocument: '{}' })),
    /infra\/aws/,
  ],
  [
    'sts AssumeRole',
    () =>
      send(
        sts.STSClient as never,
        new sts.AssumeRoleCommand({ RoleArn: 'arn:aws:iam::000000000000:role/abcdefgh', RoleSessionName: 'x' }),
      ),
    /any credentials/,
  ],
  [
    'cloudformation CreateStack',
    () => send(cfn.CloudFormationClient as never, new cfn.CreateStackCommand({ StackName: 'x' })),
    /serverless\.yml/,
  ],
  [
    'cloudformation GetTemplate',
    () => send(cfn.CloudFormationClient as never, new cfn.GetTemplateCommand({ StackName: STACK })),
    /serverless package/,
  ],
  [
    'ssm GetParameter',
    () => send(ssm.SSMClient as never, new ssm.GetParameterCommand({ Name: 'x' })),
    /serverless\.yml/,
  ],
  [
    'ssm PutParameter',
    () => send(ssm.SSMClient as never, new ssm.PutParameterCommand({ Name: 'x', Value: 'x', Type: 'String' })),
    /serverless\.yml/,
  ],
  [
    'events ListRules',
    () => send(events.EventBridgeClient as never, new events.ListRulesCommand({})),
    /serverless\.yml/,
  ],
  [
    'events PutEvents',
    () => send(events.EventBridgeClient as never, new events.PutEventsCommand({ Entries: [{ Source: 'x' }] })),
    /Invoke/,
  ],
  ['sqs ListQueues', () => rpc('AmazonSQS.ListQueues'), /redrive/],
  ['sqs SendMessage', () => rpc('AmazonSQS.SendMessage'), /redrive/],
  ['kms ListKeys', () => rpc('TrentService.ListKeys'), /kmsKeyArn/],
  ['kms Decrypt', () => rpc('TrentService.Decrypt'), /kmsKeyArn/],
  ['tagging GetResources', () => rpc('ResourceGroupsTaggingAPI_20170126.GetResources'), /ListTags/],
  ['codedeploy ListDeployments', () => rpc('CodeDeploy_20141006.ListDeployments'), /no deployment/],
  ['kinesis ListStreams', () => rpc('Kinesis_20131202.ListStreams'), /DynamoDB Streams/],
  ['secretsmanager GetSecretValue', () => rpc('secretsmanager.GetSecretValue'), /environment/],
  [
    'lambda CreateFunction',
    () =>
      send(lambda.LambdaClient as never, new lambda.CreateFunctionCommand({ FunctionName: 'x', Role: 'x', Code: {} })),
    /serverless\.yml/,
  ],
  [
    'lambda UpdateFunctionConfiguration',
    () => send(lambda.LambdaClient as never, new lambda.UpdateFunctionConfigurationCommand(named('ingest'))),
    /serverless\.yml/,
  ],
  ['firehose CreateDeliveryStream', () => rpc('Firehose_20150804.CreateDeliveryStream'), /serverless\.yml/],
  ['states CreateStateMachine', () => rpc('AWSStepFunctions.CreateStateMachine'), /infra\/aws/],
  [
    'cloudwatch GetMetricData by SEARCH',
    () =>
      send(
        cw.CloudWatchClient as never,
        new cw.GetMetricDataCommand({
          ...range(),
          MetricDataQueries: [{ Id: 's', Expression: 'SEARCH(x)', Period: 300 }],
        }),
      ),
    /name the metrics one by one/,
  ],
  [
    'logs FilterLogEvents by JSON',
    () =>
      send(
        logs.CloudWatchLogsClient as never,
        new logs.FilterLogEventsCommand({
          logGroupName: `/aws/lambda/${STACK}-ingest`,
          filterPattern: '{ $.level = "ERROR" }',
        }),
      ),
    /phrases/,
  ],
  [
    'logs StartQuery',
    () =>
      send(
        logs.CloudWatchLogsClient as never,
        new logs.StartQueryCommand({ queryString: 'x', startTime: 0, endTime: 1 }),
      ),
    /FilterLogEvents/,
  ],
  [
    's3 PutBucketVersioning',
    () =>
      send(
        s3.S3Client as never,
        new s3.PutBucketVersioningCommand({ ...inBucket(), VersioningConfiguration: { Status: 'Enabled' } }),
      ),
    /real S3/,
  ],
  [
    's3 PutBucketPolicy',
    () => send(s3.S3Client as never, new s3.PutBucketPolicyCommand({ ...inBucket(), Policy: '{}' })),
    /real S3/,
  ],
  ['s3 GetObjectTagging', () => send(s3.S3Client as never, new s3.GetObjectTaggingCommand(object())), /real S3/],
];

test.each(ANSWERED)('%s is answered', async (_, call) => {
  await expect(call()).resolves.not.toThrow();
});

test.each(ERRORS)('%s is answered with AWS’s error', async (_, call, name) => {
  await expect(call()).rejects.toMatchObject({ name });
});

test.each(REFUSED)('%s is refused as a client’s error that says what to do', async (_, call, advice) => {
  const error = (await call().then(
    () => undefined,
    (thrown) => thrown,
  )) as Error & { $metadata?: { httpStatusCode: number } };
  expect(error.message).toMatch(/cannot be evaluated|The local cloud does not implement/);
  expect(error.message).toMatch(advice);
  expect(error.$metadata?.httpStatusCode).toBe(400);
});

test('at least 120 calls are answered, or refused with what to do', () => {
  const advised = REFUSED.filter(([, , advice]) => !String(advice).includes('use real AWS'));
  expect(ANSWERED.length + ERRORS.length + advised.length).toBeGreaterThanOrEqual(120);
});
