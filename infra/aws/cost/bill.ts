import { ASSUMPTIONS } from './assumptions.ts';
import { MEASURED } from './measured.ts';
import { PRICES, type PriceName } from './prices.ts';

/** What a month's bill depends on. */
export interface Usage {
  /** Writes that change an item, per day, spread evenly over it. */
  readonly changesPerDay: number;
  /** Items in the table. */
  readonly rows: number;
  /** Whether the definition has a label. Without one there is no model, and nothing that trains it. Default: it has. */
  readonly trains?: boolean | undefined;
  /** Records that get a label or another one, per day. */
  readonly labelsPerDay: number;
  /** Bytes of an item and of its record in the online store. */
  readonly itemBytes: number;
  /** Of all rows, those that have a label. */
  readonly labeledShare: number;
  /** Labels that make a training due, and seconds between two, as the stack's params have them. */
  readonly labelsThreshold: number;
  readonly coolDownSeconds: number | 'auto';
  /** Days back from which labels are learned. */
  readonly trainingWindowDays: number | 'all';
  /** Requests to predict, per day, whose predictions are kept: those of one record each. */
  readonly loggedPredictionsPerDay: number;
  /** Shards of the table's stream, in which fences are written; undefined for as many as the changes need. */
  readonly shards?: number | undefined;
}

/** What is not told of a table: the stack's own defaults, and a tenth of the rows labeled. */
export const USUAL = {
  itemBytes: 1_000,
  labeledShare: 0.1,
  labelsThreshold: 1_000,
  coolDownSeconds: 'auto',
  trainingWindowDays: 'all',
  loggedPredictionsPerDay: 0,
} as const;

/** One line of a bill: how many units of a price, and what they cost in US dollars a month. */
export interface Line {
  readonly what: string;
  readonly price: PriceName;
  readonly units: number;
  readonly usd: number;
}

/** As shared/training/policy.ts has it; a test holds the two to each other. */
export const autoCoolDownSeconds = (rows: number): number => Math.min(86_400, Math.max(3_600, Math.ceil(rows / 100)));

const DAYS = 30;
const HOURS = DAYS * 24;
const SECONDS_PER_DAY = 86_400;
const KB = 1_024;
const GB = 1024 ** 3;
const TB = 1024 ** 4;
const MILLION = 1e6;
const THOUSAND = 1e3;

/** Bytes that Firehose bills for a record at least, and Athena for a query. */
const FIREHOSE_RECORD_BYTES = 5 * KB;
const QUERY_BYTES_MIN = 10 * KB * KB;

const line = (what: string, name: PriceName, units: number): Line => ({
  what,
  price: name,
  units,
  usd: units * PRICES[name].usd,
});

/** A month of this project. */
export function monthlyBill(usage: Usage): Line[] {
  const { changesPerDay, rows, labelsPerDay, itemBytes, trains = true } = usage;
  const trainings = trains ? DAYS * trainingsPerDay(usage) : 0;
  // A window of one second gathers what comes within it.
  const batches = DAYS * Math.min(changesPerDay, SECONDS_PER_DAY);
  const changes = DAYS * changesPerDay;
  const labels = DAYS * labelsPerDay;
  const perBatch = batches === 0 ? 0 : changes / batches;
  const rowsLogged = rows + changes;
  const units = Math.ceil(itemBytes / KB);
  return [
    line('ingest: invocations, and retrain every five minutes', 'lambdaRequest', (batches + HOURS * 12) / MILLION),
    line(
      'ingest: time',
      'lambdaTime',
      batches * ASSUMPTIONS.ingestGB * (ASSUMPTIONS.ingestSeconds + ASSUMPTIONS.ingestSecondsPerRecord * perBatch),
    ),
    line('online store: writes', 'featureWrite', (changes * units) / MILLION),
    line('online store: storage', 'featureStorage', (rows * itemBytes) / GB),
    ...fenceLines(usage),
    ...(trains ? [line('state table: label ledger and its index', 'tableWrite', (labels * 2) / MILLION)] : []),
    line(
      'change log: Firehose, packed',
      'firehose',
      (batches * Math.ceil((perBatch * itemBytes) / FIREHOSE_RECORD_BYTES) * FIREHOSE_RECORD_BYTES) / GB,
    ),
    line(
      'change log and offline store: files',
      'objectPut',
      (DAYS * Math.min(changesPerDay, ASSUMPTIONS.changeLogFilesPerDay) +
        DAYS * Math.min(changesPerDay, ASSUMPTIONS.offlineFilesPerDay)) /
        THOUSAND,
    ),
    line(
      'change log and offline store: storage, one month of changes',
      'objectStorage',
      (2 * rowsLogged * itemBytes) / GB,
    ),
    // A batch's rejections are one object, so that a flood of them costs no more than its batches.
    line(
      'quarantine: objects, one a batch, of a change in 1,000',
      'objectPut',
      Math.min(batches, changes * ASSUMPTIONS.rejectedShare) / THOUSAND,
    ),
    line(
      'quarantine: storage for 180 days, with both images',
      'objectStorage',
      (changesPerDay * ASSUMPTIONS.quarantineDays * ASSUMPTIONS.rejectedShare * 2 * itemBytes) / GB,
    ),
    line('table: point-in-time recovery', 'pointInTimeRecovery', (rows * itemBytes) / GB),
    ...checkLines(usage),
    ...snapshotLines(usage, trainings),
    ...(trains ? [...trainingLines(trainings), ...predictionLogLines(usage)] : []),
    line('alarms', 'alarm', trains ? ASSUMPTIONS.alarms : ASSUMPTIONS.alarmsWithoutLabel),
    line('metrics', 'metric', ASSUMPTIONS.metrics),
    line('dashboard', 'dashboard', 1),
  ];
}

/**
 * Fences, as if every change left one: a batch writes its pages and adds to the sets of its seconds, and reads the pages
 * that all shards have written for those.
 */
function fenceLines({ changesPerDay, shards: given }: Usage): Line[] {
  const { fenceBytes, fenceSeconds, fenceSecondsRead, shardChangesPerSecond } = ASSUMPTIONS;
  const shards = given ?? Math.max(1, Math.ceil(changesPerDay / SECONDS_PER_DAY / shardChangesPerSecond));
  const batches = Math.min(changesPerDay, SECONDS_PER_DAY * shards);
  const perBatch = batches === 0 ? 0 : changesPerDay / batches;
  const bytes = (perBatch / fenceSeconds) * fenceBytes;
  // A fence that is alone in its second needs no page.
  const written = perBatch <= fenceSeconds ? perBatch : fenceSeconds * (Math.ceil(bytes / KB) + 1);
  const read =
    fenceSecondsRead + (perBatch <= fenceSeconds ? 0 : fenceSeconds * Math.ceil((bytes * shards) / (4 * KB)));
  return [
    line('state table: fences, as if every change left one', 'tableWrite', (DAYS * batches * written) / MILLION),
    line('state table: fences read', 'tableRead', (DAYS * batches * read) / MILLION),
  ];
}

/** The daily check: it reads as many records as its sample has of a large table, and as many identifiers. */
function checkLines({ rows, itemBytes }: Usage): Line[] {
  const records = DAYS * Math.min(rows, ASSUMPTIONS.recordsChecked);
  // A consistent read of the table takes a unit for 4 KB of a page, or of an item by its key.
  const scanned = (records * itemBytes) / (4 * KB);
  const lookedUp = records * Math.ceil(itemBytes / (4 * KB));
  return [
    line('check: reads of the table', 'tableRead', (scanned + lookedUp) / MILLION),
    line(
      'check: reads of the online store',
      'featureRead',
      (records * Math.ceil(itemBytes / (4 * KB)) + records) / MILLION,
    ),
    line('check: time', 'lambdaTime', DAYS * ASSUMPTIONS.ingestGB * ASSUMPTIONS.checkSeconds),
  ];
}

/** Predictions that are kept: each request is a record of Firehose of its own. */
function predictionLogLines({ loggedPredictionsPerDay: perDay }: Usage): Line[] {
  if (perDay === 0) return [];
  const { changeLogFilesPerDay, predictionLogAlarms, predictionLogMetrics, predictionRowBytes } = ASSUMPTIONS;
  return [
    line('prediction log: Firehose, a record each', 'firehose', (DAYS * perDay * FIREHOSE_RECORD_BYTES) / GB),
    line('prediction log: files', 'objectPut', (DAYS * Math.min(perDay, changeLogFilesPerDay)) / THOUSAND),
    line(
      'prediction log: storage, one month of predictions',
      'objectStorage',
      (DAYS * perDay * predictionRowBytes) / GB,
    ),
    line('prediction log: alarms', 'alarm', predictionLogAlarms),
    line('prediction log: metrics', 'metric', predictionLogMetrics),
  ];
}

/** A month of the old way: the whole table exported every night, transformed, and a model trained from it. */
export function monthlyBillOfExports({ rows, itemBytes, trains = true }: Usage): Line[] {
  const bytes = rows * itemBytes;
  const glueHours = ASSUMPTIONS.glueHours + (ASSUMPTIONS.glueHoursPerGB * bytes) / GB;
  return [
    line('table: full export every night', 'tableExport', (DAYS * bytes) / GB),
    line('table: point-in-time recovery, which exports need', 'pointInTimeRecovery', bytes / GB),
    line('Glue: CSV from the export, 2 DPU', 'glue', DAYS * ASSUMPTIONS.glueDpu * glueHours),
    line('export and CSV: storage, last night and the one before', 'objectStorage', (4 * bytes) / GB),
    ...(trains
      ? [line('training sets: Athena', 'query', (DAYS * Math.max(bytes, QUERY_BYTES_MIN)) / TB), ...trainingLines(DAYS)]
      : []),
  ];
}

/** What the old way would cost on top to have an online store too, as fresh as a night allows. */
export function onlineStoreOfExports({ rows, itemBytes }: Usage): Line[] {
  return [
    line('online store: all rows every night', 'featureWrite', (DAYS * rows * Math.ceil(itemBytes / KB)) / MILLION),
    line('online store: storage', 'featureStorage', (rows * itemBytes) / GB),
  ];
}

/** Trainings in a day: by the labels, but for the pause after each. */
function trainingsPerDay(usage: Usage): number {
  const { rows, labelsPerDay, labeledShare, labelsThreshold, coolDownSeconds, trainingWindowDays: days } = usage;
  const trained = Math.min(rows * labeledShare, days === 'all' ? Infinity : labelsPerDay * days);
  const pause = coolDownSeconds === 'auto' ? autoCoolDownSeconds(trained) : coolDownSeconds;
  const trainingSeconds = ASSUMPTIONS.trainingHours * 3_600;
  return Math.min(labelsPerDay / labelsThreshold, SECONDS_PER_DAY / (pause + trainingSeconds));
}

/**
 * Snapshots, by trainings or else one a day, and the training sets that are made from them. Rows are as large as those
 * that were measured, or larger as the item is.
 */
function snapshotLines(
  { changesPerDay, rows, labeledShare, itemBytes, trains = true }: Usage,
  trainings: number,
): Line[] {
  const size = itemBytes / MEASURED.itemBytes;
  const snapshots = Math.max(DAYS, trainings);
  const changesRead = changesPerDay * (DAYS / snapshots + ASSUMPTIONS.daysReadAgain);
  const query = (bytes: number) => Math.max(bytes, QUERY_BYTES_MIN);
  const snapshotBytes = rows * MEASURED.snapshotRowBytes * size;
  const labeled = rows * labeledShare * size;
  const sets = query(labeled * MEASURED.countsRowBytes) + query(labeled * MEASURED.trainingRowBytes);
  const kept = (ASSUMPTIONS.snapshotDaysKept * snapshots * snapshotBytes) / DAYS;
  return [
    line(
      'snapshots: Athena',
      'query',
      (snapshots * query(snapshotBytes + changesRead * MEASURED.changeLogRowBytes * size)) / TB,
    ),
    line('snapshots: storage for a week', 'objectStorage', kept / GB),
    line('snapshots: state machine', 'transition', (snapshots * ASSUMPTIONS.transitionsPerSnapshot) / THOUSAND),
    ...(trains ? [line('training sets: Athena', 'query', (trainings * sets) / TB)] : []),
  ];
}

/** Trainings in a month, and the endpoint they end in. */
function trainingLines(trainings: number): Line[] {
  return [
    line('state machine', 'transition', (trainings * ASSUMPTIONS.transitionsPerTraining) / THOUSAND),
    line('training', 'trainingTime', trainings * ASSUMPTIONS.trainingHours),
    line('endpoint', 'endpointTime', HOURS),
  ];
}

export const total = (lines: readonly Line[]): number => lines.reduce((sum, { usd }) => sum + usd, 0);

/** More changes in a day than any table takes. */
const CHANGES_PER_DAY_MAX = 1e12;

/**
 * Changes per day at which this project costs what the old way does; below it is cheaper, above dearer.
 *
 * @returns undefined when it is dearer even without a change.
 */
export function crossing(usage: Usage, old: readonly Line[]): number | undefined {
  const costs = (changesPerDay: number) => total(monthlyBill({ ...usage, changesPerDay })) - total(old);
  if (costs(0) > 0) return undefined;
  let [low, high] = [0, CHANGES_PER_DAY_MAX];
  while (high - low > Math.max(1, low * 1e-6)) {
    const middle = (low + high) / 2;
    if (costs(middle) > 0) high = middle;
    else low = middle;
  }
  return Math.round(low);
}
