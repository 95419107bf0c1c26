import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { makeIngest } from '../../../functions/ingest.ts';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import type { DeliveryClients } from '../../../shared/delivery/destinations.ts';
import { onlineStoreOf } from '../../../shared/delivery/destinations.ts';
import { EXPORT_MARGIN_SECONDS, READING_MARGIN_SECONDS } from '../../../shared/history/dating.ts';
import type { HistoryDependencies } from '../../../shared/history/machine/dependencies.ts';
import { runBackfill, type Work } from '../../../shared/history/run/backfill.ts';
import type { BackfillDestinations } from '../../../shared/history/run/chunk.ts';
import type { GivenExports } from '../../../shared/history/run/exports.ts';
import { fileNameOf } from '../../../shared/history/run/file.ts';
import {
  definitionHash,
  type PlannedFile,
  plannedFiles,
  plannedScan,
  refusalOf,
} from '../../../shared/history/run/plan.ts';
import { adaptiveRate } from '../../../shared/history/run/rate.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';
import { quarantine } from '../../../shared/sinks/quarantine.ts';
import { type BackfillRun, beginBackfill, readBackfill } from '../../../shared/state/backfill/run.ts';
import { AwsError, type AwsService, type Caller, Network } from '../aws/aws-call.ts';
import { DynamoDb } from '../aws/dynamodb.ts';
import { EventSourceMapping } from '../aws/event-source-mapping.ts';
import type { Item } from '../aws/expression.ts';
import { Faults } from '../aws/faults.ts';
import { FeatureStore } from '../aws/feature-store.ts';
import { Firehose } from '../aws/firehose.ts';
import { type Invocation, Lambda } from '../aws/lambda.ts';
import { QuarantineBucket } from '../aws/quarantine-bucket.ts';
import { Violation } from '../judge/violation.ts';
import { invocationTime } from '../world/invocation-time.ts';
import { Keys } from '../world/keys.ts';
import { drawProfile, type Profile } from '../world/profile.ts';
import { Random } from '../world/random.ts';
import { Retraining } from '../world/retraining.ts';
import { Scheduler } from '../world/scheduler.ts';
import { SourceTable, type TrueChange } from '../world/source-table.ts';
import { Writers } from '../world/writers.ts';
import { Exports } from './history.ts';
import { Machine } from './machine.ts';
import { Sightings } from './sightings.ts';

const START_MS = Date.UTC(2026, 0, 5, 9);
const STATE_TABLE = 'state';
/** Mean times between two writes, in milliseconds: they go on for as long as a backfill takes. */
const TEMPOS_MS = [100, 10_000, 30_000, 100_000];
/** How far the clock of exports, and that of who backfills, may be off, in milliseconds. */
const EXPORT_CLOCK_MS = 60_000;
const RUNNER_CLOCK_MS = 10_000;
/** How much further than an invocation's elsewhere, which is 1.5 seconds, the clocks of this world are off. */
const CLOCK_FACTOR = 6;
/** Longest time that a put is on its way after its caller has gone, in milliseconds. */
const LATE_PUT_MS = 50_000;
/** Items of a page of a scan, and how many segments are read at once. */
const PAGE_ITEMS = 6;
const SEGMENTS = [1, 1, 3];
/** Files that the state machine works at once, and its bucket. */
const WORKERS = [1, 2, 4];
const BUCKET = 'data';
/** Longest that an invocation of retrain goes on which has seen no backfill, in milliseconds. */
const RETRAIN_MS = 120_000;
/** Pause before somebody takes a backfill up again, how often, and after what time one that hangs is killed. */
const RESUME_MEAN_MS = 900_000;
const RESUMES_MAX = 1_000;
const RESUMES_IN_FAIR_WEATHER = 10;
const RUN_TIMEOUT_MS = 26 * 3_600_000;
const STUCK_MS = 14 * 24 * 3_600_000;
/** What the stream's own promises do not outlast is left to the other simulation. */
const NEVER = ['the stream was made anew'] as const;
const LATE_WRITERS = ['an invocation was given up while it ran on', 'an invocation was run twice at once'] as const;

/**
 * A table that is older than its stream, an application that goes on writing and deleting, and somebody who backfills
 * it, is interrupted everywhere, and takes it up again.
 */
export class BackfillWorld {
  readonly profile: Profile;
  readonly scheduler = new Scheduler(START_MS);
  readonly faults: Faults;
  readonly table: SourceTable;
  readonly featureStore: FeatureStore;
  readonly firehose: Firehose;
  readonly dynamodb: DynamoDb;
  readonly bucket = new QuarantineBucket();
  readonly exports: Exports;
  /** Objects of the change log, by their keys. */
  readonly rows = new Map<string, Buffer>();
  /** Files of the backfill, once it is planned; none of one that scans the table. */
  files: readonly PlannedFile[] = [];
  /** Whether the table is scanned, in place of being exported. */
  readonly scans: boolean;
  readonly retraining: Retraining;
  /** Works the backfill, in place of a command, where there is one. */
  readonly #machine: Machine | undefined;
  resumes = 0;
  #work: Work | undefined;
  readonly #sightings: Sightings;
  readonly #keys: Keys;
  readonly #random: Random;
  readonly #network: Network;
  readonly #lambda: Lambda;
  readonly #mapping: EventSourceMapping;
  readonly #writers: Writers;
  #over = false;
  /** Until then the world itself writes at moments that matter. */
  #isBackfilled = false;
  #error: unknown;
  #recordsSinceMs = 0;

  constructor(seed: number, changes: number) {
    const random = new Random(seed, 17);
    const { scheduler } = this;
    const profile = drawWorld(random, changes);
    this.profile = profile;
    const never = profile.tombstones.keepEventTime ? NEVER : [...NEVER, ...LATE_WRITERS];
    const faults = new Faults(random.fork(), profile.intensity, never);
    this.faults = faults;
    this.#random = random.fork();
    this.#network = new Network(scheduler, faults, random.fork());
    this.#keys = new Keys(profile.keys, profile.records, random.fork());
    const keys = this.#keys;
    this.scans = random.chance(0.3);
    const { hazardSeconds, sequenceDigits: digits, numbersBeginAnew, group } = profile;
    this.table = new SourceTable({
      ...{ scheduler, faults, hazardSeconds, digits, numbersBeginAnew, keys, isLeftOut: () => false },
      random: random.fork(),
    });
    this.#writers = new Writers(random.fork(), scheduler, this.table, profile, keys, TEMPOS_MS);
    const { tieRule, tombstones } = profile;
    this.featureStore = new FeatureStore({ group, tieRule, tombstones, faults, random: random.fork(), onWrite() {} });
    this.firehose = new Firehose({ scheduler, faults, random: random.fork(), onRow() {} });
    this.dynamodb = new DynamoDb({
      ...{ scheduler, faults, stateTable: STATE_TABLE, conditionsInBatches: profile.conditionsInBatches },
      readSource: (key) => this.table.items.get(keys.identifierOf(key))?.attributes,
      scanSource: (...asked) => this.#page(...asked),
      onWrite: (pk, before, after) => {
        if (pk.startsWith('label#')) this.retraining.labelWritten();
        if (pk.startsWith('backfill#')) this.#onProgress(pk, before, after);
        if (pk === 'epoch' && after.training && !before?.training) this.#onClaim();
      },
    });
    this.#sightings = new Sightings(profile.group, this.table, this.featureStore);
    this.exports = new Exports(random.fork(), (id) => keys.of(id));
    this.#lambda = new Lambda(scheduler, faults, random.fork());
    const machine = new Machine({
      ...{ scheduler, faults, lambda: this.#lambda, workers: random.pick(WORKERS), random: random.fork() },
      dependencies: (invocation) => this.#historyOf(invocation),
    });
    if (!this.scans && random.chance(0.5)) this.#machine = machine;
    this.retraining = new Retraining({
      ...{ scheduler, faults, profile, random: random.fork(), lambda: this.#lambda, network: this.#network },
      ...{ dynamodb: this.dynamodb, stateTable: STATE_TABLE },
    });
    this.#mapping = new EventSourceMapping({
      ...{
        scheduler,
        faults,
        profile,
        random: random.fork(),
        writersDone: () => this.#writers.done && this.#isBackfilled,
      },
      hooks: {
        invoke: (records) => this.#ingest(records),
        onAnswer: (_, records, taken) => {
          const through = records.slice(0, taken);
          for (const record of through) record.acknowledged = true;
          this.#sightings.acknowledged(through.map(({ recordIdentifier }) => recordIdentifier));
        },
        onBatch() {},
        discard() {
          throw new Error('nothing is given up in this world');
        },
      },
    });
  }

  /** Calls of all functions, and of the backfill. */
  get calls(): number {
    return this.#network.calls;
  }

  /** @throws Violation. */
  async run(): Promise<void> {
    const { scheduler, table, profile } = this;
    for (const id of this.#keys.identifiers) {
      if (this.#random.chance(0.7))
        table.items.set(id, this.#writers.item(id, this.#random.pick([undefined, '0', '1'])));
    }
    table.onShard = (shard) => this.#mapping.start(shard);
    this.#mapping.onError = (error) => this.#fail(error);
    for (const shard of table.shards) this.#mapping.start(shard);
    this.#writers.start();
    this.retraining.schedule(() => this.#over);
    if (profile.outageHours > 0) {
      scheduler.after(this.#random.next() * 3_600_000, () => {
        this.#mapping.outageUntil = scheduler.now + profile.outageHours * 3_600_000;
      });
    }
    const finished = this.#finish().catch((error: unknown) => this.#fail(error));
    await scheduler.run(() => this.#over || this.#error !== undefined);
    if (this.#error !== undefined) throw this.#error;
    if (!this.#over) throw new Violation('the backfill ends', 'nothing is left to be done, and it has not');
    await finished;
  }

  #fail(error: unknown): void {
    this.#error ??= error;
  }

  async #finish(): Promise<void> {
    const { scheduler, faults } = this;
    const written = new Promise<void>((resolve) => {
      this.#writers.onDone = () => scheduler.wake(0, resolve);
    });
    await this.#backfill();
    this.#isBackfilled = true;
    await written;
    faults.enabled = false;
    this.#mapping.writersAreDone();
    const last = scheduler.now;
    while (this.#mapping.unfinished > 0) {
      await scheduler.sleep(10_000);
      if (scheduler.now > last + STUCK_MS) throw new Violation('the stream is drained', 'after two weeks it is not');
    }
    await scheduler.sleep(Math.max(this.profile.timeoutMs, LATE_PUT_MS) + 20_000);
    while (this.firehose.buffered > 0) await scheduler.sleep(10_000);
    await this.retraining.settle();
    this.#over = true;
  }

  /** While a backfill records, nothing is decided: whoever read that none does has long ended. */
  #onClaim(): void {
    const run = this.dynamodb.state.get('backfill');
    if (run?.status?.S !== 'recording' || this.scheduler.now < this.#recordsSinceMs + RETRAIN_MS) return;
    throw new Violation('no training starts while a backfill records', 'an epoch was claimed');
  }

  /** Exports are taken before the backfill begins to record, or long enough after, so that it need not ask the table. */
  async #backfill(): Promise<void> {
    const { scheduler } = this;
    const random = this.#random;
    if (this.scans) {
      await scheduler.sleep(random.next() * 3_600_000);
      const run = await this.#begin();
      const given = { segments: random.pick(SEGMENTS), readUnits: 1_000_000 };
      this.#work = plannedScan(given, run.firstExport, READING_MARGIN_SECONDS, START_MS);
      return this.#carryOn(run);
    }
    const margin = EXPORT_MARGIN_SECONDS * 1_000;
    const clockOff = (random.next() * 2 - 1) * EXPORT_CLOCK_MS;
    const recordsFirst = random.chance(0.4);
    // As of two margins after the stream began, by the export's clock.
    await scheduler.sleep(2 * margin + EXPORT_CLOCK_MS + random.next() * 3_600_000);
    let run = recordsFirst ? await this.#begin() : undefined;
    if (run) await scheduler.sleep(2 * margin + EXPORT_CLOCK_MS + RUNNER_CLOCK_MS);
    for (let left = random.pick([1, 1, 2, 3]); left > 0; left -= 1) {
      const take = () => this.exports.take(this.table.items, scheduler.now + clockOff, (id) => this.#writtenMs(id));
      // Often between two changes of one second: then an item is as it was at neither end of it.
      if (random.chance(0.5)) this.#between(take);
      else take();
      await scheduler.sleep(900_000 + random.next() * 3_600_000);
    }
    run ??= await this.#begin();
    const sources = await this.exports.sources();
    const clocks = { marginSeconds: EXPORT_MARGIN_SECONDS, sinceMs: run.sinceMs };
    const refusal = refusalOf(this.profile.group, sources, clocks, START_MS);
    if (refusal !== undefined) throw new Error(refusal);
    this.files = plannedFiles(sources, run.firstExport, clocks);
    this.#work = { files: this.files, place: this.exports.bucket };
    if (recordsFirst && this.files.some((it) => it.looksAtTable)) throw new Error('the table need not be asked');
    this.#machine?.given(this.dynamodb.state, {
      ...{ kind: 'export', marginSeconds: EXPORT_MARGIN_SECONDS },
      locations: this.exports.folders.map((folder) => `s3://${BUCKET}/${folder}`),
    } satisfies GivenExports);
    await this.#carryOn(run);
  }

  /** Acts between two changes of some records, all of one moment. */
  #between(act: () => void): void {
    const ids = [1, 2, 3].map(() => this.#random.pick(this.#keys.identifiers));
    for (const id of ids) this.table.write(id, this.#writers.item(id, '1'));
    act();
    for (const id of ids) this.table.write(id, this.#writers.item(id, '1'));
  }

  #writtenMs(id: string): number | undefined {
    return this.table.histories.get(id)?.at(-1)?.writtenAt;
  }

  /** The application changes some of the items just after a scan has read them. */
  #changeScanned(page: readonly object[]): void {
    for (const attributes of page) {
      if (!this.#random.chance(0.1)) continue;
      const id = this.#keys.identifiers.find((it) => this.table.items.get(it)?.attributes === attributes) ?? '';
      this.scheduler.after(this.#random.next() * RUNNER_CLOCK_MS, () => {
        const isGone = this.#random.chance(0.3);
        this.table.write(id, isGone ? undefined : this.#writers.item(id, '1'));
      });
    }
  }

  /** A page of a segment of the table, as it is now. */
  #page(segment: number, of: number, after: Record<string, never> | object | undefined) {
    const keys = this.#keys;
    const from = after === undefined ? -1 : keys.identifiers.indexOf(keys.identifierOf(after as never));
    const there = keys.identifiers.flatMap((id, index) =>
      index % of === segment && index > from ? (this.table.items.get(id) ?? []) : [],
    );
    const page = there.slice(0, PAGE_ITEMS).map(({ attributes }) => attributes);
    this.#changeScanned(page);
    const last = page.at(-1);
    if (there.length <= PAGE_ITEMS || last === undefined) return { Items: page };
    const id = keys.identifiers.find((it) => this.table.items.get(it)?.attributes === last) ?? '';
    return { Items: page, LastEvaluatedKey: keys.of(id) };
  }

  /** Takes the backfill up as often as it takes. */
  async #carryOn(run: BackfillRun): Promise<void> {
    const { scheduler } = this;
    for (;;) {
      if (this.#machine) await this.#machine.execute();
      else {
        await this.#lambda.invoke({
          functionName: 'backfill',
          timeoutMs: RUN_TIMEOUT_MS,
          run: (invocation) => this.#runOnce(run, invocation),
        });
      }
      if (this.#stateNow() === 'done') return;
      this.resumes += 1;
      // In a weather in which nothing is ever written, no backfill ends.
      if (this.resumes === RESUMES_MAX) this.faults.enabled = false;
      if (this.resumes > RESUMES_MAX + RESUMES_IN_FAIR_WEATHER) {
        throw new Violation('the backfill ends', 'in fair weather it has not');
      }
      await scheduler.sleep(this.#random.exponential(RESUME_MEAN_MS));
    }
  }

  #stateNow(): string | undefined {
    return this.dynamodb.state.get('backfill')?.status?.S;
  }

  /** Begins to record, as often as it takes. */
  async #begin(): Promise<BackfillRun> {
    const sinceMs = Math.floor(this.scheduler.now + (this.#random.next() * 2 - 1) * RUNNER_CLOCK_MS);
    const definition = definitionHash(this.profile.group);
    const begun = { runId: 'run', sinceMs, sources: '', definition };
    for (;;) {
      const result = await this.#lambda.invoke({
        functionName: 'backfill begins',
        timeoutMs: 60_000,
        run: async (invocation) => {
          const table = { name: STATE_TABLE, dynamodb: this.#network.client<never>(this.dynamodb, invocation) };
          return (await beginBackfill(table, begun, 1)) ?? readBackfill(table);
        },
      });
      if (result.status === 'answered' && result.answer) {
        this.#recordsSinceMs = this.scheduler.now;
        return result.answer;
      }
      await this.scheduler.sleep(60_000);
    }
  }

  #runOnce(run: BackfillRun, invocation: Invocation) {
    const { profile } = this;
    const { group } = profile;
    const sightings = this.#sightings;
    const late = new LateCopies(this.featureStore, this.scheduler, this.faults, this.#random, (input) =>
      sightings.copiedLate(input),
    );
    sightings.begins();
    const destinations = this.#destinationsOf(invocation, late);
    const work = this.#work as Work;
    const segments = 'segments' in work ? work.segments : 1;
    const time = invocationTime(this.scheduler, this.#random, invocation, CLOCK_FACTOR);
    return runBackfill(run, work, {
      ...{ group, time, table: destinations.table, decode: makeDecoder(group), owner: invocation.name },
      rate: adaptiveRate(1_000_000, time),
      marginSeconds: this.scans ? READING_MARGIN_SECONDS : EXPORT_MARGIN_SECONDS,
      destinations: { ...destinations, onlineStore: sightings.watching(destinations.onlineStore) },
      putRows: (key, bytes) => this.#putRows(key, Buffer.from(bytes), invocation),
      deleteRows: async (key) => {
        this.rows.delete(key);
      },
      // Of segments side by side, one is in the middle of a chunk when another has ended its own.
      onProgress: () => segments === 1 && sightings.chunkEnds(),
    });
  }

  #destinationsOf(invocation: Invocation, featureStore: AwsService): BackfillDestinations {
    const { group, featureStoreConcurrency, hazardSeconds } = this.profile;
    const clients = this.#clients(invocation, featureStore);
    const table = { name: STATE_TABLE, dynamodb: clients.dynamodb };
    return {
      onlineStore: onlineStoreOf(group, { featureStoreConcurrency }, clients),
      labelLedger: labelLedgerSink(table, hazardSeconds),
      ...{ table, source: clients.dynamodb },
      quarantine: (rejections, pace) => quarantine(rejections, this.#quarantineOf(invocation), pace),
    };
  }

  /** What an invocation stands on that works for the state machine. */
  #historyOf(invocation: Invocation): HistoryDependencies {
    const { group } = this.profile;
    const late = new LateCopies(this.featureStore, this.scheduler, this.faults, this.#random, () => {});
    const destinations = this.#destinationsOf(invocation, late);
    return {
      ...{ group, decode: makeDecoder(group), table: destinations.table, bucket: BUCKET, place: this.exports.bucket },
      marginSeconds: EXPORT_MARGIN_SECONDS,
      time: invocationTime(this.scheduler, this.#random, invocation, CLOCK_FACTOR),
      putList: async (key, text) => {
        this.exports.bucket.objects.set(key, Buffer.from(text));
      },
      destinations: () => destinations,
      putRows: (key, bytes) => this.#putRows(key, Buffer.from(bytes), invocation),
      deleteRows: async (key) => {
        this.rows.delete(key);
      },
    };
  }

  /** A file only goes forward, and none is taken while one of an export before it is not through. */
  #onProgress(pk: string, before: Item | undefined, after: Item): void {
    const number = (item: Item | undefined, name: string) => Number(item?.[name]?.N ?? 0);
    const goesBack = ['line', 'partLine', 'parts'].some((it) => number(after, it) < number(before, it));
    if (goesBack || (before?.done?.BOOL && !after.done?.BOOL)) {
      throw new Violation('a file of a backfill only goes forward', `${pk} is further back than it was`);
    }
    const exportNumber = Number(/#(\d+)-\d+$/.exec(pk)?.[1] ?? 0);
    for (const { file } of this.files) {
      const progress = this.dynamodb.state.get(`backfill#run#${fileNameOf(file)}`);
      if (file.exportNumber >= exportNumber || progress?.done?.BOOL) continue;
      throw new Violation('exports of a chain are worked one after the other', `${pk} before ${fileNameOf(file)}`);
    }
  }

  /** An object that is there already is put again with the same bytes, or the promise is broken. */
  async #putRows(key: string, bytes: Buffer, invocation: Invocation): Promise<void> {
    await invocationTime(this.scheduler, this.#random, invocation, CLOCK_FACTOR).sleep(100);
    const before = this.rows.get(key);
    if (before && !before.equals(bytes)) throw new Violation('a retry writes the same bytes', key);
    this.rows.set(key, bytes);
  }

  #ingest(records: readonly TrueChange[]) {
    const { profile } = this;
    return this.#lambda.invoke({
      functionName: 'ingest',
      timeoutMs: profile.timeoutMs,
      run: (invocation, getRemainingTimeInMillis) => {
        const ingest = makeIngest({
          config: {
            ...{ featureGroup: profile.group.name, stateTable: STATE_TABLE, changeLogStream: 'change-log' },
            ...{ quarantineBucket: 'quarantine', hazardWindowSeconds: profile.hazardSeconds, fences: 'pages' },
            ...{ featureStoreConcurrency: profile.featureStoreConcurrency, featureStoreWriter: 'sdk' },
          },
          group: profile.group,
          clients: this.#clients(invocation, this.featureStore),
          putObject: this.#quarantineOf(invocation).putObject,
          time: invocationTime(this.scheduler, this.#random, invocation, CLOCK_FACTOR),
          report() {},
        });
        return ingest({ Records: records.map((it) => it.record) }, { getRemainingTimeInMillis });
      },
    });
  }

  #clients(invocation: Invocation, featureStore: AwsService): DeliveryClients {
    const { dynamodb, firehose } = this;
    const client = <T>(service: AwsService) => this.#network.client<T>(service, invocation);
    return { dynamodb: client(dynamodb), featureStore: client(featureStore), firehose: client(firehose) };
  }

  #quarantineOf(invocation: Invocation) {
    const s3 = this.#network.client<Pick<S3Client, 'send'>>(this.bucket, invocation);
    const { name: featureGroup } = this.profile.group;
    return {
      ...{ bucket: 'quarantine', featureGroup },
      putObject: (input: ConstructorParameters<typeof PutObjectCommand>[0], abortSignal: AbortSignal) =>
        s3.send(new PutObjectCommand(input), { abortSignal }),
    };
  }
}

/** A world in which a feature group can be backfilled, and nothing is given up that only a redrive would mend. */
function drawWorld(random: Random, changes: number): Profile {
  for (;;) {
    const profile = drawProfile(random.fork(), changes);
    const { eventTime, onDelete, onTtlExpiry } = profile.group;
    if (eventTime.attribute !== undefined || onDelete !== onTtlExpiry) continue;
    const tombstones = { keepEventTime: random.chance(0.5), ofAbsent: random.chance(0.5) };
    const outageHours = random.chance(0.2) ? random.integer(1, 20) : 0;
    const fences: Profile['fences'] = [['pages']];
    return { ...profile, tombstones, outageHours, fences, retriesMax: -1, maximumAgeMs: Number.POSITIVE_INFINITY };
  }
}

/** Feature Store behind a network that now and then keeps a copy of a put and delivers it once more, some time later. */
class LateCopies implements AwsService {
  readonly name = 'Feature Store';
  readonly throttlingCode = 'ThrottlingException';
  readonly #store: FeatureStore;
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #onCopy: (input: unknown) => void;

  constructor(
    store: FeatureStore,
    scheduler: Scheduler,
    faults: Faults,
    random: Random,
    onCopy: (input: unknown) => void,
  ) {
    this.#onCopy = onCopy;
    this.#store = store;
    this.#scheduler = scheduler;
    this.#faults = faults;
    this.#random = random;
  }

  handle(operation: string, input: unknown, caller: Caller): unknown {
    if (operation === 'BatchWriteRecordCommand' && this.#faults.enabled && this.#random.chance(0.2)) {
      this.#onCopy(input);
      const nobody: Caller = { ...caller, name: `${caller.name}, late` };
      this.#scheduler.after(this.#random.next() * LATE_PUT_MS, () => {
        try {
          this.#store.handle(operation, input, nobody);
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
        }
      });
    }
    return this.#store.handle(operation, input, caller);
  }
}
