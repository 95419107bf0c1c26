import { CHANGE_LOG_PREFIX } from '../../../shared/change-log/sql.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { BACKFILLS_PREFIX, EXPORTS_PREFIX } from '../../../shared/history/prefixes.ts';
import { FAILED_BATCHES_PREFIX, QUARANTINE_PREFIX } from '../../../shared/quarantine/bucket.ts';
import { LABELS_BY_EPOCH_INDEX } from '../../../shared/state/keys.ts';
import { SNAPSHOTS_PREFIX } from '../../../shared/training/snapshot.ts';
import { allow, role, type Statement } from '../cloudformation/iam.ts';
import { arn, getAtt, join, type Resources, type Text } from '../cloudformation/intrinsics.ts';
import { endpointArns, type Names, scalingAlarmArns } from '../cloudformation/names.ts';
import { MODELS_PREFIX, TRAINING_SETS_PREFIX } from '../data/buckets.ts';
import { featureGroupArn } from '../data/feature-group.ts';
import type { SourceTable } from '../data/source-table.ts';
import { snapshotMachineArn } from '../retraining/snapshot-machine.ts';
import { stateMachineArn } from '../retraining/state-machine.ts';

/** One role per function, with what that function calls and nothing else. */
export function functionRoles(
  group: FeatureGroup,
  names: Names,
  source: SourceTable,
  predictionLog: boolean,
): Resources {
  const stateTable = getAtt('StateTable', 'Arn');
  const quarantine = getAtt('QuarantineBucket', 'Arn');
  const waiting = [QUARANTINE_PREFIX, FAILED_BATCHES_PREFIX].map((prefix) => join(quarantine, `/${prefix}*`));
  return {
    // Quarantined records are written by the function, failed batches by Lambda with the function's role.
    IngestRole: lambdaRole(names, 'ingest', [
      readStream(source.streamArn),
      ...deliver(group),
      allow(['s3:PutObject'], waiting),
      allow(['s3:ListBucket'], [quarantine]),
    ]),
    RedriveRole: lambdaRole(names, 'redrive', [
      allow(['dynamodb:BatchGetItem'], [source.arn]),
      ...deliver(group),
      // What was put right of a batch leaves its object, which is written anew.
      allow(['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], waiting),
      allow(['s3:ListBucket'], [quarantine]),
    ]),
    CompareRole: lambdaRole(names, 'compare', [
      allow(['dynamodb:BatchGetItem', 'dynamodb:DescribeTable', 'dynamodb:Scan'], [source.arn]),
      allow(['sagemaker:BatchGetRecord', 'sagemaker:ListRecords'], [featureGroupArn(group)]),
      allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [stateTable]),
      // Metrics know no resource.
      allow(['cloudwatch:GetMetricStatistics'], '*'),
    ]),
    HistoryRole: lambdaRole(names, 'history', [...readExports(source), ...writeHistory(group)]),
    RetrainRole: lambdaRole(names, 'retrain', [
      allow(['states:StartExecution'], [snapshotMachineArn(names)]),
      allow(['s3:DeleteObject'], [join(getAtt('DataBucket', 'Arn'), `/${SNAPSHOTS_PREFIX}*`)]),
      allow(['s3:ListBucket'], [getAtt('DataBucket', 'Arn')]),
      ...(group.label ? train(names) : [allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [stateTable])]),
    ]),
    ...(group.label && {
      PredictRole: lambdaRole(names, 'predict', [
        allow(['sagemaker:BatchGetRecord', 'sagemaker:GetRecord'], [featureGroupArn(group)]),
        allow(['dynamodb:GetItem'], [stateTable]),
        allow(['sagemaker:InvokeEndpoint'], endpointArns(names)),
        ...(predictionLog ? [allow(['firehose:PutRecordBatch'], [getAtt('PredictionLogStream', 'Arn')])] : []),
      ]),
    }),
  };
}

/** Having the table exported into the data bucket, with the caller's own rights there, and reading exports. */
function readExports(source: SourceTable): Statement[] {
  const bucket = getAtt('DataBucket', 'Arn');
  const exports = join(bucket, `/${EXPORTS_PREFIX}*`);
  return [
    allow(
      [
        ...['dynamodb:BatchGetItem', 'dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeTable'],
        'dynamodb:ExportTableToPointInTime',
      ],
      [source.arn],
    ),
    allow(['dynamodb:DescribeExport'], [join(source.arn, '/export/*')]),
    // DynamoDB writes with the rights of who asks. Source: its guide, "Requesting a table export in DynamoDB".
    allow(['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject', 's3:PutObjectAcl'], [exports]),
    // Without it an object that is not there would be one that may not be read.
    allow(['s3:ListBucket'], [bucket]),
  ];
}

/** Writing what exports say into both stores, and how far that has come. */
function writeHistory(group: FeatureGroup): Statement[] {
  const bucket = getAtt('DataBucket', 'Arn');
  const rows = join(bucket, `/${CHANGE_LOG_PREFIX}dt=*/backfill/*`);
  return [
    allow(['sagemaker:PutRecord', 'sagemaker:BatchWriteRecord', 'sagemaker:DeleteRecord'], [featureGroupArn(group)]),
    allow(
      [
        ...['dynamodb:BatchGetItem', 'dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:PutItem'],
        ...['dynamodb:Scan', 'dynamodb:UpdateItem', 'dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate'],
      ],
      [getAtt('StateTable', 'Arn')],
    ),
    allow(['s3:PutObject'], [rows, join(bucket, `/${BACKFILLS_PREFIX}*`)]),
    allow(['s3:DeleteObject'], [rows]),
    allow(['s3:PutObject'], [join(getAtt('QuarantineBucket', 'Arn'), `/${QUARANTINE_PREFIX}*`)]),
  ];
}

/** Counting labels, deciding by them, and having a model trained. */
function train(names: Names): Statement[] {
  const stateTable = getAtt('StateTable', 'Arn');
  return [
    readStream(getAtt('StateTable', 'StreamArn')),
    allow(['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [stateTable]),
    allow(['dynamodb:Query'], [join(stateTable, `/index/${LABELS_BY_EPOCH_INDEX}`)]),
    allow(['states:StartExecution'], [stateMachineArn(names)]),
    ...judgeAndCleanUp(names),
    ...scale(names),
  ];
}

/** Writing to the feature store, the change log and the label ledger. */
function deliver(group: FeatureGroup): Statement[] {
  return [
    // A batch write is checked as a batch write and as the puts it is made of.
    allow(['sagemaker:PutRecord', 'sagemaker:BatchWriteRecord', 'sagemaker:DeleteRecord'], [featureGroupArn(group)]),
    allow(['firehose:PutRecordBatch'], [getAtt('ChangeLogStream', 'Arn')]),
    // Fences in pages and the set of them; labels by statements, or one by one where a batch of those is refused.
    allow(
      [
        ...['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
        ...['dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate'],
      ],
      [getAtt('StateTable', 'Arn')],
    ),
  ];
}

/** Reading the scores of the rows to judge by, probing a new endpoint, and removing what nobody needs any more. */
function judgeAndCleanUp(names: Names): Statement[] {
  const bucket = getAtt('DataBucket', 'Arn');
  const named = (kind: string) => arn('sagemaker', `${kind}/${names.endpoint}-*`);
  return [
    allow(
      ['s3:GetObject'],
      [TRAINING_SETS_PREFIX, MODELS_PREFIX].map((prefix) => join(bucket, `/${prefix}*`)),
    ),
    // What a training tells of itself, beside its rows.
    allow(['s3:PutObject'], [join(bucket, `/${TRAINING_SETS_PREFIX}*.json`)]),
    // Lists know no resource.
    allow(['sagemaker:ListEndpointConfigs', 'sagemaker:ListEndpoints', 'sagemaker:ListModels'], '*'),
    allow(['sagemaker:DeleteEndpoint', 'sagemaker:DescribeEndpoint', 'sagemaker:InvokeEndpoint'], endpointArns(names)),
    allow(['sagemaker:DeleteEndpointConfig', 'sagemaker:DescribeEndpointConfig'], [named('endpoint-config')]),
    allow(['sagemaker:DeleteModel', 'sagemaker:DescribeModel'], [named('model')]),
  ];
}

/**
 * Having a new endpoint scaled as the one before it. The calls that Application Auto Scaling makes of SageMaker and
 * CloudWatch for that are checked against this role too; the role linked to the service is there since somebody scaled
 * the first endpoint. Source: SageMaker, "Auto scaling prerequisites".
 */
function scale(names: Names): Statement[] {
  const numberOfInstances = {
    StringEquals: {
      'application-autoscaling:service-namespace': 'sagemaker',
      'application-autoscaling:scalable-dimension': 'sagemaker:variant:DesiredInstanceCount',
    },
  };
  return [
    allow(['application-autoscaling:DescribeScalableTargets', 'application-autoscaling:DescribeScalingPolicies'], '*'),
    // A target's ARN tells nothing of its endpoint.
    allow(
      ['DeregisterScalableTarget', 'PutScalingPolicy', 'RegisterScalableTarget'].map(
        (it) => `application-autoscaling:${it}`,
      ),
      [arn('application-autoscaling', 'scalable-target/*')],
      numberOfInstances,
    ),
    allow(['sagemaker:UpdateEndpointWeightsAndCapacities'], endpointArns(names)),
    allow(['cloudwatch:DeleteAlarms', 'cloudwatch:PutMetricAlarm'], scalingAlarmArns(names)),
    allow(['cloudwatch:DescribeAlarms'], '*'),
  ];
}

/** A function's role, which always may write its own log. */
function lambdaRole(names: Names, name: string, statements: readonly Statement[]) {
  const logGroup: Text = arn('logs', `log-group:/aws/lambda/${names.stack}-${name}:*`);
  return role('lambda.amazonaws.com', [
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup]),
    ...statements,
  ]);
}

/** What Lambda's event source mapping calls, with the function's role, to read a table's stream. */
function readStream(streamArn: Text): Statement {
  return allow(
    ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
    [streamArn],
  );
}
