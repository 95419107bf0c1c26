import { describe, expect, it } from 'vitest';
import { type Statement, statementsOf } from '../../../infra/local/iam/policy.ts';
import { matchesWildcard } from '../../../infra/local/iam/wildcard.ts';
import { ACCOUNT } from '../../../infra/local/protocol/arn.ts';
import {
  arnOf,
  LIVE_TEST_REGION,
  may,
  PRODUCTION_REGION,
  resources,
  roleNames,
  stages,
  statementsOfPolicy,
  statementsOfRole,
} from '../../given/aws/pipeline-roles.ts';
import { stackOf } from '../../given/local/stacks.ts';

/** What the delivery pipeline's roles may do, evaluated as IAM does: a stand-in for AWS, where nothing here has run. */

/** A managed policy's most characters, and all inline policies' of a role. Source: IAM quotas, white space not counted. */
const MANAGED_POLICY_CHARACTERS_MAX = 6_144;
const INLINE_POLICIES_CHARACTERS_MAX = 10_240;

const KMS_KEY = `arn:aws:kms:${PRODUCTION_REGION}:${ACCOUNT}:key/1`;
const ARTIFACTS = arnOf('ArtifactBucket');

const [liveTest, production] = stages as [(typeof stages)[0], (typeof stages)[0]];

/** An action that a pattern allows, and a resource that one names. */
const example = (pattern: string): string => pattern.replaceAll('*', 'x').replaceAll('?', 'y');

/** Every action that any statement of the template names, and those by which accounts are taken over. */
const ACTIONS = [
  ...new Set(
    [...roleNames.flatMap(statementsOfRole), ...stages.flatMap(({ boundary }) => statementsOfPolicy(boundary))].flatMap(
      ({ Action }) => Action.map(example),
    ),
  ),
];

describe('no policy of the pipeline', () => {
  const all = [...roleNames.map((it) => [it, statementsOfRole(it)] as const)];

  it('has a pattern of actions that means iam:PassRole beside others: it is named alone, for named services', () => {
    const passing = all.flatMap(([role, statements]) =>
      statements
        .filter((it) => it.Effect === 'Allow' && it.Action.some((action) => matchesWildcard(action, 'iam:PassRole')))
        .map((it) => ({ role, action: it.Action, services: it.Condition.StringEquals?.['iam:PassedToService'] })),
    );
    expect(passing.map(({ role }) => role).sort()).toEqual(
      stages.flatMap(({ codeBuild, stackRole }) => [codeBuild, stackRole]).sort(),
    );
    for (const { action, services } of passing) {
      expect(action).toEqual(['iam:PassRole']);
      expect(services).not.toBeUndefined();
    }
  });

  it('is longer than IAM takes', () => {
    for (const [id, { Type, Properties }] of Object.entries(resources)) {
      if (Type === 'AWS::IAM::ManagedPolicy') {
        const { length } = JSON.stringify(Properties.PolicyDocument);
        expect(length, id).toBeLessThanOrEqual(MANAGED_POLICY_CHARACTERS_MAX);
      }
      if (Type !== 'AWS::IAM::Role') continue;
      const length = Properties.Policies.reduce((sum, it) => sum + JSON.stringify(it.PolicyDocument).length, 0);
      expect(length, id).toBeLessThanOrEqual(INLINE_POLICIES_CHARACTERS_MAX);
    }
  });

  it('lets a role be assumed by more than one service, and CodeBuild assumes one for this account only', () => {
    const trusted = Object.fromEntries(
      roleNames.map((name) => {
        const statements = resources[name]?.Properties.AssumeRolePolicyDocument.Statement ?? [];
        return [name, statements.map(({ Principal, Condition }) => [Principal.Service, Condition !== undefined])];
      }),
    );
    expect(trusted).toEqual({
      PipelineRole: [['codepipeline.amazonaws.com', false]],
      CleanUpStarterRole: [['events.amazonaws.com', false]],
      BuildRole: [['codebuild.amazonaws.com', true]],
      LiveTestRole: [['codebuild.amazonaws.com', true]],
      ProductionRole: [['codebuild.amazonaws.com', true]],
      LiveTestStackRole: [['cloudformation.amazonaws.com', false]],
      ProductionStackRole: [['cloudformation.amazonaws.com', false]],
    });
  });
});

describe('a build', () => {
  it('reads the source and writes its bill of materials, and can do nothing else: not write over the source', () => {
    const statements = statementsOfRole('BuildRole');
    expect(may(statements, PRODUCTION_REGION, 's3:GetObject', `${ARTIFACTS}/tributary-pi/Source/a1`)).toBe(true);
    expect(may(statements, PRODUCTION_REGION, 's3:PutObject', `${ARTIFACTS}/tributary-pi/Sbom/a1`)).toBe(true);
    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
      ...['logs:CreateLogStream', 'logs:PutLogEvents', 's3:GetBucketAcl', 's3:GetBucketLocation', 's3:GetObject'],
      ...['s3:GetObjectVersion', 's3:PutObject'],
    ]);
  });

  it('is all but the pipeline that may write what is deployed', () => {
    const policy = resources.ArtifactBucketPolicy?.Properties.PolicyDocument as {
      Statement: Record<string, unknown>[];
    };
    expect(policy.Statement.find(({ Sid }) => Sid === 'WrittenByThePipelineOnly')).toEqual({
      ...{ Sid: 'WrittenByThePipelineOnly', Effect: 'Deny', Principal: '*', Resource: `${ARTIFACTS}/*` },
      Action: ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:PutObject', 's3:PutObjectAcl'],
      Condition: { ArnNotLike: { 'aws:PrincipalArn': [arnOf('PipelineRole'), arnOf('BuildRole')] } },
    });
  });

  it.each([...stages.flatMap(({ codeBuild, stackRole }) => [codeBuild, stackRole]), 'BuildRole'])(
    'cannot write over the source: %s',
    (role) => {
      for (const region of [LIVE_TEST_REGION, PRODUCTION_REGION]) {
        expect(may(statementsOfRole(role), region, 's3:PutObject', `${ARTIFACTS}/tributary-pi/Source/a1`)).toBe(false);
      }
    },
  );
});

describe.each(stages)('the $name', (stage) => {
  const { region, other, codeBuild, stackRole, boundary } = stage;
  const ofCodeBuild = statementsOfRole(codeBuild);
  const ofStack = statementsOfRole(stackRole);
  const ofBoundary = statementsOfPolicy(boundary);

  it('is deployed by driving CloudFormation and reaching the deployment bucket', () => {
    const stack = `arn:aws:cloudformation:${region}:${ACCOUNT}:stack/tributary-orders-prod/1`;
    const bucket = 'arn:aws:s3:::tributary-orders-prod-serverlessdeploymentbucke-a1b2';
    const calls: [action: string, resource: string][] = [
      ...[
        ...['CreateChangeSet', 'CreateStack', 'DeleteChangeSet', 'DescribeChangeSet', 'DescribeStackEvents'],
        ...['DescribeStackResource', 'DescribeStackResources', 'DescribeStacks', 'ExecuteChangeSet', 'GetTemplate'],
        ...['ListStackResources', 'UpdateStack'],
      ].map((it): [string, string] => [`cloudformation:${it}`, stack]),
      ['cloudformation:ValidateTemplate', '*'],
      ['s3:ListBucket', bucket],
      ['s3:GetBucketLocation', bucket],
      ...['GetObject', 'PutObject', 'DeleteObject'].map((it): [string, string] => [
        `s3:${it}`,
        `${bucket}/serverless/x`,
      ]),
      ['lambda:GetFunction', `arn:aws:lambda:${region}:${ACCOUNT}:function:tributary-orders-prod-ingest`],
    ];
    expect(calls.filter(([action, resource]) => !may(ofCodeBuild, region, action, resource))).toEqual([]);
    const passed = (role: string, service: string) =>
      may(ofCodeBuild, region, 'iam:PassRole', arnOf(role), { 'iam:PassedToService': `${service}.amazonaws.com` });
    expect(passed(stackRole, 'cloudformation')).toBe(true);
    expect(passed(stackRole, 'lambda')).toBe(false);
    for (const role of roleNames) expect(passed(role, 'cloudformation'), role).toBe(role === stackRole);
  });

  it('cannot touch the pipeline itself', () => {
    const own = `arn:aws:cloudformation:${PRODUCTION_REGION}:${ACCOUNT}:stack/tributary-pipeline-orders/1`;
    const things = [own, ...Object.keys(resources).map(arnOf), ...stages.map((it) => arnOf(it.boundary))];
    for (const all of [ofCodeBuild, ofStack, ofBoundary]) {
      // Not those of the calls that know no resource.
      const statements = all.filter(({ Effect, Resource }) => Effect === 'Deny' || !Resource.includes('*'));
      for (const resource of things.filter((it) => /^arn:aws:(iam|cloudformation|codebuild)/.test(it))) {
        const allowed = ACTIONS.filter((action) => may(statements, PRODUCTION_REGION, action, resource));
        expect(allowed, resource).toEqual([]);
      }
    }
  });

  it('has no right in the other’s region, save that builds read the source and write their log', () => {
    const artifacts = [ARTIFACTS, arnOf('BuildLogs')];
    const foreign = [...ofCodeBuild, ...ofStack, ...ofBoundary]
      .flatMap(({ Resource }) => Resource)
      .filter((it) => !artifacts.some((own) => it.startsWith(own)) && !it.startsWith('arn:aws:iam:'));
    const reach = [...new Set(foreign)].map(example);
    for (const [who, statements] of Object.entries({
      codeBuild: ofCodeBuild,
      stackRole: ofStack,
      boundary: ofBoundary,
    })) {
      const allowed = ACTIONS.filter((it) => !it.startsWith('iam:')).flatMap((action) =>
        reach
          .filter((it) => may(statements, other, action, it) && !it.includes(':kms:'))
          .map((it) => `${action} ${it}`),
      );
      expect(allowed, who).toEqual([]);
    }
  });

  it('has no right on the other’s roles', () => {
    const services = ['lambda', 'sagemaker', 'states', 'firehose', 'codedeploy', 'cloudformation'];
    const iam = ACTIONS.filter((it) => it.startsWith('iam:'));
    for (const statements of [ofCodeBuild, ofStack, ofBoundary]) {
      for (const service of services) {
        const context = {
          'iam:PassedToService': `${service}.amazonaws.com`,
          'iam:PermissionsBoundary': arnOf(boundary),
        };
        expect(iam.filter((action) => may(statements, region, action, stage.foreignRole, context))).toEqual([]);
      }
    }
  });

  it('makes roles with its boundary only, and can neither take it off nor widen it', () => {
    const on = (action: string, attached: string | undefined, resource = stage.ownRole) =>
      may(ofStack, region, action, resource, attached === undefined ? {} : { 'iam:PermissionsBoundary': attached });
    const writing = ['iam:CreateRole', 'iam:PutRolePolicy', 'iam:DeleteRolePolicy', 'iam:PutRolePermissionsBoundary'];
    for (const action of writing) {
      expect(on(action, arnOf(boundary)), action).toBe(true);
      expect(on(action, undefined), action).toBe(false);
      expect(on(action, 'arn:aws:iam::aws:policy/AdministratorAccess'), action).toBe(false);
      for (const it of stages.filter((one) => one.boundary !== boundary))
        expect(on(action, arnOf(it.boundary))).toBe(false);
    }
    const never = [
      ...[
        'AddUserToGroup',
        'AttachRolePolicy',
        'AttachUserPolicy',
        'CreateAccessKey',
        'CreateLoginProfile',
        'CreatePolicy',
      ],
      ...[
        'CreatePolicyVersion',
        'CreateUser',
        'DeleteRolePermissionsBoundary',
        'PutUserPolicy',
        'SetDefaultPolicyVersion',
      ],
    ].map((it) => `iam:${it}`);
    const targets = [stage.ownRole, stage.foreignRole, arnOf(boundary), `arn:aws:iam::${ACCOUNT}:user/x`, '*'];
    for (const statements of [ofCodeBuild, ofStack, ofBoundary]) {
      for (const resource of targets) {
        const context = { 'iam:PermissionsBoundary': arnOf(boundary) };
        expect([...never, 'sts:AssumeRole'].filter((it) => may(statements, region, it, resource, context))).toEqual([]);
      }
    }
  });

  it('passes its stack’s roles to the services that they trust, and nothing else to anybody', async () => {
    const stack = await stackOf({ featureGroup: 'bank-marketing' });
    const trusted = new Set(
      stack.resources
        .filter(({ type }) => type === 'AWS::IAM::Role')
        .map(
          ({ properties }) =>
            properties.AssumeRolePolicyDocument as { Statement: { Principal: { Service: string } }[] },
        )
        .flatMap(({ Statement }) => Statement.map(({ Principal }) => Principal.Service)),
    );
    const services = [...trusted, 'ec2.amazonaws.com', 'cloudformation.amazonaws.com', 'codebuild.amazonaws.com'];
    const passed = (role: string) =>
      services.filter((it) => may(ofStack, region, 'iam:PassRole', role, { 'iam:PassedToService': it }));
    expect(passed(stage.ownRole)).toEqual([...trusted]);
    for (const role of [...roleNames.map(arnOf), `arn:aws:iam::${ACCOUNT}:role/Admin`])
      expect(passed(role)).toEqual([]);
  });
});

describe('production', () => {
  it('deletes no table, bucket or stack by the build’s own hand', () => {
    const statements = statementsOfRole('ProductionRole');
    const taken = [
      'dynamodb:DeleteTable',
      's3:DeleteBucket',
      'cloudformation:DeleteStack',
      'sagemaker:DeleteFeatureGroup',
    ];
    expect(statements.flatMap(({ Action }) => Action).filter((it) => taken.includes(it))).toEqual([]);
  });

  it('may use the key as Feature Store demands of who makes a group with one', () => {
    const needed = [
      ...['Encrypt', 'Decrypt', 'DescribeKey', 'CreateGrant', 'RetireGrant', 'ReEncryptFrom', 'ReEncryptTo'],
      ...['GenerateDataKey', 'ListAliases', 'ListGrants', 'RevokeGrant'],
    ];
    const statements = statementsOfRole('ProductionStackRole');
    expect(needed.filter((it) => !may(statements, PRODUCTION_REGION, `kms:${it}`, KMS_KEY))).toEqual([]);
  });
});

describe('a boundary', () => {
  /** A statement's actions on examples of its resources, in a context that meets its conditions. */
  const callsOf = ({ Action, Resource, Condition }: Statement) =>
    Action.flatMap((action) =>
      Resource.map((resource) => ({
        action,
        resource: example(resource),
        context: Object.fromEntries(
          Object.entries({ ...Condition.StringEquals, ...Condition.Bool }).map(([key, [value = '']]) => [key, value]),
        ),
      })),
    );

  it('allows all that the stack’s own roles allow, and names no action that none of them has', async () => {
    const stack = await stackOf({
      featureGroup: 'bank-marketing',
      params: { kmsKeyArn: KMS_KEY, predictionLog: 'true' },
    });

    const roles = stack.resources.filter(({ type }) => type === 'AWS::IAM::Role');
    const statements = roles.flatMap(({ logicalId, properties }) =>
      (properties.Policies as { PolicyDocument: object }[]).flatMap((it) => statementsOf(it.PolicyDocument, logicalId)),
    );
    const boundary = statementsOfPolicy('ProductionBoundary');
    const refused = statements
      .flatMap(callsOf)
      .filter(({ action, resource, context }) => !may(boundary, PRODUCTION_REGION, action, resource, context));
    expect(refused).toEqual([]);
    const used = new Set(statements.flatMap(({ Action }) => Action));
    expect(boundary.flatMap(({ Action }) => Action).filter((it) => !used.has(it))).toEqual([]);
  });

  it('is the same for the live test, save for region, path and the key that it has none of', () => {
    const text = (name: string) =>
      JSON.stringify(statementsOfPolicy(name).filter(({ Resource }) => !Resource.includes(KMS_KEY)));
    expect(text('LiveTestBoundary').replaceAll(LIVE_TEST_REGION, PRODUCTION_REGION)).toBe(
      text('ProductionBoundary').replaceAll('role/tributary-*', 'role/tributary/live-test/*'),
    );
  });
});

describe('the live test', () => {
  const statements = statementsOfRole(liveTest.codeBuild);

  it('may do what live-test.ts, probe.ts and remove call', () => {
    const on = (service: string, resource: string) => `arn:aws:${service}:${LIVE_TEST_REGION}:${ACCOUNT}:${resource}`;
    const bucket = 'arn:aws:s3:::tributary-orders-live-test-databucket-a1';
    const CALLS: Readonly<Record<string, readonly string[]>> = {
      [on('dynamodb', 'table/orders')]: ['PutItem', 'UpdateItem', 'DeleteItem', 'Scan', 'DescribeTable', 'DeleteTable'],
      [on('dynamodb', 'table/tributary-orders-live-test-StateTable-a1')]: [
        ...['GetItem', 'BatchGetItem', 'PartiQLInsert', 'PartiQLUpdate', 'DeleteItem', 'DescribeTable', 'DeleteTable'],
      ],
      [on('dynamodb', 'table/tributary-orders-live-test-StateTable-a1/index/labels-by-epoch')]: ['Query'],
      [on('sagemaker', 'feature-group/orders')]: ['ListRecords', 'BatchGetRecord'],
      [on('sagemaker', 'feature-group/tributary-probe-a1')]: [
        ...[
          'CreateFeatureGroup',
          'DescribeFeatureGroup',
          'DeleteFeatureGroup',
          'PutRecord',
          'GetRecord',
          'DeleteRecord',
        ],
        ...['BatchWriteRecord', 'ListRecords'],
      ],
      [on('athena', 'workgroup/tributary-orders-live-test')]: [
        ...['StartQueryExecution', 'GetQueryExecution', 'GetQueryResults'],
      ],
      [on('glue', 'table/tributary_orders_live_test/change_log')]: ['GetTable'],
      [`${bucket}/athena-results/x`]: ['GetObject', 'PutObject', 'DeleteObject', 'DeleteObjectVersion'],
      [bucket]: ['ListBucket', 'ListBucketVersions', 'DeleteBucket', 'GetBucketLocation'],
      [on('lambda', 'function:tributary-orders-live-test-predict:live')]: ['InvokeFunction'],
      [on('lambda', 'function:tributary-orders-live-test-retrain')]: ['GetFunctionConfiguration'],
      [on('sagemaker', 'endpoint/tributary-orders-live-test-a1')]: ['DeleteEndpoint', 'DescribeEndpoint'],
      [on('sagemaker', 'endpoint-config/tributary-orders-live-test-a1')]: ['DeleteEndpointConfig'],
      [on('sagemaker', 'model/tributary-orders-live-test-a1')]: ['DeleteModel'],
      [on('sagemaker', 'training-job/tributary-orders-live-test-a1')]: ['StopTrainingJob'],
      [on('sagemaker', 'transform-job/tributary-orders-live-test-a1')]: ['StopTransformJob'],
      [on('states', 'stateMachine:tributary-orders-live-test-retraining')]: ['ListExecutions'],
      [on('states', 'execution:tributary-orders-live-test-retraining:a1')]: ['StopExecution'],
      [on('cloudwatch', 'alarm:tributary-orders-live-test-e1')]: ['DeleteAlarms'],
      [on('cloudformation', 'stack/tributary-orders-live-test/1')]: ['DeleteStack', 'ListStackResources'],
    };
    const named = Object.entries(CALLS).flatMap(([resource, operations]) =>
      operations.map((it) => [`${resource.split(':')[2]}:${it}`, resource] as const),
    );
    const nameless = [
      ...['cloudwatch:DescribeAlarms', 'lambda:ListEventSourceMappings', 'cloudformation:ListStacks'],
      ...['ListEndpoints', 'ListEndpointConfigs', 'ListModels', 'ListTrainingJobs', 'ListTransformJobs'].map(
        (it) => `sagemaker:${it}`,
      ),
    ].map((it) => [it, '*'] as const);
    const calls = [...named, ...nameless];
    const refused = calls.filter(([action, resource]) => !may(statements, LIVE_TEST_REGION, action, resource));
    expect(refused).toEqual([]);
  });

  it('is let go on to production by a person only: production’s role is another', () => {
    expect(production.codeBuild).not.toBe(liveTest.codeBuild);
  });
});
