import type { Intrinsic, Resource, Text } from './cloudformation.ts';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly Text[] | '*';
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Text | readonly string[]>>>>;
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

/** A role that one AWS service assumes, with what it may do in one inline policy. */
export function role(
  service: string,
  statements: readonly Statement[],
  trust?: Readonly<Record<string, Readonly<Record<string, Intrinsic>>>>,
): Resource {
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
            ...(trust && { Condition: trust }),
          },
        ],
      },
      Policies: [{ PolicyName: 'Least', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}
