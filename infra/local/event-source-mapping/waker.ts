import { setTimeout as sleep } from 'node:timers/promises';

/** A wait that can be cut short: by `wake`, which a later wait remembers, and for good by `stop`. */
export class Waker {
  #woken = false;
  #cut = new AbortController();
  readonly #stopped = new AbortController();

  get stopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  wake(): void {
    this.#woken = true;
    this.#cut.abort();
  }

  stop(): void {
    this.#stopped.abort();
    this.#cut.abort();
  }

  /** Waits until the time is over or it is woken. */
  async wait(millis: number): Promise<void> {
    if (!this.#woken) await pause(millis, this.#cut.signal);
    this.#woken = false;
    if (!this.stopped) this.#cut = new AbortController();
  }

  /** Waits the whole time, unless it is stopped. */
  async sleep(millis: number): Promise<void> {
    await pause(millis, this.#stopped.signal);
  }
}

async function pause(millis: number, signal: AbortSignal): Promise<void> {
  await sleep(millis, undefined, { signal }).catch((error) => {
    if (error?.name !== 'AbortError') throw error;
  });
}
