import type { Random } from '../world/random.ts';
import type { Scheduler } from '../world/scheduler.ts';
import type { Caller } from './aws-call.ts';
import type { FaultKind, Faults } from './faults.ts';

/** What came of an invocation, as its invoker sees it. */
export type Result<T> =
  | { readonly status: 'answered'; readonly answer: T; readonly invocation: Invocation }
  | { readonly status: 'failed'; readonly reason: string; readonly invocation: Invocation }
  /** Lambda did not run the function. */
  | { readonly status: 'refused' };

/** One invocation of a function: its own clients hang on it, so that they die with it. */
export class Invocation implements Caller {
  alive = true;
  readonly name: string;
  readonly slowness: number;
  /** What the execution environment's clock is off by, in milliseconds. */
  readonly clockOffsetMs: number;
  crash: (reason: FaultKind) => void = () => {};

  constructor(name: string, slowness: number, clockOffsetMs: number) {
    this.name = name;
    this.slowness = slowness;
    this.clockOffsetMs = clockOffsetMs;
  }
}

export interface FunctionBody<T> {
  readonly functionName: string;
  readonly timeoutMs: number;
  run(invocation: Invocation, remainingMs: () => number): Promise<T>;
}

/** How much slower the calls of an invocation are that its invoker gave up on. */
const ZOMBIE_SLOWNESS = 40;
/** Furthest an execution environment's clock is off, in milliseconds. */
const CLOCK_OFFSET_MS = 1_500;

/** Lambda: runs functions, kills them at their timeout, and sometimes runs one twice or loses its answer. */
export class Lambda {
  invocations = 0;
  onEvent: (invocation: Invocation, what: string) => void = () => {};
  onTimeout: (invocation: Invocation) => void = () => {};
  onThrow: (invocation: Invocation, error: unknown) => void = () => {};
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #random: Random;

  constructor(scheduler: Scheduler, faults: Faults, random: Random) {
    this.#scheduler = scheduler;
    this.#faults = faults;
    this.#random = random;
  }

  invoke<T>(body: FunctionBody<T>): Promise<Result<T>> {
    const faults = this.#faults;
    return new Promise((resolve) => {
      if (faults.strikes('Lambda refused to invoke')) {
        this.#scheduler.wake(100, () => resolve({ status: 'refused' }));
        return;
      }
      const givenUp = faults.strikes('an invocation was given up while it ran on');
      const first = this.#start(body, givenUp ? ZOMBIE_SLOWNESS : 1, resolve);
      if (givenUp) {
        this.#scheduler.wake(this.#random.next() * 5_000, () => {
          this.onEvent(first, 'given up while it ran on');
          resolve({ status: 'failed', reason: 'given up while it ran on', invocation: first });
        });
      }
      if (faults.strikes('an invocation was run twice at once')) {
        this.#scheduler.wake(this.#random.next() * 500, () => {
          const second = this.#start(body, this.#random.pick([1, ZOMBIE_SLOWNESS]), resolve);
          this.onEvent(second, `runs at the same time as ${first.name}`);
        });
      }
    });
  }

  #start<T>(body: FunctionBody<T>, slowness: number, resolve: (result: Result<T>) => void): Invocation {
    this.invocations += 1;
    const clockOffset = this.#faults.enabled ? (this.#random.next() * 2 - 1) * CLOCK_OFFSET_MS : 0;
    const invocation = new Invocation(`${body.functionName} #${this.invocations}`, slowness, clockOffset);
    const end = this.#scheduler.now + body.timeoutMs;
    const fail = (reason: string) => resolve({ status: 'failed', reason, invocation });
    let over = false;
    invocation.crash = (reason) => {
      invocation.alive = false;
      over = true;
      this.#scheduler.wake(50, () => fail(reason));
    };
    this.#scheduler.wake(body.timeoutMs, () => {
      if (over) return;
      over = true;
      invocation.alive = false;
      this.onEvent(invocation, 'timed out');
      this.onTimeout(invocation);
      fail('timed out');
    });
    body
      .run(invocation, () => end - this.#scheduler.now)
      .then(
        (answer) => {
          if (over) return;
          over = true;
          if (this.#faults.strikes('the answer of an invocation was lost')) {
            this.onEvent(invocation, `answered ${JSON.stringify(answer)}, which was lost`);
            return this.#scheduler.wake(50, () => fail('its answer was lost'));
          }
          resolve({ status: 'answered', answer, invocation });
        },
        (error: unknown) => {
          if (over) return;
          over = true;
          this.onThrow(invocation, error);
          fail(`it threw ${String(error)}`);
        },
      );
    return invocation;
  }
}
