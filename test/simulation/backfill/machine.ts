import { marshall } from '@aws-sdk/util-dynamodb';
import { act, type HistoryRequest } from '../../../shared/history/machine/actions.ts';
import type { Begun } from '../../../shared/history/machine/begin.ts';
import type { HistoryDependencies } from '../../../shared/history/machine/dependencies.ts';
import type { Ended } from '../../../shared/history/machine/ending.ts';
import type { Exported } from '../../../shared/history/machine/exporting.ts';
import type { Listed } from '../../../shared/history/machine/files.ts';
import type { GivenExports } from '../../../shared/history/run/exports.ts';
import type { PlannedFile } from '../../../shared/history/run/plan.ts';
import type { StateTable } from '../../../shared/state/table.ts';
import type { Item } from '../aws/expression.ts';
import type { Faults } from '../aws/faults.ts';
import type { Invocation, Lambda } from '../aws/lambda.ts';
import type { Random } from '../world/random.ts';
import type { Scheduler } from '../world/scheduler.ts';

/** Longest that the function goes on, and how it is tried again, as infra/aws/history/backfill.asl.json says. */
const TIMEOUT_MS = 900_000;
const ATTEMPTS = 7;
const FIRST_PAUSE_MS = 2_000;
const PAUSE_MAX_MS = 300_000;
/** Longest that a call hangs of a worker whom the state machine has given up, in milliseconds. */
const STALL_MS = 10_000;

/**
 * The state machine of a backfill, as its definition has it: states one after the other, files of one list side by
 * side, and each call of the function tried again. Now and then somebody stops an execution, or a worker is given up
 * whose network hangs: what they are at goes on, and others begin with the same.
 */
export class Machine {
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #lambda: Lambda;
  readonly #random: Random;
  readonly #workers: number;
  readonly #dependencies: (invocation: Invocation) => HistoryDependencies;
  #executions = 0;
  #lists = new Map<string, string>();

  constructor(around: {
    scheduler: Scheduler;
    faults: Faults;
    lambda: Lambda;
    random: Random;
    workers: number;
    dependencies(invocation: Invocation): HistoryDependencies;
  }) {
    this.#scheduler = around.scheduler;
    this.#faults = around.faults;
    this.#lambda = around.lambda;
    this.#random = around.random;
    this.#workers = around.workers;
    this.#dependencies = around.dependencies;
  }

  /** The backfill that is under way reads this. */
  given(state: Map<string, Item>, sources: GivenExports): void {
    state.set('backfill', { ...state.get('backfill'), ...marshall({ sources: JSON.stringify(sources) }) });
  }

  /** One execution, which succeeds, fails, or is stopped. */
  async execute(): Promise<void> {
    this.#executions += 1;
    const execution = `arn:aws:states:us-east-1:123456789012:execution:backfill:${this.#executions}`;
    let run: Begun | undefined;
    try {
      const input = { workers: this.#workers, rate: 1_000_000, resume: true };
      run = await this.#call<Begun>({ action: 'begin', execution, input });
      await this.#work({ execution, run });
    } catch (error) {
      if (error instanceof Stopped) return;
      if (!(error instanceof Failed)) throw error;
      if (run) await this.#call({ action: 'leave', execution, run }).catch(unlessFailed);
    }
  }

  async #work(running: { readonly execution: string; readonly run: Begun }): Promise<void> {
    const exported = await this.#call<Exported>({ action: 'export', ...running });
    if (!exported.done) throw new Error('the exports are there');
    let list = await this.#call<Listed>({ action: 'list', ...running });
    for (; !list.isOver; list = await this.#call<Listed>({ action: 'list', ...running })) {
      const { rate, key } = list;
      const { execution, run } = running;
      const lines = this.#lists.get(key) ?? '';
      const files = lines.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line) as PlannedFile)));
      await this.#sideBySide(files, async (file) => {
        const order = { action: 'work' as const, execution, runId: run.runId, rate, file };
        while (!(await this.#call<{ done: boolean }>(order)).done);
      });
    }
    await this.#scheduler.sleep(Math.max(0, Date.parse(list.sweepAt) - this.#scheduler.now));
    let sweep = { after: '', deletes: 0 };
    for (;;) {
      const ended = await this.#call<Ended>({ action: 'end', sweep, ...running });
      if (ended.done) return;
      sweep = ended.sweep;
    }
  }

  /** The first that fails fails all; the others are at what they are at. */
  async #sideBySide(files: readonly PlannedFile[], work: (file: PlannedFile) => Promise<void>): Promise<void> {
    const stopped = this.#faults.strikes('an execution vanished without a word');
    const left = [...files];
    let isOver = false;
    const workers = Array.from({ length: this.#workers }, async () => {
      for (let file = left.shift(); file && !isOver; file = left.shift()) await work(file);
    });
    const stop = new Promise<never>((_, reject) => {
      if (stopped) this.#scheduler.wake(20_000, () => reject(new Stopped()));
    });
    try {
      await Promise.race([Promise.all(workers), stop]);
    } finally {
      isOver = true;
      // Whatever comes of the others, nobody waits for it.
      for (const worker of workers) worker.catch(unlessFailed);
      stop.catch(() => {});
    }
  }

  /** The state table behind a network that hangs now and then. */
  #stalling({ name, dynamodb }: StateTable): StateTable {
    const send = async (...call: readonly unknown[]) => {
      if (this.#random.chance(0.3)) await this.#scheduler.sleep(this.#random.next() * STALL_MS);
      return (dynamodb.send as (...call: readonly unknown[]) => Promise<unknown>)(...call);
    };
    return { name, dynamodb: { send } as StateTable['dynamodb'] };
  }

  async #call<T>(request: HistoryRequest): Promise<T> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let attempt = 1; ; attempt += 1) {
      const isGivenUp = request.action === 'work' && this.#faults.strikes('an execution vanished without a word');
      const invoked = this.#lambda.invoke({
        functionName: `backfill ${request.action}`,
        timeoutMs: TIMEOUT_MS,
        run: (invocation, remainingMs) => {
          const dependencies = this.#dependencies(invocation);
          const putList = async (key: string, text: string) => {
            await dependencies.putList(key, text);
            this.#lists.set(key, text);
          };
          const table = isGivenUp ? this.#stalling(dependencies.table) : dependencies.table;
          return act(request, { name: invocation.name, remainingMs }, { ...dependencies, putList, table });
        },
      });
      const result = await (isGivenUp ? this.#scheduler.sleep(this.#random.next() * STALL_MS) : invoked);
      if (result?.status === 'answered') return result.answer as T;
      if (attempt === ATTEMPTS) throw new Failed();
      await this.#scheduler.sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS);
    }
  }
}

/** The function has failed as often as it is tried. */
class Failed extends Error {}

/** Somebody has stopped the execution. */
class Stopped extends Error {}

function unlessFailed(error: unknown): void {
  if (!(error instanceof Failed)) throw error;
}
