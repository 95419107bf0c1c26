import { arn } from '../protocol/arn.ts';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation, Service } from '../protocol/service.ts';
import type { Stack, StackResource } from './stack.ts';

/** What osls makes of a function beside it, as far as it exists here. */
const FUNCTION_TYPE = 'AWS::Lambda::Function';

interface StackInput {
  readonly StackName?: string;
  readonly LogicalResourceId?: string;
  readonly PhysicalResourceId?: string;
  readonly NextToken?: string;
}

/** CloudFormation, as far as it shows the one stack that runs here. A change is a restart with another serverless.yml. */
export function cloudFormation(stack: Stack, startedMs = Date.now()): Service {
  const id = arn('cloudformation', `stack/${stack.name}/local`);
  const time = new Date(startedMs).toISOString();
  const status = { StackStatus: 'CREATE_COMPLETE', CreationTime: time };
  const functions = stack.functions.map(({ name, logicalId }) => ({ logicalId, ref: name, type: FUNCTION_TYPE }));
  const resources = [...stack.resources, ...functions].map((it) => resourceOf(it, time));

  const checked = (operation: string, { StackName, ...rest }: StackInput, honoured: readonly string[] = []) => {
    refuseUnknown('cloudformation', operation, rest, [...honoured, 'NextToken']);
    if (StackName === undefined || StackName === stack.name || StackName === id) return;
    throw new AwsError('ValidationError', `Stack with id ${StackName} does not exist`);
  };
  const resource = (operation: string, input: StackInput) => {
    checked(operation, input, ['LogicalResourceId']);
    const found = resources.find((it) => it.LogicalResourceId === input.LogicalResourceId);
    if (found) return found;
    throw new AwsError('ValidationError', `Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
  };

  const operations: Record<string, Operation> = {
    DescribeStacks: (input: StackInput) => {
      checked('DescribeStacks', input);
      const Outputs = Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
      return { Stacks: [{ StackId: id, StackName: stack.name, ...status, Outputs, Tags: [], DisableRollback: false }] };
    },
    ListStacks: (input: { StackStatusFilter?: readonly string[] } & StackInput) => {
      checked('ListStacks', input, ['StackStatusFilter']);
      const isShown = input.StackStatusFilter?.includes(status.StackStatus) ?? true;
      return { StackSummaries: isShown ? [{ StackId: id, StackName: stack.name, ...status }] : [] };
    },
    ListStackResources: (input: StackInput) => {
      checked('ListStackResources', input);
      return {
        StackResourceSummaries: resources.map(({ Timestamp, ...it }) => ({ ...it, LastUpdatedTimestamp: Timestamp })),
      };
    },
    DescribeStackResources: (input: StackInput) => {
      checked('DescribeStackResources', input, ['LogicalResourceId', 'PhysicalResourceId']);
      const { LogicalResourceId, PhysicalResourceId } = input;
      const found = resources
        .filter((it) => (LogicalResourceId ?? it.LogicalResourceId) === it.LogicalResourceId)
        .filter((it) => (PhysicalResourceId ?? it.PhysicalResourceId) === it.PhysicalResourceId);
      return { StackResources: found.map((it) => ({ ...it, StackId: id, StackName: stack.name })) };
    },
    DescribeStackResource: (input: StackInput) => {
      const { Timestamp, ...found } = resource('DescribeStackResource', input);
      return { StackResourceDetail: { ...found, LastUpdatedTimestamp: Timestamp, StackId: id, StackName: stack.name } };
    },
  };
  return {
    name: 'cloudformation',
    query: { version: '2010-05-15', namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/' },
    operations,
  };
}

function resourceOf({ logicalId, ref, type }: Pick<StackResource, 'logicalId' | 'ref' | 'type'>, Timestamp: string) {
  return {
    ...{ LogicalResourceId: logicalId, PhysicalResourceId: ref, ResourceType: type },
    ...{ Timestamp, ResourceStatus: 'CREATE_COMPLETE' },
  };
}
