import { ExecutionAbortedError, ExecutionTimeoutError, StateMachine } from 'aws-local-stepfunctions';
import type { Call, Caller } from '../protocol/service.ts';
import { type Definition, runnable, type StateDefinition } from './definition.ts';
import type { ExecutionRecord, ExecutionRecords, MachineRecord } from './execution-records.ts';
import { closedEvent, historyEventOf, type LogEvent, type Outcome, startedEvent } from './history.ts';
import { integrationOf } from './integration.ts';
import { CLOUD_CLOSED, runTask } from './task.ts';

/** Hears that an execution of a state machine has begun, or how it has ended. */
export type OnExecution = (
  stateMachineArn: string,
  outcome: 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Aborted',
) => void;

const OUTCOMES = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', TIMED_OUT: 'TimedOut', ABORTED: 'Aborted' } as const;

interface Running {
  abort(outcome: Outcome, reason?: typeof CLOUD_CLOSED): void;
  readonly done: Promise<void>;
}

/** Name the interpreter gives to the failure of a Fail state that names none. */
const NAMELESS_FAILURE = 'FailStateError';

/** Executions of this process. Those that an earlier one left running are Failed: their tasks died with it. */
export class Executions {
  readonly #records: ExecutionRecords;
  readonly #onExecution: OnExecution;
  readonly #callAs: (caller: Caller) => Call;
  readonly #running = new Map<string, Running>();
  #closed = false;

  constructor(records: ExecutionRecords, callAs: (caller: Caller) => Call, onExecution: OnExecution) {
    this.#onExecution = onExecution;
    this.#records = records;
    this.#callAs = callAs;
    for (const left of records.running()) {
      this.#close(left, {
        status: 'FAILED',
        error: 'States.Runtime',
        cause: 'The local cloud was stopped while the execution was running',
      });
    }
  }

  start(machine: MachineRecord, execution: ExecutionRecord): void {
    const definition = runnable(JSON.parse(machine.definition));
    this.#records.putExecution(execution);
    this.#records.addEvent(execution.arn, startedEvent(execution, machine.roleArn));
    this.#onExecution(machine.arn, 'Started');
    const stop = new AbortController();
    const interpreter = new StateMachine(definition as unknown as ConstructorParameters<typeof StateMachine>[0], {
      validationOptions: { noValidate: true },
    });
    const call = this.#callAs({ roleArn: machine.roleArn, session: execution.name });
    const run = interpreter.run(JSON.parse(execution.input), {
      overrides: { taskResourceLocalHandlers: handlersOf(definition, call, stop.signal) },
      context: contextOf(machine, execution),
    });
    let outcome: Outcome | undefined;
    const logged = this.#log(execution.arn, run.eventLogs, definition);
    const done = run.result
      .then(
        (output): Outcome => ({ status: 'SUCCEEDED', output: JSON.stringify(output) }),
        (error) => outcome ?? outcomeOf(error),
      )
      .then(async (reached) => {
        stop.abort();
        await logged;
        this.#running.delete(execution.arn);
        this.#close(execution, reached);
      });
    const abort: Running['abort'] = (aborted, reason) => {
      outcome = aborted;
      stop.abort(reason);
      run.abort();
    };
    this.#running.set(execution.arn, { abort, done });
  }

  /** Ends an execution that runs; resolves once that is on record. `false`: it does not run. */
  async abort(arn: string, failure: Pick<ExecutionRecord, 'error' | 'cause'>): Promise<boolean> {
    const running = this.#running.get(arn);
    running?.abort({ status: 'ABORTED', ...failure });
    await running?.done;
    return running !== undefined;
  }

  /** Leaves what runs as it is on record, to be Failed when the record is next opened. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running.values()];
    for (const it of running) it.abort({ status: 'ABORTED' }, CLOUD_CLOSED);
    await Promise.all(running.map((it) => it.done));
  }

  async #log(arn: string, events: AsyncIterable<LogEvent>, definition: Definition) {
    for await (const event of events) {
      const recorded = historyEventOf(event, definition);
      if (recorded && !this.#closed) this.#records.addEvent(arn, recorded);
    }
  }

  #close(execution: ExecutionRecord, outcome: Outcome): void {
    if (this.#closed) return;
    const stopMs = Date.now();
    this.#records.putExecution({ ...execution, ...outcome, stopMs });
    this.#records.addEvent(execution.arn, closedEvent(outcome, stopMs));
    this.#onExecution(execution.machineArn, OUTCOMES[outcome.status]);
  }
}

function handlersOf(definition: Definition, call: Call, stopped: AbortSignal) {
  const tasks = Object.entries(definition.States).filter(([, state]) => state.Type === 'Task');
  return Object.fromEntries(
    tasks.map(([name, state]) => {
      const integration = integrationOf(name, String(state.Resource));
      return [
        name,
        (parameters: unknown) => runTask(integration, parameters, call, timeLimited(state, stopped)),
      ] as const;
    }),
  );
}

/** How much later than the interpreter a task hears that its time is up: it is the interpreter that reports it. */
const TIMEOUT_GRACE_MS = 50;

/** Aborts when the execution is stopped, or the task's time is up: the interpreter then goes on without the task. */
function timeLimited({ TimeoutSeconds }: StateDefinition, stopped: AbortSignal): AbortSignal {
  if (typeof TimeoutSeconds !== 'number') return stopped;
  return AbortSignal.any([stopped, AbortSignal.timeout(TimeoutSeconds * 1000 + TIMEOUT_GRACE_MS)]);
}

function contextOf(machine: MachineRecord, execution: ExecutionRecord) {
  return {
    Execution: { Id: execution.arn, Name: execution.name, RoleArn: machine.roleArn },
    StateMachine: { Id: machine.arn, Name: machine.name },
  };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT' };
  if (error instanceof ExecutionAbortedError) return { status: 'ABORTED' };
  const { name, message } = ((error as Error).cause ?? error) as Error;
  if (name === NAMELESS_FAILURE) return { status: 'FAILED' };
  return { status: 'FAILED', error: name, cause: message };
}
