import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import type { BackfillResult } from './backfill/simulate-backfill.ts';
import type { Mutant } from './mutants/mutants.ts';
import type { RunResult } from './simulate.ts';
import type { WorkerAnswer, WorkerOrder } from './simulation-worker.ts';

/** A thread that simulates, one seed at a time. While it has none, the process does not wait for it. */
export class SimulationThread {
  readonly #worker: Worker;
  readonly #oneAtATime = pLimit(1);

  constructor(mutant?: Mutant) {
    this.#worker = new Worker(new URL('./simulation-worker.ts', import.meta.url), {
      workerData: { mutant },
      // What the functions would tell a person is nothing to somebody who reads the proof.
      env: { ...process.env, POWERTOOLS_LOG_LEVEL: 'SILENT' },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
  }

  /** @throws Error when the seed could not be run to a result. */
  run(order: WorkerOrder): Promise<RunResult> {
    return this.#oneAtATime(() => this.#ordered<RunResult>(order));
  }

  /** The same of a world of a backfill. */
  runBackfill(order: Pick<WorkerOrder, 'seed' | 'changes'>): Promise<BackfillResult> {
    return this.#oneAtATime(() => this.#ordered<BackfillResult>({ ...order, backfill: true }));
  }

  #ordered<Result>(order: WorkerOrder): Promise<Result> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#worker.off('error', onError).off('message', onMessage);
        this.#worker.unref();
        act();
      };
      const onError = (error: Error) => settle(() => reject(error));
      const onMessage = (answer: WorkerAnswer) =>
        settle(() => ('error' in answer ? reject(new Error(answer.error)) : resolve(answer.result as Result)));
      this.#worker.ref();
      this.#worker.on('error', onError).on('message', onMessage);
      this.#worker.postMessage(order);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
