import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACCOUNT } from '../../../infra/local/protocol/arn.ts';
import { arnOf, may, stages, statementsOfRole } from '../../given/aws/pipeline-roles.ts';
import { stackOf } from '../../given/local/stacks.ts';

describe('the role that CloudFormation works as', () => {
  /**
   * What CloudFormation's handlers ask of their caller, by type. Source: `handlers` of the registry's schemas of August 2026;
   * of AWS::Glue::Table, which has none there, its API.
   */
  const HANDLERS: Readonly<Record<string, readonly string[]>> = JSON.parse(
    readFileSync('test/fixtures/cloudformation/handler-permissions.json', 'utf8'),
  );

  /** What handlers ask for features that the stack has none of, and where its rights are tested otherwise. */
  const UNUSED: readonly RegExp[] = [
    /^(ec2|elasticfilesystem|s3files|s3tables|kinesis|lakeformation):/,
    /^(iam|kms):/,
    /^dynamodb:(AssociateTableReplica|BatchWriteItem|CreateTableReplica|DeleteItem|GetItem|PutItem|Query|Scan|UpdateItem)$/,
    /^dynamodb:(DeleteResourcePolicy|PutResourcePolicy|(Describe)?Import(Table)?|UpdateContributorInsights)$/,
    /^dynamodb:(Disable|Enable|Update)KinesisStreamingDestination$/,
    /^glue:\w*Connection$/,
    /^lambda:(GetCodeSigningConfig|GetLayerVersion|PassCapacityProvider|Put(FunctionScaling|FunctionCodeSigning)Config)$/,
    /^lambda:(DeleteFunctionCodeSigning|DeleteProvisionedConcurrency|PutProvisionedConcurrency)Config$/,
    /^logs:(PutLogEvents|AssociateKmsKey|CreateLogDelivery|DisassociateKmsKey|PutResourcePolicy|\w+DataProtectionPolicy)$/,
    // Of log groups that deliver elsewhere, of tables that are imported, of state machines that are read from a bucket.
    /^(firehose:TagDeliveryStream|s3:REST.PUT.OBJECT|s3:GetObjectMetadata|codedeploy:RegisterOnPremisesInstance)$/,
    // Athena reads and writes objects as who asks it, and a bucket that a stack deletes is empty.
    /^s3:(AbortMultipartUpload|DeleteObject|GetObjectVersion|ListBucketMultipartUploads|ListMultipartUploadParts)$/,
    /^s3:(PutObject|PutObjectAcl|PutObjectLockConfiguration)$/,
    /^s3:(Create|Delete)Bucket\w+|^s3:DeleteBucket\w+/,
  ];

  /** A resource of each service's, by a prefix of the action; the first that matches counts. */
  const RESOURCES: readonly (readonly [action: RegExp, resource: (region: string) => string])[] = [
    [/^(cloudwatch:DescribeAlarms|logs:DescribeLogGroups|logs:DescribeResourcePolicies)$/, () => '*'],
    [/^dynamodb:/, (it) => `arn:aws:dynamodb:${it}:${ACCOUNT}:table/shop.orders`],
    [/^s3:/i, () => 'arn:aws:s3:::tributary-orders-prod-databucket-a1'],
    [/^sagemaker:/, (it) => `arn:aws:sagemaker:${it}:${ACCOUNT}:feature-group/orders`],
    [/^glue:/, (it) => `arn:aws:glue:${it}:${ACCOUNT}:table/tributary_orders_prod/change_log`],
    [/^athena:/, (it) => `arn:aws:athena:${it}:${ACCOUNT}:workgroup/tributary-orders-prod`],
    [/^firehose:/, (it) => `arn:aws:firehose:${it}:${ACCOUNT}:deliverystream/tributary-orders-ChangeLogStream-a1`],
    [/^lambda:/, (it) => `arn:aws:lambda:${it}:${ACCOUNT}:function:tributary-orders-prod-ingest`],
    [/^logs:/, (it) => `arn:aws:logs:${it}:${ACCOUNT}:log-group:/aws/lambda/tributary-orders-prod-ingest`],
    [/^states:/, (it) => `arn:aws:states:${it}:${ACCOUNT}:stateMachine:tributary-orders-prod-retraining`],
    [/^codedeploy:/, (it) => `arn:aws:codedeploy:${it}:${ACCOUNT}:application:tributary-orders-prod`],
    [/^events:/, (it) => `arn:aws:events:${it}:${ACCOUNT}:rule/tributary-orders-prod-RetrainEventsRule-a1`],
    [/^cloudwatch:.*Dashboard/, () => `arn:aws:cloudwatch::${ACCOUNT}:dashboard/tributary-orders-prod`],
    [/^cloudwatch:/, (it) => `arn:aws:cloudwatch:${it}:${ACCOUNT}:alarm:tributary-orders-prod-x`],
  ];

  it('knows what CloudFormation asks of its caller for every type of the stack', async () => {
    const stack = await stackOf({ featureGroup: 'bank-marketing' });
    const byOsls = ['Function', 'Version', 'Alias', 'Url', 'Permission', 'EventSourceMapping'].map(
      (it) => `AWS::Lambda::${it}`,
    );
    const found = new Set([...stack.resources.map(({ type }) => type), ...byOsls, 'AWS::Events::Rule']);
    expect([...found].filter((it) => !(it in HANDLERS))).toEqual([]);
  });

  it.each(stages)('may do it in the region of the $name', ({ stackRole, region }) => {
    const statements = statementsOfRole(stackRole);
    const context = {
      'lambda:FunctionArn': `arn:aws:lambda:${region}:${ACCOUNT}:function:tributary-orders-prod-ingest`,
    };
    const refused = Object.entries(HANDLERS).flatMap(([type, actions]) =>
      actions
        .filter((action) => !UNUSED.some((it) => it.test(action)))
        .filter((action) => {
          const resource = RESOURCES.find(([pattern]) => pattern.test(action))?.[1](region) ?? '';
          return !may(statements, region, action, resource, context);
        })
        .map((action) => `${type} ${action}`),
    );
    expect(refused).toEqual([]);
  });

  it.each(stages)(
    'may do in IAM what the handler of a role asks for, in the $name, but to take its boundary off',
    (stage) => {
      const context = {
        'iam:PermissionsBoundary': arnOf(stage.boundary),
        'iam:PassedToService': 'lambda.amazonaws.com',
      };
      const refused = (HANDLERS['AWS::IAM::Role'] ?? []).filter(
        (action) => !may(statementsOfRole(stage.stackRole), stage.region, action, stage.ownRole, context),
      );
      expect(refused).toEqual(['iam:AttachRolePolicy', 'iam:DeleteRolePermissionsBoundary', 'iam:DetachRolePolicy']);
    },
  );

  it.each(stages)(
    'may make the table of the offline store, which a feature group’s handler asks for, in the $name',
    (stage) => {
      const glue = (resource: string) => `arn:aws:glue:${stage.region}:${ACCOUNT}:${resource}`;
      for (const action of ['CreateDatabase', 'GetDatabase', 'CreateTable', 'GetTable', 'UpdateTable']) {
        for (const it of ['catalog', 'database/sagemaker_featurestore', 'table/sagemaker_featurestore/orders']) {
          expect(may(statementsOfRole(stage.stackRole), stage.region, `glue:${action}`, glue(it)), it).toBe(true);
        }
      }
    },
  );
});
