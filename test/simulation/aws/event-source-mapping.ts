import {
  afterInvocation,
  type Batch,
  type Verdict,
  verdictOf,
} from '../../../infra/local/event-source-mapping/batch-outcome.ts';
import type { Profile } from '../world/profile.ts';
import type { Random } from '../world/random.ts';
import type { Scheduler } from '../world/scheduler.ts';
import type { Shard, TrueChange } from '../world/source-table.ts';
import type { Faults } from './faults.ts';
import type { Invocation, Result } from './lambda.ts';

/** How long the stream keeps a record. */
const RETENTION_MS = 24 * 3_600_000;
/** Between two polls of a shard, and longest pause between two attempts, in milliseconds. */
const POLL_MS = 250;
const PAUSE_MAX_MS = 30_000;

/** What a function answered to a batch. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export interface MappingHooks {
  invoke(records: readonly TrueChange[]): Promise<Result<BatchAnswer>>;
  /** An answer was taken: the first `taken` records are done. */
  onAnswer(invocation: Invocation, records: readonly TrueChange[], taken: number): void;
  onBatch(records: readonly TrueChange[], what: string): void;
  discard(records: readonly TrueChange[], condition: string, shard: Shard): void;
}

/** Lambda's event source mapping: reads each shard once its parent is done, in batches, until each is through. */
export class EventSourceMapping {
  batches = 0;
  redelivered = 0;
  /** Shards that are not read to their end. */
  unfinished = 0;
  /** Epoch milliseconds until which nothing is invoked. */
  outageUntil = 0;
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #profile: Profile;
  readonly #hooks: MappingHooks;
  readonly #read = new Map<Shard, Promise<void>>();
  readonly #waiting = new Map<Shard, () => void>();
  readonly #writersDone: () => boolean;

  constructor(around: {
    scheduler: Scheduler;
    faults: Faults;
    random: Random;
    profile: Profile;
    hooks: MappingHooks;
    writersDone(): boolean;
  }) {
    this.#scheduler = around.scheduler;
    this.#faults = around.faults;
    this.#random = around.random;
    this.#profile = around.profile;
    this.#hooks = around.hooks;
    this.#writersDone = around.writersDone;
  }

  /** Begins to read a shard, as soon as its parent is done: the children hold what came later. */
  start(shard: Shard): void {
    this.unfinished += 1;
    const parent = shard.parent && this.#read.get(shard.parent);
    const reading = (parent ?? Promise.resolve()).then(() => this.#readShard(shard));
    this.#read.set(shard, reading);
    reading.then(() => {
      this.unfinished -= 1;
    }, this.onError);
  }

  onError: (error: unknown) => void = () => {};

  async #readShard(shard: Shard): Promise<void> {
    let position = 0;
    for (;;) {
      if (position >= shard.records.length) {
        if (!shard.open || this.#writersDone()) return;
        await this.#newRecord(shard);
        continue;
      }
      await this.#scheduler.sleep(this.#random.next() * POLL_MS + this.#windowMs(shard.records.length - position));
      while (this.#scheduler.now < this.outageUntil) await this.#scheduler.sleep(60_000);
      position = this.#trim(shard, position);
      const ready = Math.min(shard.records.length - position, this.#profile.batchSize);
      if (ready === 0) continue;
      const to = position + (this.#random.chance(0.5) ? ready : this.#random.integer(1, ready));
      const restartFrom = await this.#deliver(shard, { from: position, to, failures: 0, invocations: 0 });
      position = restartFrom ?? to;
    }
  }

  /** @returns where to go on when the poller restarted; undefined when the batch is done with. */
  async #deliver(shard: Shard, whole: Batch): Promise<number | undefined> {
    const queue: Batch[] = [whole];
    let pause = 100;
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      const live = this.#discardExpired(shard, batch);
      if (!live) continue;
      const records = shard.records.slice(live.from, live.to);
      const result = await this.#hooks.invoke(records);
      this.batches += 1;
      if (result.status === 'refused') {
        queue.unshift(live);
        await this.#scheduler.sleep(pause);
        continue;
      }
      const verdict = this.#verdict(result, records);
      const bisect = this.#profile.bisect;
      const next = afterInvocation(live, verdict, { bisect, retriesMax: this.#profile.retriesMax });
      if (result.status === 'answered') this.#hooks.onAnswer(result.invocation, records, next.checkpoint - live.from);
      if (next.discarded) {
        this.#hooks.discard(
          shard.records.slice(next.discarded.from, next.discarded.to),
          'RetryAttemptsExhausted',
          shard,
        );
      }
      queue.unshift(...next.retried);
      for (const { from, to } of next.retried) this.redelivered += to - from;
      if (next.retried.length > 0) {
        await this.#scheduler.sleep(pause * this.#random.next());
        pause = Math.min(pause * 2, PAUSE_MAX_MS);
      }
      const restart = this.#restart(shard, next.checkpoint, verdict.kind === 'succeeded' ? live : undefined);
      if (restart !== undefined) return restart;
    }
    return undefined;
  }

  #verdict(result: Exclude<Result<BatchAnswer>, { status: 'refused' }>, records: readonly TrueChange[]): Verdict {
    const answer =
      result.status === 'answered'
        ? { payload: JSON.stringify(result.answer) }
        : { payload: '', functionError: 'Unhandled' };
    return verdictOf(
      answer,
      records.map((it) => it.sequenceNumber),
      true,
    );
  }

  /** At least once: what was answered may come again, with the same cuts or, after a restart, with others. */
  #restart(shard: Shard, checkpoint: number, answered: Batch | undefined): number | undefined {
    let from: number | undefined;
    if (answered && this.#faults.strikes('an answered batch was delivered again')) from = answered.from;
    else if (this.#faults.strikes('the poller restarted from an old checkpoint')) {
      from = Math.max(0, checkpoint - this.#random.integer(0, 2 * this.#profile.batchSize));
    }
    if (from === undefined) return undefined;
    this.redelivered += Math.max(0, checkpoint - from);
    this.#hooks.onBatch(shard.records.slice(from, checkpoint), 'is going to be delivered again');
    return from;
  }

  #discardExpired(shard: Shard, batch: Batch): Batch | undefined {
    const oldest = this.#scheduler.now - this.#profile.maximumAgeMs;
    let from = batch.from;
    while (from < batch.to && (shard.records[from]?.writtenAt ?? 0) < oldest) from += 1;
    if (from > batch.from) this.#hooks.discard(shard.records.slice(batch.from, from), 'RecordAgeExceeded', shard);
    return from < batch.to ? { ...batch, from } : undefined;
  }

  #trim(shard: Shard, position: number): number {
    let at = position;
    for (let record = shard.records[at]; record; record = shard.records[++at]) {
      if (record.writtenAt >= this.#scheduler.now - RETENTION_MS) break;
      record.trimmed = !record.acknowledged;
      if (record.trimmed) this.#faults.note('the stream trimmed unread records');
    }
    return at;
  }

  #windowMs(ready: number): number {
    return ready >= this.#profile.batchSize ? 0 : this.#profile.batchWindowMs;
  }

  #newRecord(shard: Shard): Promise<void> {
    return new Promise((resolve) => {
      let waiting = true;
      const look = () => {
        if (waiting) this.#scheduler.wake(0, resolve);
        waiting = false;
      };
      shard.onRecord = look;
      this.#waiting.set(shard, look);
    });
  }

  /** Nothing will be written any more: readers that wait for records are through. */
  writersAreDone(): void {
    for (const look of this.#waiting.values()) look();
  }
}
