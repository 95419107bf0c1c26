import type { Resource, Resources } from '../cloudformation/intrinsics.ts';

/** How whoever deploys holds the stack's roles: what they may be at most, and where they are among the account's. */
export interface Confinement {
  /** ARN of a managed policy: what every role may do at most. `''` for none. */
  readonly permissionsBoundaryArn: string;
  /** IAM path, such as `/tributary/live-test/`: a role's name may be cut, so its ARN is told by the path. `''` for none. */
  readonly rolePath: string;
}

/** Gives every role the boundary and the path. A new path replaces the roles, a new boundary does not. */
export function confined(resources: Resources, { permissionsBoundaryArn, rolePath }: Confinement): Resources {
  const given = {
    ...(permissionsBoundaryArn !== '' && { PermissionsBoundary: permissionsBoundaryArn }),
    ...(rolePath !== '' && { Path: rolePath }),
  };
  const withGiven = (resource: Resource) =>
    resource.Type === 'AWS::IAM::Role' ? { ...resource, Properties: { ...resource.Properties, ...given } } : resource;
  return Object.fromEntries(Object.entries(resources).map(([logicalId, it]) => [logicalId, withGiven(it)]));
}
