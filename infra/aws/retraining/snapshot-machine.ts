import { readFileSync } from 'node:fs';
import { LATEST_VIEW } from '../../../shared/change-log/sql.ts';
import { SNAPSHOTS_PREFIX } from '../../../shared/training/snapshot.ts';
import { allow, role } from '../cloudformation/iam.ts';
import { arn, getAtt, type Intrinsic, type Resources } from '../cloudformation/intrinsics.ts';
import type { Names } from '../cloudformation/names.ts';
import { ATHENA_RESULTS_PREFIX } from '../data/buckets.ts';
import { queryStatements } from './state-machine.ts';

/** The state machine in the Amazon States Language, with `${RetrainFunctionArn}` to be filled in at deployment. */
export const snapshotDefinition: object = JSON.parse(
  readFileSync(new URL('./snapshot.asl.json', import.meta.url), 'utf8'),
);

/** ARN of the state machine, by its name: a reference would close a circle, as it calls the function that starts it. */
export const snapshotMachineArn = (names: Names): Intrinsic => arn('states', `stateMachine:${names.snapshotMachine}`);

/** The state machine of snapshots and its role. */
export function snapshotMachine(names: Names): Resources {
  return {
    SnapshotStateMachine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: names.snapshotMachine,
        StateMachineType: 'STANDARD',
        RoleArn: getAtt('SnapshotStateMachineRole', 'Arn'),
        DefinitionString: JSON.stringify(snapshotDefinition),
        DefinitionSubstitutions: { RetrainFunctionArn: getAtt('RetrainLambdaFunction', 'Arn') },
      },
    },
    SnapshotStateMachineRole: role('states.amazonaws.com', [
      ...queryStatements(names, [SNAPSHOTS_PREFIX, ATHENA_RESULTS_PREFIX]),
      allow(
        ['glue:UpdateTable'],
        [
          arn('glue', 'catalog'),
          arn('glue', `database/${names.glueDatabase}`),
          arn('glue', `table/${names.glueDatabase}/${LATEST_VIEW}`),
        ],
      ),
      allow(['lambda:InvokeFunction'], [getAtt('RetrainLambdaFunction', 'Arn')]),
    ]),
  };
}
