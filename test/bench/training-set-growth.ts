import { Option } from '@commander-js/extra-typings';
import { newCommand, runCommand } from '../../infra/terminal/command.ts';
import { changeLogRow } from '../../shared/change-log/row.ts';
import { latestRowsSql } from '../../shared/change-log/sql.ts';
import { retrainConfig } from '../../shared/config/retrain.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { categorical, defineFeatureGroup, fractional, integral } from '../../shared/feature-groups/define.ts';
import { latestRowsSinceSql } from '../../shared/training/snapshot.ts';
import { BUCKET, localAthena, type Scanned } from '../given/local/local-athena.ts';
import { retrainEnvironment } from '../given/retrain-environment.ts';
import { type Athena, type Retraining, retrain } from './sections/retraining.ts';

/** Records, and changes of each before the first training: it is inserted, changed, and labeled by the third. */
const TABLES = [
  { records: 10_000, changesEach: 3 },
  { records: 100_000, changesEach: 3 },
  { records: 1_000_000, changesEach: 3 },
  { records: 10_000, changesEach: 30 },
  { records: 10_000, changesEach: 100 },
];
const QUICK_ROWS_MAX = 300_000;

const LABELING_CHANGE = 2;
/** Changes between the first training and the second. */
const CHANGES_SINCE = 1_000;

const ROWS_PER_FILE = 50_000;
const DAY_MS = 86_400_000;
const FIRST_TRAINING_MS = Date.UTC(2026, 5, 1);
/** Days that the history before the first training is spread over, and from it to the second. */
const HISTORY_DAYS = 30;
const DAYS_BETWEEN = 7;

export const command = newCommand(
  'training-set-growth',
  'Measures what a retraining reads, and a query on the live rows, by the size of the table and the length of its history.',
  'node test/bench/training-set-growth.ts',
)
  .option('--quick', 'small tables only')
  .addOption(
    new Option('--time <latest|as-of-label>', 'time of the features that a label is learned with')
      .choices(['latest', 'as-of-label'] as const)
      .default('latest' as const),
  )
  .action(async ({ quick, time }) => {
    const group = groupOf(time);
    console.log(
      `Rows and MB that a retraining and a query on the live rows read, after ${count(CHANGES_SINCE)} changes (${time})\n`,
    );
    line([
      'records',
      'history',
      'made from',
      'change log',
      'MB',
      'snapshot',
      'MB',
      'sets',
      'MB',
      'view',
      'MB',
      'seconds',
    ]);
    for (const table of TABLES) {
      if (!quick || table.records * table.changesEach <= QUICK_ROWS_MAX) await measure(group, table);
    }
  });

const groupOf = (trainingTime: 'latest' | 'as-of-label') =>
  defineFeatureGroup({
    name: 'growth',
    recordIdentifier: 'id',
    features: {
      visits: integral(),
      spent: fractional(),
      score: fractional({ optional: true }),
      plan: categorical(['free', 'team', 'enterprise']),
      region: categorical(['africa', 'america', 'asia', 'europe', 'oceania'], { encoding: 'ordinal' }),
    },
    label: { name: 'churned' },
    trainingTime,
  });

/** One change as a row of the change log. Values differ by record and change. */
function row(group: FeatureGroup, record: number, change: number, sequence: number, arrivedMs: number): string {
  const number = (record * 7_919 + change * 104_729) % 100_003;
  const label = change >= LABELING_CHANGE ? String(number % 2) : undefined;
  return changeLogRow(group, {
    ...{ eventName: change === 0 ? 'INSERT' : 'MODIFY', ttlExpired: false, newLabel: undefined },
    sequenceNumber: String(10n ** 21n + BigInt(sequence)),
    recordIdentifier: `customer-${String(record).padStart(8, '0')}`,
    second: Math.floor(arrivedMs / 1_000),
    eventTimeMs: arrivedMs,
    values: [
      ...[String(number % 500), (number / 7).toFixed(2), number % 3 === 0 ? undefined : String(number / 1_000)],
      ...[['free', 'team', 'enterprise'][number % 3], ['africa', 'asia', 'europe'][number % 3], label],
    ],
  });
}

/** Writes changes into the change log as Firehose does: files by the day of arrival. `recordOf` says whose each is. */
async function writeChanges(
  group: FeatureGroup,
  athena: Athena,
  changes: { count: number; first: number; fromMs: number; days: number; recordOf(index: number): [number, number] },
): Promise<void> {
  for (let start = 0; start < changes.count; start += ROWS_PER_FILE) {
    const byDay = new Map<string, string[]>();
    for (let index = start; index < Math.min(start + ROWS_PER_FILE, changes.count); index += 1) {
      const arrivedMs = changes.fromMs + Math.floor((index / changes.count) * changes.days * DAY_MS);
      const day = new Date(arrivedMs).toISOString().slice(0, 10);
      const rows = byDay.get(day) ?? [];
      byDay.set(day, rows);
      rows.push(row(group, ...changes.recordOf(index), changes.first + index, arrivedMs));
    }
    for (const [day, rows] of byDay) {
      await athena.objects.put(BUCKET, `change-log/dt=${day}/${changes.first + start}`, rows.join(''));
    }
  }
}

async function measure(group: FeatureGroup, { records, changesEach }: (typeof TABLES)[number]): Promise<void> {
  const athena = await localAthena();
  try {
    const config = retrainConfig({ ...retrainEnvironment, GLUE_DATABASE: 'growth' });
    athena.createTables(group, config.glueDatabase);
    const history = records * changesEach;
    await writeChanges(group, athena, {
      ...{ count: history, first: 0, fromMs: FIRST_TRAINING_MS - HISTORY_DAYS * DAY_MS, days: HISTORY_DAYS - 3 },
      recordOf: (index) => [index % records, Math.floor(index / records)],
    });
    const { snapshot } = (await retrain(athena, group, config, FIRST_TRAINING_MS, 1)).plan;
    await writeChanges(group, athena, {
      ...{ count: CHANGES_SINCE, first: history, fromMs: FIRST_TRAINING_MS, days: DAYS_BETWEEN },
      recordOf: (index) => [(index * 997) % records, changesEach],
    });
    const nowMs = FIRST_TRAINING_MS + DAYS_BETWEEN * DAY_MS;
    // History first: the local Athena keeps what it has loaded, and loading is not what is compared.
    const whole = await retrain(athena, group, config, nowMs, 2);
    const incremental = await retrain(athena, group, config, nowMs, 3, snapshot);
    const counted = (live: string) => athena.run(`SELECT count(visits) FROM (${live})`);
    const database = config.glueDatabase;
    const fromHistory = await counted(latestRowsSql(group, database));
    const base = incremental.plan.snapshot;
    print(records, history, 'all of history', whole, fromHistory);
    print(records, history, 'last snapshot', incremental, await counted(latestRowsSinceSql(group, { database, base })));
    if (incremental.files !== whole.files) throw new Error('the training sets differ');
  } finally {
    await athena.close();
  }
}

const COLUMNS = [10, 10, 16, 12, 8, 12, 8, 12, 8, 12, 8, 9];
const line = (cells: readonly string[]) => console.log(cells.map((it, at) => it.padStart(COLUMNS[at] ?? 0)).join(' '));
const count = (number: number) => number.toLocaleString('en-US');
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);

function print(
  records: number,
  history: number,
  from: string,
  { changes, base, sets, seconds }: Retraining,
  view: Scanned,
): void {
  const sizes = [changes, base, sets, view].flatMap(({ rows, bytes }) => [count(rows), megabytes(bytes)]);
  line([count(records), count(history), from, ...sizes, seconds.toFixed(1)]);
}

if (import.meta.main) await runCommand(command);
