import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { errorCode } from '../calls/failure.ts';
import type { TrainingInFlight } from '../state/epochs.ts';

/**
 * Starts the execution of a claimed training, once and only once: Step Functions answers a second start of the same
 * name and input as the first while it runs, and refuses it when it has ended.
 * Source: StartExecution, "idempotent for STANDARD workflows".
 *
 * @returns `running` when it runs now, `ended` when an execution of this name has run before and ended.
 */
export async function startTraining(
  sfn: Pick<SFNClient, 'send'>,
  stateMachineArn: string,
  training: TrainingInFlight,
): Promise<'running' | 'ended'> {
  const { executionName: name, input } = training;
  try {
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input }));
    return 'running';
  } catch (error) {
    if (errorCode(error) === 'ExecutionAlreadyExists') return 'ended';
    throw error;
  }
}
