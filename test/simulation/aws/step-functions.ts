import { AwsError, type AwsService } from './aws-call.ts';

export interface Execution {
  readonly name: string;
  readonly input: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
}

/** Step Functions: standard executions, whose names are used once. */
export class StepFunctions implements AwsService {
  readonly name = 'Step Functions';
  readonly throttlingCode = 'ThrottlingException';
  readonly executions = new Map<string, Execution>();
  readonly #onStart: (execution: Execution) => void;

  constructor(onStart: (execution: Execution) => void) {
    this.#onStart = onStart;
  }

  handle(operation: string, input: unknown): unknown {
    if (operation !== 'StartExecutionCommand') throw new Error(`not simulated: ${operation} of Step Functions`);
    const request = input as { name: string; input: string; stateMachineArn: string };
    if (!/^[\w-]{1,80}$/.test(request.name)) throw new AwsError('InvalidName', 'not a name of an execution');
    // Snapshots go their own way, which SQL's own tests follow.
    if (request.stateMachineArn.endsWith(':snapshot')) return { executionArn: request.name };
    const before = this.executions.get(request.name);
    if (before?.status === 'RUNNING' && before.input === request.input) return { executionArn: request.name };
    if (before) throw new AwsError('ExecutionAlreadyExists', 'an execution of this name exists');
    const execution: Execution = { name: request.name, input: request.input, status: 'RUNNING' };
    this.executions.set(request.name, execution);
    this.#onStart(execution);
    return { executionArn: request.name };
  }
}
