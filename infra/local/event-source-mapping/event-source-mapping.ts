import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { arn } from '../protocol/arn.ts';
import type { Call } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { type Checkpoint, type Checkpoints, checkpoints } from './checkpoints.ts';
import { type EventSourceMappingConfig, type EventSourceMappingInput, parseEventSourceMapping } from './config.ts';
import { filterOf } from './filter-pattern.ts';
import { sendToBucket } from './on-failure.ts';
import { type InvocationAnswer, type ShardDeps, ShardProcessor } from './shard-processor.ts';
import { ShardReader } from './shard-reader.ts';
import { Waker } from './waker.ts';

/** Lambda polls a shard four times a second. Source: Lambda developer guide, "Polling and batching streams". */
const POLL_MILLIS = 250;
/** How often new shards are looked for, in milliseconds. A shard that ends is followed by its children at once. */
const DISCOVERY_MILLIS = 2_000;
/** Waits between retries, doubling. AWS backs off too, for longer, and does not say how. */
const RETRY_MILLIS = { first: 100, max: 5_000 };
const IDLE_POLL_MILLIS = 5;

export interface EventSourceMappingDeps {
  readonly call: Call;
  /** Invokes the function with an event's JSON text. It throws when the invocation itself is refused. */
  readonly invoke: (functionName: string, payload: string) => Promise<InvocationAnswer>;
  /** Where on-failure destinations are written. */
  readonly objects: ObjectStore;
  /** Where checkpoints are kept. */
  readonly db: DatabaseSync;
  /** Tells of writes, so that records are not waited for until the next poll. */
  readonly onWrite?: (listener: () => void) => () => void;
  /** Takes what went wrong, one line each. Default: console.error. */
  readonly report?: (problem: string) => void;
  readonly pollMillis?: number;
  readonly retryMillis?: { readonly first: number; readonly max: number };
}

export interface EventSourceMapping {
  /** Stops after the invocation that is running. */
  stop(): Promise<void>;
  /** Resolves when every record that was on the stream at the call is handled. */
  idle(): Promise<void>;
  status(): { discarded: number; lastProblem: string | undefined; shards: ReturnType<ShardProcessor['status']>[] };
}

interface Shard {
  readonly ShardId: string;
  readonly ParentShardId?: string;
}

/**
 * Lambda's event source mapping for a DynamoDB stream: a function is invoked with batches of records, shard by shard
 * in the order of their lineage, as configured by the parameters of CreateEventSourceMapping.
 *
 * @throws Error when the configuration is not one that Lambda, or the local cloud, would take.
 */
export function startEventSourceMapping(
  input: EventSourceMappingInput,
  deps: EventSourceMappingDeps,
): EventSourceMapping {
  const config = parseEventSourceMapping(input);
  const mapping = new Mapping(config, deps);
  const unsubscribe = deps.onWrite?.(() => mapping.wake());
  const running = config.Enabled ? mapping.run() : Promise.resolve();
  return {
    async stop() {
      unsubscribe?.();
      mapping.stop();
      await running;
    },
    idle: () => (config.Enabled ? mapping.idle() : Promise.resolve()),
    status: () => mapping.status(),
  };
}

class Mapping {
  readonly #config: EventSourceMappingConfig;
  readonly #deps: EventSourceMappingDeps;
  readonly #passes: (record: object) => boolean;
  readonly #checkpoints: Checkpoints;
  readonly #shards = new Map<string, { processor: ShardProcessor; waker: Waker; running: Promise<void> }>();
  readonly #discovery = new Waker();
  #ticket = 0;
  #discovered = 0;
  /** Shards that cannot start before their parents are handled. */
  #waiting = 0;
  #discarded = 0;
  #lastProblem: string | undefined;

  constructor(config: EventSourceMappingConfig, deps: EventSourceMappingDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#passes = filterOf((config.FilterCriteria?.Filters ?? []).map((it) => it.Pattern));
    this.#checkpoints = checkpoints(deps.db, config.UUID, config.EventSourceArn);
  }

  async run(): Promise<void> {
    const { first, max } = this.#deps.retryMillis ?? RETRY_MILLIS;
    let retryMillis = first;
    while (!this.#discovery.stopped) {
      const ticket = this.#ticket;
      try {
        await this.#startShards();
        this.#discovered = ticket;
        retryMillis = first;
        await this.#discovery.wait(DISCOVERY_MILLIS);
      } catch (error) {
        this.#report(`the stream could not be described: ${(error as Error).message}`);
        await this.#discovery.sleep(retryMillis);
        retryMillis = Math.min(max, retryMillis * 2);
      }
    }
    await Promise.all([...this.#shards.values()].map((it) => it.running));
  }

  wake(): void {
    for (const { waker } of this.#shards.values()) waker.wake();
  }

  stop(): void {
    this.#discovery.stop();
    for (const { waker } of this.#shards.values()) waker.stop();
  }

  async idle(): Promise<void> {
    this.#ticket += 1;
    const [ticket, ms] = [this.#ticket, Date.now()];
    this.#discovery.wake();
    this.wake();
    const caughtUp = () =>
      this.#discovered >= ticket &&
      this.#waiting === 0 &&
      [...this.#shards.values()].every(({ processor }) => processor.caughtUp(ticket, ms));
    while (!this.#discovery.stopped && !caughtUp()) await sleep(IDLE_POLL_MILLIS);
  }

  status() {
    return {
      discarded: this.#discarded,
      lastProblem: this.#lastProblem,
      shards: [...this.#shards.values()].map(({ processor }) => processor.status()),
    };
  }

  /** Starts every shard whose parent is handled, or gone. */
  async #startShards(): Promise<void> {
    const shards = await this.#describe();
    if (!this.#checkpoints.started() && this.#config.StartingPosition === 'LATEST') await this.#skip(shards);
    const listed = new Set(shards.map((it) => it.ShardId));
    const handled = (shardId: string) => this.#checkpoints.get(shardId)?.done === true;
    let waiting = 0;
    for (const { ShardId, ParentShardId } of shards) {
      if (this.#discovery.stopped || this.#shards.has(ShardId) || handled(ShardId)) continue;
      if (ParentShardId !== undefined && listed.has(ParentShardId) && !handled(ParentShardId)) waiting += 1;
      else this.#startShard(ShardId);
    }
    this.#waiting = waiting;
  }

  #startShard(shardId: string): void {
    const waker = new Waker();
    const after = this.#checkpoints.get(shardId)?.sequenceNumber;
    const processor = new ShardProcessor({ ...this.#shardDeps(shardId, after), waker });
    const running = processor.run().then(() => this.#discovery.wake());
    this.#shards.set(shardId, { processor, waker, running });
  }

  #shardDeps(shardId: string, after: string | undefined): Omit<ShardDeps, 'waker'> {
    const { call, invoke, pollMillis = POLL_MILLIS, retryMillis = RETRY_MILLIS, objects } = this.#deps;
    const { EventSourceArn: StreamArn, FunctionName, UUID, DestinationConfig } = this.#config;
    const report = (problem: string) => this.#report(problem);
    const bucket = DestinationConfig?.OnFailure.Destination.split(':::')[1];
    return {
      config: this.#config,
      shardId,
      reader: new ShardReader(call, { StreamArn, ShardId: shardId }, after, report),
      checkpoints: this.#checkpoints,
      passes: this.#passes,
      invoke: (payload) => invoke(FunctionName, payload),
      discard: async (condition, records, invocations, last) => {
        const functionArn = FunctionName.startsWith('arn:') ? FunctionName : arn('lambda', `function:${FunctionName}`);
        const discarded = {
          mapping: UUID,
          functionArn,
          streamArn: StreamArn,
          shardId,
          condition,
          records,
          invocations,
        };
        const key = bucket && (await sendToBucket(objects, bucket, { ...discarded, last }));
        this.#discarded += records.length;
        const where = key ? `kept as s3://${bucket}/${key}` : 'lost, since there is no on-failure destination';
        report(`${records.length} record(s) given up (${condition}): ${where}`);
      },
      report,
      ticket: () => this.#ticket,
      pollMillis,
      retryMillis,
    };
  }

  /**
   * LATEST: what is on the stream when the mapping starts for the first time is passed over, once. Later shards and
   * later starts read everything, so that no record falls between them.
   */
  async #skip(shards: readonly Shard[]): Promise<void> {
    const passed = new Map<string, Checkpoint>();
    for (const { ShardId } of shards) {
      const shard = { StreamArn: this.#config.EventSourceArn, ShardId };
      const reader = new ShardReader(this.#deps.call, shard, undefined, (problem) => this.#report(problem));
      let page = await reader.read(1_000);
      while (page.records.length > 0 && !page.ended) page = await reader.read(1_000);
      passed.set(ShardId, { sequenceNumber: reader.last, done: page.ended });
    }
    for (const [shardId, checkpoint] of passed) this.#checkpoints.set(shardId, checkpoint);
  }

  async #describe(): Promise<Shard[]> {
    const shards: Shard[] = [];
    let last: string | undefined;
    do {
      const { StreamDescription } = (await this.#deps.call('dynamodbstreams', 'DescribeStream', {
        StreamArn: this.#config.EventSourceArn,
        ...(last !== undefined && { ExclusiveStartShardId: last }),
      })) as { StreamDescription: { Shards?: Shard[]; LastEvaluatedShardId?: string | null } };
      shards.push(...(StreamDescription.Shards ?? []));
      last = StreamDescription.LastEvaluatedShardId ?? undefined;
    } while (last !== undefined);
    return shards;
  }

  #report(problem: string): void {
    this.#lastProblem = problem;
    const { report = console.error } = this.#deps;
    report(`event source mapping of ${this.#config.FunctionName}: ${problem}`);
  }
}
