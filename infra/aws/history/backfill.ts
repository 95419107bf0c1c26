import { readFileSync } from 'node:fs';
import { BACKFILLS_PREFIX } from '../../../shared/history/prefixes.ts';
import { allow, role } from '../cloudformation/iam.ts';
import { arn, getAtt, join, type Resources } from '../cloudformation/intrinsics.ts';
import type { Names } from '../cloudformation/names.ts';

/** The state machine in the Amazon States Language, with `${HistoryFunctionArn}` to be filled in at deployment. */
export const backfillDefinition: object = JSON.parse(
  readFileSync(new URL('./backfill.asl.json', import.meta.url), 'utf8'),
);

/** The state machine of backfills and its role. */
export function backfillMachine(names: Names): Resources {
  return {
    BackfillStateMachine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: names.backfillMachine,
        StateMachineType: 'STANDARD',
        RoleArn: getAtt('BackfillStateMachineRole', 'Arn'),
        DefinitionString: JSON.stringify(backfillDefinition),
        DefinitionSubstitutions: { HistoryFunctionArn: getAtt('HistoryLambdaFunction', 'Arn') },
      },
    },
    BackfillStateMachineRole: role('states.amazonaws.com', [
      allow(['lambda:InvokeFunction'], [getAtt('HistoryLambdaFunction', 'Arn')]),
      // A list of files, which the state machine reads itself, and the executions that it starts of its own map, one for
      // each file. Source: Step Functions, "IAM policies for using Distributed Map states".
      allow(['s3:GetObject'], [join(getAtt('DataBucket', 'Arn'), `/${BACKFILLS_PREFIX}*`)]),
      allow(['states:StartExecution'], [arn('states', `stateMachine:${names.backfillMachine}`)]),
      allow(
        ['states:DescribeExecution', 'states:StopExecution'],
        [':*', '/*'].map((children) => arn('states', `execution:${names.backfillMachine}${children}`)),
      ),
    ]),
  };
}
