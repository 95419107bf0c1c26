import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type RunOptions, StateMachine } from 'aws-local-stepfunctions';
import type { Call } from '../protocol/service.ts';
import { carryOutJsonToString, type Definition } from './definition.ts';
import type { ExecutionRecord, ExecutionRecords, MachineRecord, MapRunRecord } from './execution-records.ts';
import type { Outcome } from './history.ts';
import { readItems } from './item-reader.ts';
import type { MapParameters, MapState } from './map-definition.ts';
import { CLOUD_CLOSED, checkResult, PAYLOAD_BYTES_MAX } from './task.ts';
import { TaskError, taskErrorOf } from './task-error.ts';

/** Items that are worked at once where nothing is said. Source: Step Functions, MaxConcurrency of a Distributed Map. */
const CONCURRENCY_DEFAULT = 10_000;

const STATES = { errorPrefix: 'StepFunctions', baseError: 'AWSStepFunctionsException', kind: 'optimized' } as const;

/** The execution that a Map state is part of, and how it starts others. */
export interface MapHost {
  readonly machine: MachineRecord;
  readonly execution: ExecutionRecord;
  /** The context object of the execution. */
  readonly context: NonNullable<RunOptions['context']>;
  readonly records: ExecutionRecords;
  /** Calls as the state machine's role. */
  readonly call: Call;
  /** @throws AwsError when the role may not start executions of the state machine. */
  authorizeStart(): Promise<void>;
  /** Runs the execution of an item to its end. */
  run(machine: MachineRecord, execution: ExecutionRecord, definition: Definition): Promise<Outcome>;
  abort(executionArn: string): void;
}

/** One run of a Distributed Map: every item is worked by an execution of its own. */
export class MapRun {
  readonly #state: MapState;
  readonly #parameters: MapParameters;
  readonly #host: MapHost;
  /** The state machine as the items' executions name it. */
  readonly #machine: MachineRecord;
  #record: MapRunRecord;
  readonly #running = new Set<string>();

  /** @throws TaskError States.Runtime when the limit of items at once is none. */
  constructor(state: MapState, parameters: MapParameters, host: MapHost) {
    this.#state = state;
    this.#parameters = parameters;
    this.#host = host;
    const { machine } = host;
    const [arn, name] = [machine.arn, machine.name].map((it) => `${it}/${state.Label}`) as [string, string];
    this.#machine = { ...machine, arn, name };
    this.#record = {
      arn: `${arn.replace(':stateMachine:', ':mapRun:')}:${randomUUID()}`,
      ...{ executionArn: host.execution.arn, machineArn: arn, status: 'RUNNING', startMs: Date.now(), total: 0 },
      maxConcurrency: concurrencyOf(parameters.maxConcurrency),
      toleratedFailureCount: state.ToleratedFailureCount ?? 0,
      toleratedFailurePercentage: state.ToleratedFailurePercentage ?? 0,
    };
  }

  /**
   * Gives the outputs of the items that succeeded, in the order of the items.
   *
   * `stopped` stops the items' executions too; with {@link CLOUD_CLOSED} as its reason all stays as it is on record.
   *
   * @throws TaskError by the name that Step Functions gives the failure.
   */
  async run(name: string, stopped: AbortSignal) {
    // The state is entered first, which the interpreter's log has on record one turn later.
    await nextTurn();
    this.#host.records.putMapRun(this.#record);
    // The items of a reader are not counted yet.
    this.#log('MapStateStarted', { mapStateStartedEventDetails: { length: 0 } });
    this.#log('MapRunStarted', { mapRunStartedEventDetails: { mapRunArn: this.#record.arn } });
    try {
      const outputs = `[${(await this.#outputs(stopped)).join()}]`;
      checkResult(name, outputs);
      this.#end('SUCCEEDED');
      this.#log('MapRunSucceeded');
      this.#log('MapStateSucceeded');
      return JSON.parse(outputs);
    } catch (error) {
      if (stopped.reason !== CLOUD_CLOSED) this.#fail(error as Error, stopped);
      // An error that Retry matches would run the map again, after the end of its execution.
      throw stopped.aborted ? new TaskError('States.Timeout', 'The map was ended before its items', false) : error;
    }
  }

  #fail({ name, message }: Error, stopped: AbortSignal): void {
    this.#end(stopped.aborted ? 'ABORTED' : 'FAILED');
    if (stopped.aborted) this.#log('MapRunAborted');
    else this.#log('MapRunFailed', { mapRunFailedEventDetails: { error: name, cause: message } });
  }

  #end(status: MapRunRecord['status']): void {
    this.#host.records.putMapRun({ ...this.#record, status, stopMs: Date.now() });
  }

  #log(type: string, details: Readonly<Record<string, object>> = {}): void {
    this.#host.records.addEvent(this.#host.execution.arn, { type, timestampMs: Date.now(), details });
  }

  /** Works the items, as many at once as may be, and gives the outputs as JSON. */
  async #outputs(stopped: AbortSignal): Promise<string[]> {
    const items = await readItems(this.#state.ItemReader.ReaderConfig, this.#parameters.object, this.#host.call);
    this.#record = { ...this.#record, total: items.length };
    this.#host.records.putMapRun(this.#record);
    const failing = new AbortController();
    const signal = AbortSignal.any([stopped, failing.signal]);
    signal.addEventListener('abort', () => {
      // A cloud that closes ends all executions by itself.
      if (stopped.reason !== CLOUD_CLOSED) for (const arn of this.#running) this.#host.abort(arn);
    });
    const outcomes: Outcome[] = [];
    let failures = 0;
    const left = items.entries();
    const worker = async () => {
      for (const [index, item] of left) {
        const outcome = await this.#work(index, item, signal);
        outcomes[index] = outcome;
        // An item that was stopped has not failed.
        if (outcome.status === 'FAILED' || outcome.status === 'TIMED_OUT') failures += 1;
        if (!this.#tolerates(failures)) throw exceeded();
      }
    };
    const workers = Array.from({ length: Math.min(this.#record.maxConcurrency, items.length) }, () =>
      worker().catch((error) => failing.abort(error)),
    );
    await Promise.all(workers);
    signal.throwIfAborted();
    return outcomes.flatMap(({ output }) => output ?? []);
  }

  async #work(index: number, item: unknown, signal: AbortSignal): Promise<Outcome> {
    const input = JSON.stringify(await this.#inputOf(index, item));
    if (Buffer.byteLength(input) > PAYLOAD_BYTES_MAX) {
      const cause = `The input of item ${index} exceeds the maximum number of bytes service limit.`;
      throw new TaskError('States.DataLimitExceeded', cause, false);
    }
    await this.#host.authorizeStart().catch((error) => {
      throw taskErrorOf(STATES, error);
    });
    signal.throwIfAborted();
    const name = randomUUID();
    const arn = `${this.#machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const execution: ExecutionRecord = {
      ...{ arn, name, machineArn: this.#machine.arn, mapRunArn: this.#record.arn },
      ...{ status: 'RUNNING', startMs: Date.now(), input },
    };
    this.#running.add(arn);
    const outcome = await this.#host.run(this.#machine, execution, this.#state.ItemProcessor);
    this.#running.delete(arn);
    return outcome;
  }

  /** An item, or what the ItemSelector makes of it. The interpreter evaluates templates in the states that have them. */
  async #inputOf(Index: number, Value: unknown): Promise<unknown> {
    const { ItemSelector } = this.#state;
    if (ItemSelector === undefined) return Value;
    const selection = {
      StartAt: 'Input',
      States: {
        Input: { Type: 'Pass', Result: this.#parameters.input, Next: 'Select' },
        Select: { Type: 'Pass', Parameters: ItemSelector, End: true },
      },
    };
    const selector = new StateMachine(selection as ConstructorParameters<typeof StateMachine>[0], {
      validationOptions: { noValidate: true },
    });
    const context = { ...this.#host.context, Map: { Item: { Index, Value } } };
    const { result } = selector.run(JSON.parse(this.#host.execution.input), { context });
    const selected = await result.catch((error) => {
      throw error.cause;
    });
    return carryOutJsonToString(selected);
  }

  #tolerates(failures: number): boolean {
    const { ToleratedFailureCount: count, ToleratedFailurePercentage: percentage } = this.#state;
    if (count === undefined && percentage === undefined) return failures === 0;
    return failures <= (count ?? Infinity) && (failures * 100) / this.#record.total <= (percentage ?? 100);
  }
}

function concurrencyOf(limit: unknown): number {
  if (Number.isInteger(limit) && Number(limit) >= 0) return Number(limit) || CONCURRENCY_DEFAULT;
  const cause = `MaxConcurrency must be an integer that is not negative, and is ${JSON.stringify(limit)}.`;
  throw new TaskError('States.Runtime', cause, false);
}

function exceeded(): TaskError {
  const cause = 'The specified tolerated failure threshold was exceeded';
  return new TaskError('States.ExceedToleratedFailureThreshold', cause);
}
