import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { decide, type Permission, type Statement, statementsOf } from '../../../infra/local/iam/policy.ts';
import { ACCOUNT } from '../../../infra/local/protocol/arn.ts';

/** The delivery pipeline's template, with what CloudFormation fills in filled in. */

export const TEMPLATE = 'infra/aws/pipeline.yml';
export const PRODUCTION_REGION = 'us-east-1';
export const LIVE_TEST_REGION = 'eu-west-1';
const PATH = 'tributary/pipeline';

/** Parameters and pseudo parameters. */
const GIVEN: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Partition': 'aws',
  'AWS::Region': PRODUCTION_REGION,
  'AWS::StackId': `arn:aws:cloudformation:${PRODUCTION_REGION}:${ACCOUNT}:stack/tributary-pipeline-orders/1`,
  ...{ FeatureGroup: 'orders', Repository: 'team/features', Branch: 'main', LiveTestRegion: LIVE_TEST_REGION },
  ConnectionArn: `arn:aws:codeconnections:${PRODUCTION_REGION}:${ACCOUNT}:connection/1`,
  ProductionParams: '--param=labelsThreshold=1000',
  KmsKeyArn: `arn:aws:kms:${PRODUCTION_REGION}:${ACCOUNT}:key/1`,
  ApprovalTopicArn: `arn:aws:sns:${PRODUCTION_REGION}:${ACCOUNT}:approvals`,
};

interface PolicyDocument {
  readonly PolicyDocument: object;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>> & {
    readonly AssumeRolePolicyDocument: {
      readonly Statement: readonly { readonly Principal: { readonly Service: string }; readonly Condition?: object }[];
    };
    readonly ManagedPolicyArns?: readonly string[];
    readonly Policies: readonly PolicyDocument[];
  };
}

const document = parseDocument(readFileSync(TEMPLATE, 'utf8'), { logLevel: 'silent' });
const types = new Map(
  Object.entries((document.toJS() as { Resources: Record<string, { Type: string }> }).Resources).map(
    ([id, { Type }]) => [id, Type],
  ),
);

/** The template's resources by logical id. */
export const resources = (evaluated(document.contents as Node) as { Resources: Readonly<Record<string, Resource>> })
  .Resources;

/** ARN of a resource; its name otherwise. */
export function arnOf(logicalId: string): string {
  const name = `tributary-pipeline-orders-${logicalId}-A1B2`;
  switch (types.get(logicalId)) {
    case 'AWS::IAM::Role':
      return `arn:aws:iam::${ACCOUNT}:role/${PATH}/${name}`;
    case 'AWS::IAM::ManagedPolicy':
      return `arn:aws:iam::${ACCOUNT}:policy/${PATH}/${name}`;
    case 'AWS::S3::Bucket':
      return `arn:aws:s3:::${name.toLowerCase()}`;
    case 'AWS::Logs::LogGroup':
      return `arn:aws:logs:${PRODUCTION_REGION}:${ACCOUNT}:log-group:${name}:*`;
    case 'AWS::CodeBuild::Project':
      return `arn:aws:codebuild:${PRODUCTION_REGION}:${ACCOUNT}:project/${name}`;
    default:
      return name;
  }
}

/** Names of the template's roles, or of its boundaries. */
export const roleNames = [...types].flatMap(([id, type]) => (type === 'AWS::IAM::Role' ? id : []));

/** A stage's region, and which of the template's roles and boundaries are its own. */
interface Stage {
  readonly region: string;
  readonly other: string;
  readonly codeBuild: string;
  readonly stackRole: string;
  readonly boundary: string;
  /** ARN of a role that the stage's stack makes, and of one that the other stage's does. */
  readonly ownRole: string;
  readonly foreignRole: string;
}

const LIVE_TEST_STACKS_ROLE = `arn:aws:iam::${ACCOUNT}:role/tributary/live-test/tributary-orders-l-IngestRole-A1`;
const PRODUCTION_STACKS_ROLE = `arn:aws:iam::${ACCOUNT}:role/tributary-orders-prod-IngestRole-A1`;

const STAGES: Readonly<Record<string, Stage>> = {
  'live test': {
    ...{ region: LIVE_TEST_REGION, other: PRODUCTION_REGION, codeBuild: 'LiveTestRole' },
    ...{ stackRole: 'LiveTestStackRole', boundary: 'LiveTestBoundary' },
    ...{ ownRole: LIVE_TEST_STACKS_ROLE, foreignRole: PRODUCTION_STACKS_ROLE },
  },
  production: {
    ...{ region: PRODUCTION_REGION, other: LIVE_TEST_REGION, codeBuild: 'ProductionRole' },
    ...{ stackRole: 'ProductionStackRole', boundary: 'ProductionBoundary' },
    ...{ ownRole: PRODUCTION_STACKS_ROLE, foreignRole: LIVE_TEST_STACKS_ROLE },
  },
};
/** The live test's and production's. */
export const stages = Object.entries(STAGES).map(([name, stage]) => ({ name, ...stage }));

/** What a role may do: its own policy, and the managed ones that it has. */
export function statementsOfRole(name: string): Statement[] {
  const { Policies, ManagedPolicyArns = [] } = resources[name]?.Properties ?? { Policies: [] };
  return [
    ...Policies.flatMap((it) => statementsOf(it.PolicyDocument, name)),
    ...ManagedPolicyArns.flatMap((arn) => statementsOfPolicy([...types.keys()].find((id) => arnOf(id) === arn) ?? '')),
  ];
}

/** What a managed policy says. */
export const statementsOfPolicy = (name: string): Statement[] =>
  statementsOf(resources[name]?.Properties.PolicyDocument, name);

/** Whether statements allow an action on a resource, called in a region. */
export function may(
  statements: readonly Statement[],
  region: string,
  action: string,
  resource: string,
  context: Permission['context'] = {},
): boolean {
  // IAM is served from one region, whatever the caller's.
  const requested = action.startsWith('iam:') ? 'us-east-1' : region;
  return (
    decide(statements, { action, resource, context: { 'aws:RequestedRegion': requested, ...context } }) === 'allowed'
  );
}

/** A node as CloudFormation sees it, its intrinsic functions evaluated. */
function evaluated(node: Node | null): unknown {
  const value = plain(node);
  switch (node?.tag) {
    case '!Ref':
      return GIVEN[String(value)] ?? refOf(String(value));
    case '!GetAtt':
      return arnOf(String(value).replace(/\.Arn$/, ''));
    case '!Sub':
      return String(value).replace(/\$\{([\w:.]+)\}/g, (_, name: string) =>
        name.endsWith('.Arn') ? arnOf(name.slice(0, -4)) : (GIVEN[name] ?? refOf(name)),
      );
    // Every parameter is given, so every condition holds.
    case '!If':
      return (value as unknown[])[1];
    default:
      return value;
  }
}

function plain(node: Node | null): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map((it) => evaluated(it as Node));
  if (isMap(node)) return Object.fromEntries(node.items.map((it) => [String(it.key), evaluated(it.value as Node)]));
  return undefined;
}

/** A managed policy's Ref is its ARN; any other's here is its name. */
function refOf(logicalId: string): string {
  return types.get(logicalId) === 'AWS::IAM::ManagedPolicy'
    ? arnOf(logicalId)
    : `tributary-pipeline-orders-${logicalId}-A1B2`;
}
