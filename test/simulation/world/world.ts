import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { makeIngest } from '../../../functions/ingest.ts';
import { makeRedrive } from '../../../functions/redrive.ts';
import type { IngestConfig } from '../../../shared/config/ingest.ts';
import type { Outcome } from '../../../shared/delivery/deliver.ts';
import type { DeliveryClients } from '../../../shared/delivery/destinations.ts';
import { directOnlineStore } from '../../../shared/online-store/direct.ts';
import { Network } from '../aws/aws-call.ts';
import { DynamoDb } from '../aws/dynamodb.ts';
import { EventSourceMapping } from '../aws/event-source-mapping.ts';
import { type FaultKind, Faults } from '../aws/faults.ts';
import { FeatureStore } from '../aws/feature-store.ts';
import { featureStoreClient } from '../aws/feature-store-client.ts';
import { Firehose } from '../aws/firehose.ts';
import { type Invocation, Lambda } from '../aws/lambda.ts';
import { QuarantineBucket } from '../aws/quarantine-bucket.ts';
import { Conservation } from '../judge/conservation.ts';
import { checkDrained } from '../judge/drained.ts';
import { Violation } from '../judge/violation.ts';
import { batches, Witness } from '../judge/witness.ts';
import { invocationTime } from './invocation-time.ts';
import { Keys } from './keys.ts';
import { drawProfile, type Profile } from './profile.ts';
import { Random } from './random.ts';
import { Retraining } from './retraining.ts';
import { Scheduler } from './scheduler.ts';
import { type Shard, SourceTable, type TrueChange } from './source-table.ts';
import { Writers } from './writers.ts';

const START_MS = Date.UTC(2026, 0, 5, 9);
const REDRIVE_TIMEOUT_MS = 900_000;
const STATE_TABLE = 'state';
/** Mean pause between two redrives while changes are coming in. */
const REDRIVE_PAUSE_MS = 20 * 60_000;
/** Pause after which one redrive follows another, which is how somebody redrives who waits for a change just made. */
const REDRIVE_AGAIN_MS = 15_000;
/** How long versions run at least before others take over, and how often it is looked whether they may. */
const VERSIONS_MS = 30_000;
const VERSIONS_LOOK_MS = 5_000;
/** Writers that a deletion can be overtaken by. */
const LATE_WRITERS = ['an invocation was given up while it ran on', 'an invocation was run twice at once'] as const;
/** Redrives after which everything must be put right, once nothing goes wrong any more. */
const LAST_REDRIVES = 4;
/** Simulated time without anything done after which the stream is held to be stuck. */
const STUCK_MS = 7 * 24 * 3_600_000;

/** A world with less in it: writes that are left out by their places, and kinds of faults. */
export interface Cut {
  isLeftOut(write: number): boolean;
  readonly without: ReadonlySet<FaultKind>;
}
const NOTHING_CUT: Cut = { isLeftOut: () => false, without: new Set() };

/** One simulated world: the real handlers among simulated services, and everything decided by one seed. */
export class World {
  readonly profile: Profile;
  readonly scheduler = new Scheduler(START_MS);
  readonly faults: Faults;
  readonly network: Network;
  readonly keys: Keys;
  readonly table: SourceTable;
  readonly featureStore: FeatureStore;
  readonly firehose: Firehose;
  readonly bucket = new QuarantineBucket();
  readonly dynamodb: DynamoDb;
  readonly lambda: Lambda;
  readonly mapping: EventSourceMapping;
  readonly retraining: Retraining;
  readonly witness: Witness;
  readonly conservation = new Conservation();
  onBatch: (records: readonly TrueChange[], what: string) => void = () => {};
  readonly #random: Random;
  readonly #writers: Writers;
  readonly #config: IngestConfig;
  readonly #reports = new WeakMap<Invocation, Outcome[]>();
  #discards = 0;
  #drained = false;
  /** Of the steps that versions take over in. */
  #step = 0;
  #error: unknown;

  constructor(seed: number, changes: number, { isLeftOut, without }: Cut = NOTHING_CUT) {
    const random = new Random(seed);
    const profile = drawProfile(random.fork(), changes);
    const { scheduler } = this;
    // Where a tombstone keeps no event time, nothing can hold off a write that was on its way before the deletion.
    const faults = new Faults(
      random.fork(),
      profile.intensity,
      profile.tombstones.keepEventTime ? [] : LATE_WRITERS,
      without,
    );
    this.profile = profile;
    this.faults = faults;
    this.#random = random.fork();
    this.network = new Network(scheduler, faults, random.fork());
    const { hazardSeconds, sequenceDigits: digits } = profile;
    this.keys = new Keys(profile.keys, profile.records, random.fork());
    const { numbersBeginAnew } = profile;
    this.table = new SourceTable({
      ...{ scheduler, faults, hazardSeconds, digits, numbersBeginAnew, isLeftOut },
      random: random.fork(),
      keys: this.keys,
    });
    this.#writers = new Writers(random.fork(), scheduler, this.table, profile, this.keys);
    this.witness = new Witness(this.table, profile, () => this.featureStore);
    this.featureStore = new FeatureStore({
      group: profile.group,
      tieRule: profile.tieRule,
      tombstones: profile.tombstones,
      faults,
      random: random.fork(),
      onWrite: (write, caller) => this.witness.onlineWrite(write, caller),
    });
    this.firehose = new Firehose({
      scheduler,
      faults,
      random: random.fork(),
      onRow: (row, caller) => this.witness.row(row, caller),
    });
    this.dynamodb = new DynamoDb({
      scheduler,
      faults,
      stateTable: STATE_TABLE,
      conditionsInBatches: profile.conditionsInBatches,
      readSource: (key) => this.table.items.get(this.keys.identifierOf(key))?.attributes,
      onWrite: (pk, before, after, caller) => {
        this.witness.stateWrite(pk, before, after, caller);
        if (pk.startsWith('label#')) this.retraining.labelWritten();
      },
    });
    this.lambda = new Lambda(scheduler, faults, random.fork());
    const { lambda, network, dynamodb } = this;
    this.retraining = new Retraining({
      ...{ scheduler, faults, profile, lambda, network, dynamodb },
      random: random.fork(),
      stateTable: STATE_TABLE,
    });
    this.mapping = new EventSourceMapping({
      ...{ scheduler, faults, profile },
      random: random.fork(),
      writersDone: () => this.#writers.done,
      hooks: {
        invoke: (records) => this.#invokeIngest(records),
        onAnswer: (invocation, records, taken) => this.#onAnswer(invocation, records, taken),
        onBatch: (records, what) => this.onBatch(records, what),
        discard: (records, condition, shard) => this.#discard(records, condition, shard),
      },
    });
    this.#config = {
      featureGroup: profile.group.name,
      stateTable: STATE_TABLE,
      changeLogStream: 'change-log',
      quarantineBucket: 'quarantine',
      hazardWindowSeconds: profile.hazardSeconds,
      featureStoreConcurrency: profile.featureStoreConcurrency,
      featureStoreWriter: 'sdk',
      fences: 'pages',
    };
    this.#wire();
  }

  /** Runs the world to its end. @throws Violation, or Error when the simulation itself is at fault. */
  async run(): Promise<void> {
    for (const shard of this.table.shards) this.mapping.start(shard);
    this.#writers.start();
    this.retraining.schedule(() => this.#drained);
    this.#redriveNowAndThen();
    this.#nextVersions();
    const finished = this.#finish().catch((error: unknown) => this.#fail(error));
    await this.scheduler.run(() => this.#drained || this.#error !== undefined);
    if (this.#error !== undefined) throw this.#error;
    if (!this.#drained) throw new Violation('the stream is drained', 'nothing is left to be done, and it is not');
    await finished;
  }

  #wire(): void {
    const { profile, scheduler, table, mapping } = this;
    table.onChange = (change) => this.witness.changed(change);
    table.onShard = (shard) => mapping.start(shard);
    mapping.onError = (error) => this.#fail(error);
    if (profile.outageHours > 0) {
      scheduler.after(this.#random.next() * 600_000, () => {
        mapping.outageUntil = scheduler.now + profile.outageHours * 3_600_000;
      });
    }
    this.lambda.onThrow = ({ name }, error) => {
      if (name.startsWith('retrain')) return;
      this.#fail(new Violation('ingest and redrive answer, whatever happens', `${name} threw ${String(error)}`));
    };
    this.lambda.onTimeout = (invocation) => {
      if (invocation.name.startsWith('retrain')) return;
      const [first] = batches.get(invocation) ?? [];
      const words = `${invocation.name} timed out`;
      this.#fail(new Violation('ingest and redrive answer in time', words, first?.recordIdentifier));
    };
  }

  #fail(error: unknown): void {
    this.#error ??= error;
  }

  /** What comes after the last write: fair weather, the stream read to its end, repairs, and the checks. */
  async #finish(): Promise<void> {
    const { scheduler, faults, mapping } = this;
    await new Promise<void>((resolve) => {
      this.#writers.onDone = () => scheduler.wake(0, resolve);
    });
    mapping.writersAreDone();
    const last = scheduler.now;
    // The weather holds for a while yet, so that the stream's end is no safer than its middle.
    await scheduler.sleep(this.#random.next() * 120_000);
    faults.enabled = false;
    while (mapping.unfinished > 0) {
      await scheduler.sleep(10_000);
      if (scheduler.now > last + STUCK_MS)
        throw new Violation('the stream is drained', 'after a week of calm it is not');
    }
    // Invocations that were given up on may still run on.
    await scheduler.sleep(this.profile.timeoutMs + 20_000);
    // A stream that was made anew may be ahead of the clock, and a repair is dated after all that is known.
    const lastMs = 1_000 * this.table.changes.reduce((latest, { second }) => Math.max(latest, second), 0);
    await scheduler.sleep(Math.max(0, lastMs - scheduler.now));
    for (let round = 0; round < LAST_REDRIVES; round += 1) {
      await this.#redrive();
      await scheduler.sleep(15_000);
    }
    await this.retraining.settle();
    while (this.firehose.buffered > 0) await scheduler.sleep(10_000);
    checkDrained({ ...this, group: this.profile.group });
    this.#drained = true;
  }

  async #invokeIngest(records: readonly TrueChange[]) {
    const event = { Records: records.map((it) => it.record) };
    return this.lambda.invoke({
      functionName: 'ingest',
      timeoutMs: this.profile.timeoutMs,
      run: (invocation, remainingMs) => {
        batches.set(invocation, records);
        this.onBatch(records, `${invocation.name} is given`);
        const reports: Outcome[] = [];
        this.#reports.set(invocation, reports);
        const ingest = makeIngest({
          config: this.#configNow(),
          group: this.profile.group,
          clients: this.#clients(invocation),
          putObject: (input, abortSignal) => this.#s3(invocation).send(new PutObjectCommand(input), { abortSignal }),
          time: invocationTime(this.scheduler, this.#random, invocation),
          report: (outcome) => reports.push(outcome),
        });
        return ingest(event, { getRemainingTimeInMillis: remainingMs });
      },
    });
  }

  /** Of one of the versions that run just now. */
  #configNow(): IngestConfig {
    return { ...this.#config, fences: this.#random.pick(this.profile.fences[this.#step] ?? ['pages']) };
  }

  /**
   * Other versions take over once those before have run for a while, and all has been delivered that the table had then:
   * as the guide tells it.
   */
  #nextVersions(): void {
    if (this.#step === this.profile.fences.length - 1) return;
    const { scheduler, table } = this;
    let [at, end] = [0, 0];
    const look = () => {
      if (this.#drained) return;
      end ||= table.changes.length;
      const isThrough = ({ acknowledged, discarded, trimmed }: TrueChange) => acknowledged || discarded || trimmed;
      while (at < end && isThrough(table.changes[at] as TrueChange)) at += 1;
      if (at < end) scheduler.after(VERSIONS_LOOK_MS, look);
      else {
        this.#step += 1;
        this.#nextVersions();
      }
    };
    scheduler.after(VERSIONS_MS, look);
  }

  #clients(invocation: Invocation): DeliveryClients {
    const { network } = this;
    const overHttp =
      this.profile.featureStoreWriter === 'direct'
        ? featureStoreClient(network, this.featureStore, invocation)
        : undefined;
    return {
      dynamodb: network.client(this.dynamodb, invocation),
      featureStore: overHttp ?? network.client(this.featureStore, invocation),
      ...(overHttp && { onlineStore: (group) => directOnlineStore(group, overHttp) }),
      firehose: network.client(this.firehose, invocation),
    };
  }

  #s3(invocation: Invocation): Pick<S3Client, 'send'> {
    return this.network.client(this.bucket, invocation);
  }

  #onAnswer(invocation: Invocation, records: readonly TrueChange[], taken: number): void {
    this.onBatch(records.slice(0, taken), `${invocation.name} acknowledged`);
    this.conservation.check(this.#reports.get(invocation) ?? [], records, taken, this.witness);
    this.witness.acknowledged(records, taken, this.bucket.quarantined);
  }

  /** Lambda gives a batch up: its S3 destination gets the whole invocation record. */
  #discard(records: readonly TrueChange[], condition: string, shard: Shard): void {
    this.onBatch(records, `Lambda gave up (${condition}) on`);
    for (const record of records) record.discarded = true;
    this.#discards += 1;
    const body = {
      requestContext: { condition },
      DDBStreamBatchInfo: { shardId: String(shard.id), batchSize: records.length },
      payload: JSON.stringify({ Records: records.map((it) => it.record) }),
    };
    // Lambda's keys begin with the time, so that a listing has them in order.
    const time = new Date(this.scheduler.now).toISOString();
    this.bucket.put(`aws/lambda/mapping/shard-${shard.id}/${time}-${this.#discards}`, JSON.stringify(body));
  }

  #redriveNowAndThen(): void {
    const mean = this.#random.chance(0.3) ? REDRIVE_AGAIN_MS : REDRIVE_PAUSE_MS;
    this.scheduler.wake(this.#random.exponential(mean), () => {
      if (this.#writers.done) return;
      void this.#redrive().then(() => this.#redriveNowAndThen());
    });
  }

  /** As `npm run redrive` does: asks until nothing is left to be looked at. */
  async #redrive(): Promise<void> {
    let after: string | undefined;
    do {
      if (this.bucket.objects.size === 0) return;
      const result = await this.#redriveOnce(after);
      const next = result.status === 'answered' ? result.answer.next : undefined;
      after = next === after ? undefined : next;
    } while (after !== undefined);
  }

  #redriveOnce(after: string | undefined) {
    return this.lambda.invoke({
      functionName: 'redrive',
      timeoutMs: REDRIVE_TIMEOUT_MS,
      run: (invocation, remainingMs) => {
        this.onBatch([], `${invocation.name} begins`);
        const redrive = makeRedrive({
          config: this.#configNow(),
          group: this.profile.group,
          clients: this.#clients(invocation),
          s3: this.#s3(invocation),
          time: invocationTime(this.scheduler, this.#random, invocation),
        });
        const request = { action: 'redrive' as const, ...(after !== undefined && { after }) };
        return redrive(request, { getRemainingTimeInMillis: remainingMs });
      },
    });
  }
}
