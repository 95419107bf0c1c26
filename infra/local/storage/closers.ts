/** What has been started, to be stopped in the opposite order: whatever stands on something else goes first. */
export class Closers {
  readonly #closers: (() => unknown)[] = [];

  /** Gives back what was started, and keeps how to stop it. */
  add<T>(started: T, close: (started: T) => unknown): T {
    this.#closers.push(() => close(started));
    return started;
  }

  /** Stops everything. One that fails does not keep the others from being stopped; the first error is thrown. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
