import { mapStatements } from '../cloudformation/iam.ts';
import type { Resources } from '../cloudformation/intrinsics.ts';
import { ref } from '../cloudformation/intrinsics.ts';

/**
 * Limits every permission to the deployment's region: a leaked credential is of no use anywhere else. IAM itself is
 * left out: it is served from one region, whatever the caller's.
 */
export function inThisRegionOnly(resources: Resources): Resources {
  return mapStatements(resources, (statement) =>
    statement.Action.every((action) => action.startsWith('iam:'))
      ? statement
      : {
          ...statement,
          Condition: {
            ...statement.Condition,
            StringEquals: { ...statement.Condition?.StringEquals, 'aws:RequestedRegion': ref('AWS::Region') },
          },
        },
  );
}
