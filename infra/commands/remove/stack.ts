import {
  type CloudFormationClient,
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  paginateListStackResources,
  paginateListStacks,
  type Stack,
  type StackResourceSummary,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';

/** Longest time that a stack takes to go, and time between two looks, in seconds. A feature group takes minutes. */
const DELETION_SECONDS_MAX = 3_600;
const LOOK_SECONDS = 5;

/** Logical id of the bucket that osls uploads to. It goes with the stack, once it is empty. */
export const DEPLOYMENT_BUCKET = 'ServerlessDeploymentBucket';

/** A stack in CloudFormation: one that is there, or one that was. */
export interface FoundStack {
  readonly id: string;
  readonly status: string;
  readonly isThere: boolean;
  /** Its resources, those included that were deleted with it. */
  readonly resources: readonly StackResourceSummary[];
}

/**
 * The stack of a name: the one that is there, or else the last one that was. CloudFormation remembers a deleted stack
 * and its resources for 90 days (source: ListStackResources).
 *
 * @throws Error with the way out when it is another feature group's, or is being deployed.
 */
export async function findStack(
  cloudFormation: CloudFormationClient,
  name: string,
  featureGroup: string,
): Promise<FoundStack | undefined> {
  const stack =
    (await describeStack(cloudFormation, name)) ??
    (await describeStack(cloudFormation, await lastDeleted(cloudFormation, name)));
  if (stack?.StackId === undefined || stack.StackStatus === undefined) return undefined;
  const owner = stack.Outputs?.find(({ OutputKey }) => OutputKey === 'FeatureGroupName')?.OutputValue;
  if (owner !== undefined && owner !== featureGroup) {
    throw new Error(
      `The stack ${name} is of feature group ${owner}, not of ${featureGroup}: their names differ in hyphens or stage only. Nothing was removed.`,
    );
  }
  const status = stack.StackStatus;
  if (status.endsWith('_IN_PROGRESS') && !/^(DELETE|REVIEW)_/.test(status)) {
    throw new Error(`The stack ${name} is ${status}: wait until its deployment is over, and run this again.`);
  }
  const resources: StackResourceSummary[] = [];
  for await (const page of paginateListStackResources({ client: cloudFormation }, { StackName: stack.StackId })) {
    resources.push(...(page.StackResourceSummaries ?? []));
  }
  return { id: stack.StackId, status, isThere: status !== 'DELETE_COMPLETE', resources };
}

async function describeStack(client: CloudFormationClient, nameOrId: string | undefined): Promise<Stack | undefined> {
  if (nameOrId === undefined) return undefined;
  try {
    return (await client.send(new DescribeStacksCommand({ StackName: nameOrId }))).Stacks?.[0];
  } catch (error) {
    // CloudFormation has no "not found" of its own.
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message))
      return undefined;
    throw error;
  }
}

/** Id of the stack of this name that was deleted last. */
async function lastDeleted(client: CloudFormationClient, name: string): Promise<string | undefined> {
  let last: { id: string | undefined; at: number } = { id: undefined, at: Number.NEGATIVE_INFINITY };
  for await (const page of paginateListStacks({ client }, { StackStatusFilter: ['DELETE_COMPLETE'] })) {
    for (const { StackName, StackId, DeletionTime } of page.StackSummaries ?? []) {
      const at = DeletionTime?.getTime() ?? 0;
      if (StackName === name && at > last.at) last = { id: StackId, at };
    }
  }
  return last.id;
}

/** Physical ids of a stack's resources of one type, in so far as they were not deleted with it. */
export function physicalIds(stack: FoundStack | undefined, type: string): string[] {
  return (stack?.resources ?? [])
    .filter(({ ResourceType, ResourceStatus }) => ResourceType === type && ResourceStatus !== 'DELETE_COMPLETE')
    .filter(({ LogicalResourceId }) => LogicalResourceId !== DEPLOYMENT_BUCKET)
    .flatMap(({ PhysicalResourceId }) => PhysicalResourceId || []);
}

/**
 * Deletes a stack whose deployment bucket is empty, and waits until it has gone. Idempotent: a stack that is being
 * deleted, or could not be, is deleted again.
 *
 * @throws Error with the reason of the first resource that did not go.
 */
export async function deleteStack(client: CloudFormationClient, { id }: FoundStack): Promise<void> {
  await client.send(new DeleteStackCommand({ StackName: id }));
  const wait = { client, maxWaitTime: DELETION_SECONDS_MAX, minDelay: LOOK_SECONDS, maxDelay: LOOK_SECONDS };
  await waitUntilStackDeleteComplete(wait, { StackName: id }).catch(async (cause: Error) => {
    throw new Error(`The stack was not deleted: ${await whyNot(client, id)}. Mend that, and run this again.`, {
      cause,
    });
  });
}

/** The newest reason why a resource was not deleted; events come newest first. */
async function whyNot(client: CloudFormationClient, id: string): Promise<string> {
  for await (const page of paginateDescribeStackEvents({ client }, { StackName: id })) {
    const failed = page.StackEvents?.find(({ ResourceStatus, ResourceType }) => {
      return ResourceStatus === 'DELETE_FAILED' && ResourceType !== 'AWS::CloudFormation::Stack';
    });
    if (failed) return `${failed.LogicalResourceId}: ${failed.ResourceStatusReason?.replace(/\.$/, '')}`;
  }
  return 'it takes longer than an hour';
}
