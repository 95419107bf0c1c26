/** An event of simulated time. `wakes`: it may resume waiting code, which then runs to its next wait. */
interface Event {
  readonly at: number;
  readonly order: number;
  readonly wakes: boolean;
  readonly action: () => void;
}

/**
 * Simulated time. Everything that takes time is an event here; nothing else moves the clock, so that an hour passes in
 * as long as its events take. Deterministic: events run one at a time, ordered by time and then by creation, and between
 * two of them all resumed code (promise jobs) runs until it waits again.
 */
export class Scheduler {
  /** Epoch milliseconds, with a fraction. */
  now: number;
  /** Events run so far. */
  steps = 0;
  readonly #heap: Event[] = [];
  #created = 0;
  #failed = false;

  constructor(startMs: number) {
    this.now = startMs;
  }

  /** Runs an action later that resumes nobody. */
  after(ms: number, action: () => void): void {
    this.#push({ at: this.now + ms, order: this.#created++, wakes: false, action });
  }

  /** Runs an action later that may resolve or reject a promise somebody waits for. */
  wake(ms: number, action: () => void): void {
    this.#push({ at: this.now + ms, order: this.#created++, wakes: true, action });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.wake(ms, resolve));
  }

  /** Runs events until `done` says so or none is left. Rejects with whatever an action throws. */
  run(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          while (!this.#failed) {
            const event = done() ? undefined : this.#pop();
            if (!event) {
              resolve();
              return;
            }
            this.now = event.at;
            this.steps += 1;
            event.action();
            // Promise jobs all run before the next immediate.
            if (event.wakes) {
              setImmediate(turn);
              return;
            }
          }
        } catch (error) {
          this.#failed = true;
          reject(error);
        }
      };
      setImmediate(turn);
    });
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (isEarlier(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isEarlier(right, heap[child] as Event)) child += 1;
      const below = heap[child] as Event;
      if (isEarlier(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isEarlier(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
