import type { StackOptions } from '../../../infra/aws/stack.ts';

/** Options of a stack for which nothing is given, but that its traffic shifts at once. */
export const STACK_OPTIONS: StackOptions = {
  changeLogBufferSeconds: 60,
  sourceTableStreamArn: '',
  kmsKeyArn: '',
  alarmTopicArn: '',
  deploymentConfiguration: 'CodeDeployDefault.LambdaAllAtOnce',
  permissionsBoundaryArn: '',
  rolePath: '',
};
