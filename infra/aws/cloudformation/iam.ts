import { type Resource, type Resources, ref, type Text } from './intrinsics.ts';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly Text[] | '*';
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Text | readonly Text[]>>>>;
}

/** Allows actions on named resources. `'*'` is for the actions that know no resource, and only for those. */
export function allow(
  actions: readonly string[],
  resources: readonly Text[] | '*',
  condition?: Statement['Condition'],
): Statement {
  return {
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(condition && { Condition: condition }),
  };
}

/**
 * Services whose guides show `aws:SourceAccount` in the trust policy of exactly this kind of role. Source: Firehose,
 * controlling access; CodeDeploy, create a service role; Step Functions, creating an IAM role. Lambda's guide shows none for
 * execution roles, and SageMaker's shows one for training jobs only: a role that cannot be assumed would stop everything,
 * and nobody outside the account may pass it in any case.
 */
const SAYS_FOR_WHOM: readonly string[] = ['codedeploy.amazonaws.com', 'firehose.amazonaws.com', 'states.amazonaws.com'];

/** A role that one AWS service assumes, for this account where it says for whom, with what it may do in one inline policy. */
export function role(service: string, statements: readonly Statement[]): Resource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: service },
            Action: 'sts:AssumeRole',
            ...(SAYS_FOR_WHOM.includes(service) && {
              Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
            }),
          },
        ],
      },
      Policies: [{ PolicyName: 'Least', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

/** The policy that {@link role} gives a role. */
interface RoleProperties {
  readonly AssumeRolePolicyDocument: { readonly Statement: readonly { readonly Principal: { Service: string } }[] };
  readonly Policies: readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[];
}

/** What a role may do, and the service that assumes it. Undefined for what is no role. */
export function roleOf(resource: Resource): { service: string; statements: readonly Statement[] } | undefined {
  if (resource.Type !== 'AWS::IAM::Role') return undefined;
  const { AssumeRolePolicyDocument: trust, Policies } = resource.Properties as unknown as RoleProperties;
  return {
    service: trust.Statement[0]?.Principal.Service ?? '',
    statements: Policies.flatMap((policy) => policy.PolicyDocument.Statement),
  };
}

/** The same resources with other statements in a role. */
export function withStatements(resource: Resource, statements: readonly Statement[]): Resource {
  const policy = { PolicyName: 'Least', PolicyDocument: { Version: '2012-10-17', Statement: statements } };
  return { ...resource, Properties: { ...resource.Properties, Policies: [policy] } };
}

/** Changes every statement of every role. */
export function mapStatements(resources: Resources, change: (statement: Statement) => Statement): Resources {
  return Object.fromEntries(
    Object.entries(resources).map(([logicalId, resource]) => {
      const statements = roleOf(resource)?.statements.map(change);
      return [logicalId, statements ? withStatements(resource, statements) : resource];
    }),
  );
}
