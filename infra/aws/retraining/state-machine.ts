import { readFileSync } from 'node:fs';
import { CHANGE_LOG_PREFIX } from '../../../shared/change-log/sql.ts';
import { SNAPSHOTS_PREFIX } from '../../../shared/training/snapshot.ts';
import { allow, role, type Statement } from '../cloudformation/iam.ts';
import { arn, getAtt, type Intrinsic, join, type Resources } from '../cloudformation/intrinsics.ts';
import { endpointArns, type Names } from '../cloudformation/names.ts';
import { ATHENA_RESULTS_PREFIX, TRAINING_SETS_PREFIX } from '../data/buckets.ts';

/** The state machine in the Amazon States Language, with `${RetrainFunctionArn}` to be filled in at deployment. */
export const retrainingDefinition: object = JSON.parse(
  readFileSync(new URL('./retraining.asl.json', import.meta.url), 'utf8'),
);

/** ARN of the state machine, by its name: a reference would close a circle, as it calls the function that starts it. */
export const stateMachineArn = (names: Names): Intrinsic => arn('states', `stateMachine:${names.stateMachine}`);

/** The retraining state machine and its role. */
export function stateMachine(names: Names): Resources {
  return {
    RetrainingStateMachine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: names.stateMachine,
        StateMachineType: 'STANDARD',
        RoleArn: getAtt('RetrainingStateMachineRole', 'Arn'),
        // As text: a template's objects take no null, and `ResultPath: null` says that a state's input goes on unchanged.
        DefinitionString: JSON.stringify(retrainingDefinition),
        DefinitionSubstitutions: { RetrainFunctionArn: getAtt('RetrainLambdaFunction', 'Arn') },
      },
    },
    RetrainingStateMachineRole: role('states.amazonaws.com', [
      ...queryStatements(names, [SNAPSHOTS_PREFIX, TRAINING_SETS_PREFIX, ATHENA_RESULTS_PREFIX]),
      allow(['athena:GetQueryResults'], [arn('athena', `workgroup/${names.workGroup}`)]),
      ...modelStatements(names),
      allow(['lambda:InvokeFunction'], [getAtt('RetrainLambdaFunction', 'Arn')]),
    ]),
  };
}

/** Athena reads and writes S3, and reads Glue's catalog, as who asks it to. @param written prefixes of the data bucket. */
export function queryStatements(names: Names, written: readonly string[]): Statement[] {
  const bucket = getAtt('DataBucket', 'Arn');
  return [
    allow(
      ['athena:GetQueryExecution', 'athena:StartQueryExecution', 'athena:StopQueryExecution'],
      [arn('athena', `workgroup/${names.workGroup}`)],
    ),
    // Step Functions' guide asks for both, and Lake Formation for the second, where it governs an account's data.
    allow(['athena:GetDataCatalog'], [arn('athena', 'datacatalog/AwsDataCatalog')]),
    allow(['lakeformation:GetDataAccess'], '*'),
    allow(
      ['glue:GetDatabase', 'glue:GetPartition', 'glue:GetPartitions', 'glue:GetTable', 'glue:GetTables'],
      [
        arn('glue', 'catalog'),
        arn('glue', `database/${names.glueDatabase}`),
        arn('glue', `table/${names.glueDatabase}/*`),
      ],
    ),
    // Mandatory, whatever a query is about. Source: Athena's guide, "Configure AWS Glue access to your catalog and
    // database per AWS Region".
    allow(['glue:CreateDatabase', 'glue:GetDatabase'], [arn('glue', 'catalog'), arn('glue', 'database/default')]),
    allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [bucket]),
    allow(['s3:GetObject'], [join(bucket, `/${CHANGE_LOG_PREFIX}*`)]),
    allow(
      ['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
      written.map((prefix) => join(bucket, `/${prefix}*`)),
    ),
  ];
}

function modelStatements(names: Names): Statement[] {
  const named = (kind: string) => arn('sagemaker', `${kind}/${names.endpoint}-*`);
  const endpoints = endpointArns(names);
  return [
    allow(
      ['sagemaker:AddTags', 'sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob', 'sagemaker:ListTags'],
      [named('training-job')],
    ),
    allow(['sagemaker:StopTrainingJob'], [named('training-job')]),
    allow(
      [
        ...[
          'sagemaker:AddTags',
          'sagemaker:CreateTransformJob',
          'sagemaker:DescribeTransformJob',
          'sagemaker:ListTags',
        ],
        'sagemaker:StopTransformJob',
      ],
      [named('transform-job')],
    ),
    // A transform job is created of a model, which is checked too.
    allow(['sagemaker:CreateTransformJob'], [named('model')]),
    allow(
      ['cloudwatch:DeleteAlarms', 'cloudwatch:PutMetricAlarm', 'cloudwatch:TagResource'],
      [arn('cloudwatch', `alarm:${names.endpoint}-*`)],
    ),
    // An update that hangs on alarms is refused to whoever cannot see them.
    allow(['cloudwatch:DescribeAlarms'], '*'),
    allow(['sagemaker:AddTags', 'sagemaker:CreateModel'], [named('model')]),
    allow(['sagemaker:AddTags', 'sagemaker:CreateEndpointConfig'], [named('endpoint-config')]),
    // Creating and updating are checked against the configuration too.
    allow(['sagemaker:CreateEndpoint', 'sagemaker:UpdateEndpoint'], [...endpoints, named('endpoint-config')]),
    allow(['sagemaker:AddTags', 'sagemaker:DeleteEndpoint', 'sagemaker:DescribeEndpoint'], endpoints),
    allow(['iam:PassRole'], [getAtt('TrainingRole', 'Arn')], {
      StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
    }),
    // The rules by which Step Functions hears that a job has ended.
    allow(
      ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      ['Training', 'Transform'].map((job) => arn('events', `rule/StepFunctionsGetEventsForSageMaker${job}JobsRule`)),
    ),
  ];
}
