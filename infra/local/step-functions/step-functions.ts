import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import { pageOf } from '../protocol/page.ts';
import type { Call, Caller, Operation, Roles, Service } from '../protocol/service.ts';
import { checkDefinition, runnable } from './definition.ts';
import {
  type ExecutionRecord,
  ExecutionRecords,
  type ExecutionStatus,
  type MachineRecord,
  type MapRunRecord,
} from './execution-records.ts';
import { Executions, type OnExecution } from './executions.ts';
import { withoutData } from './history.ts';

/** Largest input of an execution, in bytes. Source: StartExecution, 256 KiB. */
const INPUT_BYTES_MAX = 262_144;

/** Names of executions. Source: StartExecution: 1 to 80, no white space, wildcards, brackets or special characters. */
const NAME_PATTERN = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

/** A page, in entries: default (also what 0 means) and greatest. Source: Step Functions API, maxResults. */
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;

export interface StateMachineInput {
  readonly name: string;
  readonly arn: string;
  /** The definition in the Amazon States Language (JSONPath), with nothing left to substitute. */
  readonly definition: object;
  readonly roleArn?: string;
}

interface PageInput {
  readonly maxResults?: number;
  readonly nextToken?: string;
}

interface ListExecutionsInput extends PageInput {
  readonly stateMachineArn?: string;
  readonly mapRunArn?: string;
  readonly statusFilter?: ExecutionStatus;
}

interface HistoryInput extends PageInput {
  readonly executionArn: string;
  readonly reverseOrder?: boolean;
  readonly includeExecutionData?: boolean;
}

/**
 * Step Functions (STANDARD workflows), running the very ASL that is deployed to AWS, with the services of the local
 * cloud behind its tasks. An execution does not survive the process: one left running is FAILED with States.Runtime.
 */
export function stepFunctions({
  db,
  call,
  callAs = () => call,
  roles,
  onExecution = () => undefined,
}: {
  db: DatabaseSync;
  call: Call;
  /** Calls as a state machine's role. Default: as nobody in particular. */
  callAs?: (caller: Caller) => Call;
  /** Says whether a state machine's role may start the executions of a Map's items. Default: it may. */
  roles?: Pick<Roles, 'authorize'>;
  /** Hears how executions go. */
  onExecution?: OnExecution;
}): {
  service: Service;
  createStateMachine(input: StateMachineInput): void;
  close(): Promise<void>;
} {
  const records = new ExecutionRecords(db);
  const executions = new Executions(records, { callAs, roles, onExecution });
  const createStateMachine = ({ name, arn, definition, roleArn = '' }: StateMachineInput) => {
    checkDefinition(definition);
    runnable(definition);
    const createdMs = records.machine(arn)?.createdMs ?? Date.now();
    records.putMachine({ arn, name, createdMs, roleArn, definition: JSON.stringify(definition) });
  };
  const service: Service = {
    name: 'states',
    target: 'AWSStepFunctions',
    contentType: 'application/x-amz-json-1.0',
    operations: {
      ...executionOperations(records, executions),
      ...mapRunOperations(records),
      ...stateMachineOperations(records),
    },
  };
  return { service, createStateMachine, close: () => executions.close() };
}

function executionOperations(records: ExecutionRecords, executions: Executions): Record<string, Operation> {
  return {
    StartExecution: (input: { stateMachineArn: string; name?: string; input?: string }) => {
      refuseUnknown('Step Functions', 'StartExecution', input, ['stateMachineArn', 'name', 'input']);
      const machine = machineOf(records, input.stateMachineArn);
      const name = input.name ?? randomUUID();
      if (!NAME_PATTERN.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
      const text = checkedInput(input.input ?? '{}');
      const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
      const before = records.execution(arn);
      // The same start again, while the first still runs, is the same execution. Any other is refused.
      if (before && (before.status !== 'RUNNING' || before.input !== text)) {
        throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
      }
      const execution: ExecutionRecord = before ?? {
        ...{ arn, name, machineArn: machine.arn, status: 'RUNNING', startMs: Date.now(), input: text },
      };
      if (!before) executions.start(machine, execution);
      return { executionArn: arn, startDate: execution.startMs / 1000 };
    },

    StopExecution: async (input: { executionArn: string; error?: string; cause?: string }) => {
      refuseUnknown('Step Functions', 'StopExecution', input, ['executionArn', 'error', 'cause']);
      const { executionArn, ...failure } = input;
      executionOf(records, executionArn);
      await executions.abort(executionArn, failure);
      return { stopDate: (executionOf(records, executionArn).stopMs ?? Date.now()) / 1000 };
    },

    DescribeExecution: (input: { executionArn: string }) => {
      refuseUnknown('Step Functions', 'DescribeExecution', input, ['executionArn']);
      const execution = executionOf(records, input.executionArn);
      const { output, error, cause } = execution;
      return {
        ...summaryOf(execution),
        ...{ input: execution.input, inputDetails: { included: true } },
        ...(output !== undefined && { output, outputDetails: { included: true } }),
        ...{ error, cause },
        redriveCount: 0,
      };
    },

    ListExecutions: (input: ListExecutionsInput) => {
      const honoured = ['stateMachineArn', 'mapRunArn', 'statusFilter', 'maxResults', 'nextToken'];
      refuseUnknown('Step Functions', 'ListExecutions', input, honoured);
      const all = listed(records, input);
      const found = all.filter((it) => (input.statusFilter ?? it.status) === it.status);
      const { page, next } = pageFor(found, input);
      return { executions: page.map(summaryOf), ...next };
    },

    GetExecutionHistory: (input: HistoryInput) => {
      const honoured = ['executionArn', 'reverseOrder', 'includeExecutionData', 'maxResults', 'nextToken'];
      refuseUnknown('Step Functions', 'GetExecutionHistory', input, honoured);
      executionOf(records, input.executionArn);
      const events = records.events(input.executionArn).map(({ type, timestampMs, details }, index) => ({
        ...{ id: index + 1, previousEventId: index, type, timestamp: timestampMs / 1000 },
        ...(input.includeExecutionData === false ? withoutData(details) : details),
      }));
      const { page, next } = pageFor(input.reverseOrder ? events.reverse() : events, input);
      return { events: page, ...next };
    },
  };
}

function mapRunOperations(records: ExecutionRecords): Record<string, Operation> {
  const summary = ({ arn, executionArn, machineArn, startMs, stopMs }: MapRunRecord) => ({
    ...{ mapRunArn: arn, executionArn, stateMachineArn: machineArn, startDate: startMs / 1000 },
    ...(stopMs !== undefined && { stopDate: stopMs / 1000 }),
  });
  return {
    DescribeMapRun: (input: { mapRunArn: string }) => {
      refuseUnknown('Step Functions', 'DescribeMapRun', input, ['mapRunArn']);
      const run = mapRunOf(records, input.mapRunArn);
      const { maxConcurrency, toleratedFailureCount, toleratedFailurePercentage } = run;
      const { stateMachineArn, ...rest } = summary(run);
      const counts = countsOf(run, records.itemsOf(run));
      return {
        ...{ ...rest, status: run.status, maxConcurrency, toleratedFailureCount, toleratedFailurePercentage },
        ...{ itemCounts: counts, executionCounts: counts, redriveCount: 0 },
      };
    },

    ListMapRuns: (input: PageInput & { executionArn: string }) => {
      refuseUnknown('Step Functions', 'ListMapRuns', input, ['executionArn', 'maxResults', 'nextToken']);
      const { page, next } = pageFor(records.mapRunsOf(executionOf(records, input.executionArn).arn), input);
      return { mapRuns: page.map(summary), ...next };
    },
  };
}

/** Each item is an execution, once it is started. */
function countsOf({ total }: MapRunRecord, executions: readonly ExecutionRecord[]) {
  const count = (status: ExecutionStatus) => executions.filter((it) => it.status === status).length;
  const succeeded = count('SUCCEEDED');
  return {
    ...{ pending: total - executions.length, running: count('RUNNING'), succeeded, failed: count('FAILED') },
    ...{ timedOut: count('TIMED_OUT'), aborted: count('ABORTED'), total, resultsWritten: succeeded },
  };
}

function stateMachineOperations(records: ExecutionRecords): Record<string, Operation> {
  const summary = ({ arn, name, createdMs }: MachineRecord) => ({
    ...{ stateMachineArn: arn, name, type: 'STANDARD', creationDate: createdMs / 1000 },
  });
  return {
    DescribeStateMachine: (input: { stateMachineArn: string }) => {
      refuseUnknown('Step Functions', 'DescribeStateMachine', input, ['stateMachineArn']);
      const machine = machineOf(records, input.stateMachineArn);
      const { definition, roleArn } = machine;
      return { ...summary(machine), status: 'ACTIVE', definition, roleArn };
    },

    ListStateMachines: (input: PageInput) => {
      refuseUnknown('Step Functions', 'ListStateMachines', input, ['maxResults', 'nextToken']);
      const { page, next } = pageFor(records.machines(), input);
      return { stateMachines: page.map(summary), ...next };
    },
  };
}

function machineOf(records: ExecutionRecords, arn: string): MachineRecord {
  const machine = records.machine(arn);
  if (!machine) throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  return machine;
}

function mapRunOf(records: ExecutionRecords, arn: string): MapRunRecord {
  const run = records.mapRun(arn);
  if (!run) throw new AwsError('ResourceNotFound', `Resource not found: '${arn}'`);
  return run;
}

/** The executions that were started by calls, or those of a Map Run's items. */
function listed(records: ExecutionRecords, { stateMachineArn, mapRunArn }: ListExecutionsInput): ExecutionRecord[] {
  if (stateMachineArn !== undefined && mapRunArn === undefined) {
    return records.executionsOf(machineOf(records, stateMachineArn).arn);
  }
  if (mapRunArn !== undefined && stateMachineArn === undefined) return records.itemsOf(mapRunOf(records, mapRunArn));
  throw new AwsError('ValidationException', 'Specify either a state machine ARN or a Map Run ARN, and not both');
}

function executionOf(records: ExecutionRecords, arn: string): ExecutionRecord {
  const execution = records.execution(arn);
  if (!execution) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  return execution;
}

function checkedInput(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${text.slice(0, 100)}'`);
  }
  if (Buffer.byteLength(text) <= INPUT_BYTES_MAX) return text;
  throw new AwsError('InvalidExecutionInput', `Input exceeds ${INPUT_BYTES_MAX} bytes`);
}

function summaryOf({ arn, machineArn, mapRunArn, name, status, startMs, stopMs }: ExecutionRecord) {
  return {
    ...{ executionArn: arn, stateMachineArn: machineArn, mapRunArn, name, status, startDate: startMs / 1000 },
    ...(stopMs !== undefined && { stopDate: stopMs / 1000 }),
  };
}

function pageFor<T>(entries: readonly T[], { maxResults, nextToken }: PageInput) {
  const { items, next } = pageOf(entries, Math.min(maxResults || PAGE_DEFAULT, PAGE_MAX), nextToken);
  return { page: items, next: next === undefined ? {} : { nextToken: next } };
}
