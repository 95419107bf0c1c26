import type { Random } from '../world/random.ts';
import type { Scheduler } from '../world/scheduler.ts';
import type { FaultKind, Faults } from './faults.ts';

/** An error as the SDK throws it: told by its name. */
export class AwsError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** A command of any SDK client: what it is called, and its input. */
export interface Command {
  readonly constructor: { readonly name: string };
  readonly input: unknown;
}

/** One simulated AWS service. Its effect is immediate; all that takes time is around it. */
export interface AwsService {
  readonly name: string;
  /** The error code this service throttles with. */
  readonly throttlingCode: string;
  /** @throws AwsError as the service would, or Error for what it does not simulate. */
  handle(operation: string, input: unknown, caller: Caller): unknown;
}

/** Who calls: one invocation of a function. */
export interface Caller {
  /** Such as `ingest #12`. */
  readonly name: string;
  /** False once it crashed or was stopped: its calls have no effect any more, and no answer. */
  alive: boolean;
  /** How many times slower than usual its calls are. */
  readonly slowness: number;
  crash(reason: FaultKind): void;
}

/** Usual time of a call, and of a slow one, in milliseconds. */
const CALL_MS = 8;
const SLOW_CALL_MS = 600;
/** Least and greatest time of a call that takes seconds. */
const SECONDS_CALL_MS = [1_000, 30_000] as const;
/** Longest time that a service is down. */
const DOWN_MS = 600_000;

export type CallListener = (
  service: string,
  command: Command,
  caller: Caller,
  outcome: string,
  answer?: unknown,
) => void;

/** The network between invocations and services, and what goes wrong on it. */
export class Network {
  calls = 0;
  listener: CallListener | undefined;
  readonly #downUntil = new Map<AwsService, number>();
  readonly #deniesUntil = new Map<AwsService, number>();
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #random: Random;

  constructor(scheduler: Scheduler, faults: Faults, random: Random) {
    this.#scheduler = scheduler;
    this.#faults = faults;
    this.#random = random;
  }

  /** A client of a service for one caller, in the shape of the SDK's. The type is the caller's to know. */
  client<T>(service: AwsService, caller: Caller): T {
    return {
      send: (command: Command, options?: { abortSignal?: AbortSignal }) =>
        this.#abortable(() => this.#send(service, command, caller), caller, options?.abortSignal),
    } as T;
  }

  /** An aborted call has its effect or has it not, as one whose answer is lost. */
  #abortable(call: () => Promise<unknown>, caller: Caller, signal: AbortSignal | undefined): Promise<unknown> {
    if (!signal) {
      if (/^(retrain|backfill)/.test(caller.name)) return call();
      throw new Error('every call is made until the deadline: give it the signal of its pace');
    }
    return new Promise((resolve, reject) => {
      const abort = () => reject(new AwsError('AbortError', 'Request aborted'));
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      const settled = () => signal.removeEventListener('abort', abort);
      call().then(resolve, reject).finally(settled);
    });
  }

  #send(service: AwsService, command: Command, caller: Caller): Promise<unknown> {
    this.calls += 1;
    const faults = this.#faults;
    const slow = faults.strikes('a call was slow');
    const seconds = faults.strikes('a call took seconds') ? this.#random.integer(...SECONDS_CALL_MS) : 0;
    const ms = Math.min(this.#random.exponential(slow ? SLOW_CALL_MS : CALL_MS), 900) * caller.slowness + seconds;
    return new Promise((resolve, reject) => {
      const tell = (outcome: string, answer?: unknown) =>
        this.listener?.(service.name, command, caller, outcome, answer);
      this.#scheduler.wake(ms, () => {
        if (!caller.alive) return;
        const before = this.#isDown(service) ? 'a call was throttled' : this.#faultBefore();
        if (before === 'a call was throttled') {
          tell(before);
          return reject(new AwsError(service.throttlingCode, 'Rate exceeded'));
        }
        if (before === undefined && this.#denies(service)) {
          tell('access was denied');
          return reject(new AwsError('AccessDeniedException', 'not authorized to perform the call'));
        }
        if (before === 'a call was made with an expired token') {
          tell(before);
          return reject(new AwsError('ExpiredTokenException', 'The security token included in the request is expired'));
        }
        if (before === 'a call failed before its effect') {
          tell(before);
          return reject(new AwsError('InternalServerError', 'Internal server error'));
        }
        if (before === 'the invocation crashed before a call') {
          tell(before);
          return caller.crash(before);
        }
        let answer: unknown;
        try {
          answer = service.handle(command.constructor.name, command.input, caller);
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          tell(error.name);
          return reject(error);
        }
        if (faults.strikes('the answer of a call was lost after its effect')) {
          tell('the answer of a call was lost after its effect', answer);
          return reject(new AwsError('TimeoutError', 'socket hang up'));
        }
        if (faults.strikes('a call was never answered')) {
          tell('a call was never answered', answer);
          return;
        }
        if (faults.strikes('the invocation crashed after a call')) {
          tell('the invocation crashed after a call', answer);
          return caller.crash('the invocation crashed after a call');
        }
        tell('done', answer);
        resolve(answer);
      });
    });
  }

  #denies(service: AwsService): boolean {
    if (this.#faults.strikes('a service denied access for minutes')) {
      this.#deniesUntil.set(service, this.#scheduler.now + this.#random.next() * DOWN_MS);
    }
    return this.#faults.enabled && this.#scheduler.now < (this.#deniesUntil.get(service) ?? 0);
  }

  #isDown(service: AwsService): boolean {
    if (this.#faults.strikes('a service was down for minutes')) {
      this.#downUntil.set(service, this.#scheduler.now + this.#random.next() * DOWN_MS);
    }
    return this.#faults.enabled && this.#scheduler.now < (this.#downUntil.get(service) ?? 0);
  }

  #faultBefore(): FaultKind | undefined {
    const kinds = [
      'a call was throttled',
      'a call failed before its effect',
      'a call was made with an expired token',
      'the invocation crashed before a call',
    ] as const;
    return kinds.find((kind) => this.#faults.strikes(kind));
  }
}
