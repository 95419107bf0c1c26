/** A wait that can be cut short: by `wake`, which a later wait remembers, and for good by `stop`. */
export class Waker {
  #woken = false;
  #stopped = false;
  /** Ends the wait that is under way; `isWait` tells one that a wake-up may cut short. */
  #waiting: { readonly end: () => void; readonly isWait: boolean } | undefined;

  get stopped(): boolean {
    return this.#stopped;
  }

  wake(): void {
    this.#woken = true;
    if (this.#waiting?.isWait) this.#waiting.end();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting?.end();
  }

  /** Waits until the time is over or it is woken. */
  async wait(millis: number): Promise<void> {
    if (!this.#woken) await this.#pause(millis, true);
    this.#woken = false;
  }

  /** Waits the whole time, unless it is stopped. */
  async sleep(millis: number): Promise<void> {
    await this.#pause(millis, false);
  }

  /** A timer and no signal: an aborted signal's error costs more than the rest, and a busy table wakes all the time. */
  async #pause(millis: number, isWait: boolean): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve();
      };
      const timer = setTimeout(end, millis);
      this.#waiting = { end, isWait };
    });
  }
}
