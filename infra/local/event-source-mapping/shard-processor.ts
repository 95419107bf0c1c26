import { afterInvocation, type Batch, splitExpired, type Verdict, verdictOf } from './batch-outcome.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { EventSourceMappingConfig } from './config.ts';
import type { DiscardCondition } from './on-failure.ts';
import type { ShardPage, ShardReader } from './shard-reader.ts';
import { creationSecondsOf, eventText, type HeldRecord, hold, lambdaRecord } from './stream-record.ts';
import type { Waker } from './waker.ts';

/** Most bytes of an event. Source: Lambda quotas, invocation payload, synchronous: 6 MB. */
const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;
/** `{"Records":[]}`, and a comma after each record. */
const ENVELOPE_BYTES = 14;
/** Most records GetRecords answers. Source: its API reference. */
const READ_MAX = 1_000;
/** Least wait between a page that was not full and the next: to read a few records costs as much as to read many. */
const READ_AGAIN_MILLIS = 25;
/** A record is gone after this many seconds, and so is retried no longer. Source: DynamoDB Streams, retention. */
const RETENTION_SECONDS = 86_400;

/** Answer of an invocation, as far as a mapping looks at it. */
export interface InvocationAnswer {
  readonly requestId: string;
  readonly payload: string;
  readonly functionError?: string | undefined;
}

export interface ShardDeps {
  readonly config: EventSourceMappingConfig;
  readonly shardId: string;
  readonly reader: ShardReader;
  readonly checkpoints: Checkpoints;
  readonly passes: (record: object) => boolean;
  readonly invoke: (payload: string) => Promise<InvocationAnswer>;
  readonly discard: (
    condition: DiscardCondition,
    records: readonly HeldRecord[],
    invocations: number,
    last: InvocationAnswer | undefined,
  ) => Promise<void>;
  readonly report: (problem: string) => void;
  /** Number of the latest call of idle(): what is read after it counts for it. */
  readonly ticket: () => number;
  readonly waker: Waker;
  readonly pollMillis: number;
  readonly retryMillis: { readonly first: number; readonly max: number };
}

/** Gathers a shard's records into batches and sees each of them through, strictly in order. */
export class ShardProcessor {
  readonly #deps: ShardDeps;
  #held: HeldRecord[] = [];
  #ended = false;
  #failuresInARow = 0;
  #handled = 0;
  #caughtUp = 0;
  /** Seconds in which the last records that were read, and handled, were written. */
  #readSeconds = 0;
  #handledSeconds = 0;
  #done = false;

  constructor(deps: ShardDeps) {
    this.#deps = deps;
  }

  /** Runs until the shard has ended or is stopped. */
  async run(): Promise<void> {
    const { waker, checkpoints, shardId, reader } = this.#deps;
    while (!waker.stopped && !this.#done) {
      await this.#gather();
      if (this.#held.length > 0) await this.#handle();
      else if (this.#ended && !waker.stopped) {
        checkpoints.set(shardId, { sequenceNumber: reader.last, done: true });
        this.#done = true;
      }
    }
  }

  /**
   * Everything that was on the shard when `ticket` was drawn, at `ms` (epoch milliseconds), has been handled: there was
   * no more to read afterwards, or something younger has been handled. A busy shard always has more to read.
   */
  caughtUp(ticket: number, ms: number): boolean {
    return this.#done || this.#caughtUp >= ticket || this.#handledSeconds * 1_000 > ms;
  }

  status() {
    const { shardId, checkpoints } = this.#deps;
    return {
      shardId,
      sequenceNumber: checkpoints.get(shardId)?.sequenceNumber,
      done: this.#done,
      handled: this.#handled,
      waiting: this.#held.length,
      failuresInARow: this.#failuresInARow,
    };
  }

  /** Reads until there is a full batch, the window has passed, or with no window, until a page has nothing to add. */
  async #gather(): Promise<void> {
    const { config, waker, pollMillis, ticket } = this.#deps;
    const windowMillis = config.MaximumBatchingWindowInSeconds * 1_000;
    let deadline = this.#held.length > 0 ? Date.now() + windowMillis : undefined;
    while (!waker.stopped && !this.#ended && this.#batchLength().full === false) {
      const drawn = ticket();
      const limit = Math.min(READ_MAX, config.BatchSize - this.#held.length);
      const before = this.#held.length;
      const page = await this.#read(limit);
      if (!page) continue;
      this.#take(page);
      if (this.#held.length === 0) {
        if (page.records.length > 0) continue;
        this.#caughtUp = drawn;
        if (this.#ended) continue;
        // Writes to any table wake it, which on a busy one would be for nothing hundreds of times a second.
        await waker.sleep(Math.min(READ_AGAIN_MILLIS, pollMillis));
        await waker.wait(pollMillis);
        continue;
      }
      deadline ??= Date.now() + windowMillis;
      const left = deadline - Date.now();
      if (left <= 0 && (windowMillis > 0 || this.#held.length === before)) return;
      // A wake-up tells nothing new while a window is open: the batch waits for the window anyway.
      if (left > 0 && page.records.length < limit) {
        await waker.sleep(Math.min(page.records.length === 0 ? pollMillis : READ_AGAIN_MILLIS, left));
      }
    }
  }

  /** One page; undefined after an error, which has been waited out. */
  async #read(limit: number): Promise<ShardPage | undefined> {
    try {
      return await this.#deps.reader.read(limit);
    } catch (error) {
      this.#deps.report(`${this.#deps.shardId} could not be read: ${(error as Error).message}`);
      await this.#backOff();
      return undefined;
    }
  }

  #take(page: ShardPage): void {
    const { config, passes, reader, shardId, checkpoints } = this.#deps;
    for (const record of page.records) {
      const event = lambdaRecord(record, config.EventSourceArn);
      this.#readSeconds = creationSecondsOf(record);
      if (passes(event)) this.#held.push(hold(record, event));
    }
    this.#failuresInARow = 0;
    this.#ended = page.ended;
    // What the filter has let none through of is handled.
    if (this.#held.length === 0 && page.records.length > 0) {
      checkpoints.set(shardId, { sequenceNumber: reader.last, done: false });
      this.#handledSeconds = this.#readSeconds;
    }
  }

  /** How many of the records held make up the next batch, and whether another could not join them. */
  #batchLength(): { length: number; full: boolean } {
    let bytes = ENVELOPE_BYTES;
    for (const [length, record] of this.#held.entries()) {
      bytes += record.bytes + 1;
      if (length > 0 && bytes > PAYLOAD_BYTES_MAX) return { length, full: true };
      if (length + 1 >= this.#deps.config.BatchSize) return { length: length + 1, full: true };
    }
    return { length: this.#held.length, full: false };
  }

  async #handle(): Promise<void> {
    const { config, waker } = this.#deps;
    const { length } = this.#batchLength();
    const retry = { bisect: config.BisectBatchOnFunctionError, retriesMax: config.MaximumRetryAttempts };
    let pending: readonly Batch[] = [{ from: 0, to: length, failures: 0, invocations: 0 }];
    while (!waker.stopped) {
      const [next, ...later] = pending;
      if (!next) break;
      const { expired, live } = splitExpired(next, (position) => this.#secondsOf(position), this.#oldest());
      if (expired) {
        await this.#discard('RecordAgeExceeded', expired, undefined);
        pending = live ? [live, ...later] : later;
        continue;
      }
      const outcome = await this.#invoke(next);
      // An invocation that was refused (throttled, say) is no failure of the function: it uses up no attempt.
      if (!outcome) continue;
      const step = afterInvocation(next, outcome.verdict, retry);
      this.#checkpoint(step.checkpoint);
      if (step.discarded) await this.#discard('RetryAttemptsExhausted', step.discarded, outcome.answer);
      pending = [...step.retried, ...later];
      if (outcome.verdict.kind === 'succeeded' || step.discarded) this.#failuresInARow = 0;
      else await this.#backOff();
    }
    if (waker.stopped) return;
    this.#handled += length;
    this.#held = this.#held.slice(length);
  }

  async #invoke(batch: Batch): Promise<{ answer: InvocationAnswer; verdict: Verdict } | undefined> {
    const { config, invoke, report } = this.#deps;
    const records = this.#held.slice(batch.from, batch.to);
    try {
      const answer = await invoke(eventText(records));
      const reports = config.FunctionResponseTypes.includes('ReportBatchItemFailures');
      const sequenceNumbers = records.map((it) => it.sequenceNumber);
      return { answer, verdict: verdictOf(answer, sequenceNumbers, reports) };
    } catch (error) {
      report(`${config.FunctionName} could not be invoked: ${(error as Error).message}`);
      await this.#backOff();
      return undefined;
    }
  }

  /** Sends records to the destination, for as long as that takes: nothing is passed over that was not sent. */
  async #discard(condition: DiscardCondition, batch: Batch, last: InvocationAnswer | undefined): Promise<void> {
    const records = this.#held.slice(batch.from, batch.to);
    while (!this.#deps.waker.stopped) {
      try {
        await this.#deps.discard(condition, records, batch.invocations, last);
        this.#checkpoint(batch.to);
        return;
      } catch (error) {
        this.#deps.report(`discarded records could not be sent on: ${(error as Error).message}`);
        await this.#backOff();
      }
    }
  }

  /** Remembers that the records held before a position are handled, and those read and filtered out with them. */
  #checkpoint(position: number): void {
    if (position === 0) return;
    const { checkpoints, shardId, reader } = this.#deps;
    const isAll = position === this.#held.length;
    const sequenceNumber = isAll ? reader.last : this.#held[position - 1]?.sequenceNumber;
    checkpoints.set(shardId, { sequenceNumber, done: false });
    this.#handledSeconds = isAll ? this.#readSeconds : this.#secondsOf(position - 1);
  }

  #secondsOf(position: number): number {
    return this.#held[position]?.creationSeconds ?? 0;
  }

  #oldest(): number {
    const { MaximumRecordAgeInSeconds: age } = this.#deps.config;
    return Date.now() / 1_000 - (age === -1 ? RETENTION_SECONDS : Math.min(age, RETENTION_SECONDS));
  }

  async #backOff(): Promise<void> {
    const { first, max } = this.#deps.retryMillis;
    const millis = Math.min(max, first * 2 ** Math.min(this.#failuresInARow, 20));
    this.#failuresInARow += 1;
    await this.#deps.waker.sleep(millis);
  }
}
