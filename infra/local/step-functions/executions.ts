import { ExecutionAbortedError, ExecutionTimeoutError, StateMachine } from 'aws-local-stepfunctions';
import type { Call, Caller, Roles } from '../protocol/service.ts';
import { type Definition, runnable, type StateDefinition } from './definition.ts';
import type { ExecutionRecord, ExecutionRecords, MachineRecord } from './execution-records.ts';
import { closedEvent, historyEventOf, type LogEvent, type Outcome, startedEvent } from './history.ts';
import { integrationOf } from './integration.ts';
import { type MapParameters, type MapState, mapAsTask } from './map-definition.ts';
import { type MapHost, MapRun } from './map-run.ts';
import { CLOUD_CLOSED, runTask } from './task.ts';

/** Hears that an execution of a state machine has begun, or how it has ended. */
export type OnExecution = (
  stateMachineArn: string,
  outcome: 'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Aborted',
) => void;

const OUTCOMES = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', TIMED_OUT: 'TimedOut', ABORTED: 'Aborted' } as const;

interface Running {
  abort(outcome: Outcome, reason?: typeof CLOUD_CLOSED): void;
  readonly done: Promise<unknown>;
}

/** As whom executions call, with which rights, and who hears of them. */
interface Surroundings {
  readonly callAs: (caller: Caller) => Call;
  readonly roles: Pick<Roles, 'authorize'> | undefined;
  readonly onExecution: OnExecution;
}

/** Name the interpreter gives to the failure of a Fail state that names none. */
const NAMELESS_FAILURE = 'FailStateError';

/** Executions of this process. Those that an earlier one left running are Failed: their tasks died with it. */
export class Executions {
  readonly #records: ExecutionRecords;
  readonly #onExecution: OnExecution;
  readonly #callAs: (caller: Caller) => Call;
  readonly #roles: Pick<Roles, 'authorize'> | undefined;
  readonly #running = new Map<string, Running>();
  #closed = false;

  constructor(records: ExecutionRecords, { callAs, roles, onExecution }: Surroundings) {
    this.#onExecution = onExecution;
    this.#records = records;
    this.#callAs = callAs;
    this.#roles = roles;
    for (const left of records.runningMapRuns()) records.putMapRun({ ...left, status: 'FAILED', stopMs: Date.now() });
    for (const left of records.running()) {
      this.#close(left, {
        status: 'FAILED',
        error: 'States.Runtime',
        cause: 'The local cloud was stopped while the execution was running',
      });
    }
  }

  /** Starts an execution, which goes on by itself. */
  start(machine: MachineRecord, execution: ExecutionRecord): void {
    void this.#run(machine, execution, runnable(JSON.parse(machine.definition)));
  }

  #run(machine: MachineRecord, execution: ExecutionRecord, definition: Definition): Promise<Outcome> {
    this.#records.putExecution(execution);
    this.#records.addEvent(execution.arn, startedEvent(execution, machine.roleArn));
    this.#onExecution(machine.arn, 'Started');
    const stop = new AbortController();
    const tasks = tasksOf(definition) as unknown as ConstructorParameters<typeof StateMachine>[0];
    const interpreter = new StateMachine(tasks, { validationOptions: { noValidate: true } });
    const host = this.#hostOf(machine, execution);
    const maps: Promise<unknown>[] = [];
    const runMap: RunMap = (name, state, parameters) => {
      const running = new MapRun(state, parameters, host).run(name, stop.signal);
      maps.push(running);
      return running;
    };
    const run = interpreter.run(JSON.parse(execution.input), {
      overrides: { taskResourceLocalHandlers: handlersOf(definition, host.call, stop.signal, runMap) },
      context: host.context,
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
        await Promise.allSettled(maps);
        this.#running.delete(execution.arn);
        this.#close(execution, reached);
        return reached;
      });
    const abort: Running['abort'] = (aborted, reason) => {
      outcome = aborted;
      stop.abort(reason);
      run.abort();
    };
    this.#running.set(execution.arn, { abort, done });
    return done;
  }

  #hostOf(machine: MachineRecord, execution: ExecutionRecord): MapHost {
    const caller = { roleArn: machine.roleArn, session: execution.name };
    return {
      ...{ machine, execution, records: this.#records, call: this.#callAs(caller) },
      context: contextOf(machine, execution),
      authorizeStart: async () =>
        this.#roles?.authorize(caller, 'states', 'StartExecution', { stateMachineArn: machine.arn }),
      run: (...item) => this.#run(...item),
      abort: (arn) => void this.abort(arn, {}),
    };
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

/** The definition with each Map as a task. */
function tasksOf(definition: Definition): Definition {
  const states = Object.entries(definition.States).map(([name, state]) => [
    name,
    isMap(state) ? mapAsTask(state) : state,
  ]);
  return { ...definition, States: Object.fromEntries(states) };
}

function isMap(state: StateDefinition): state is MapState {
  return state.Type === 'Map';
}

type RunMap = (name: string, state: MapState, parameters: MapParameters) => ReturnType<MapRun['run']>;

function handlersOf(definition: Definition, call: Call, stopped: AbortSignal, runMap: RunMap) {
  const handlers = Object.entries(definition.States).flatMap(([name, state]) => {
    if (isMap(state)) {
      return [[name, (parameters: unknown) => runMap(name, state, parameters as MapParameters)] as const];
    }
    if (state.Type !== 'Task') return [];
    const integration = integrationOf(name, String(state.Resource));
    return [
      [name, (parameters: unknown) => runTask(integration, parameters, call, timeLimited(state, stopped))] as const,
    ];
  });
  return Object.fromEntries(handlers);
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
