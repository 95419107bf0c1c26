import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changeLogRow } from '../../../shared/change-log/row.ts';
import { latestRowsSql } from '../../../shared/change-log/sql.ts';
import { type RetrainConfig, retrainConfig } from '../../../shared/config/retrain.ts';
import type { Feature } from '../../../shared/definition/feature-group.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  fractional,
  integral,
  string,
} from '../../../shared/feature-groups/define.ts';
import { encode } from '../../../shared/model/encode.ts';
import type { Snapshot } from '../../../shared/state/snapshots.ts';
import { type TrainingPlan, trainingPlan } from '../../../shared/training/plan.ts';
import { LATENESS_DAYS_MAX, latestRowsSinceSql, SETTLING_DAYS } from '../../../shared/training/snapshot.ts';
import { trainingRowsSql } from '../../../shared/training/training-set.ts';
import { type DeliveredChange, deliveriesOf, isRequiredNumber, learnedFrom } from '../../given/change-histories.ts';
import { BUCKET, localAthena } from '../../given/local/local-athena.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

const DAY_MS = 86_400_000;
/** Histories of each definition and pace. The long ring sets more. */
const RUNS = Number(process.env.HISTORIES ?? 3);
const FIRST_TRAINING = Date.UTC(2026, 2, 1, 12);
/** Trainings follow each other within days, or after weeks, when changes in the middle have been let go. */
const DELIVERIES = 4;
const PACES = [
  { pace: 'within days', days: [0, 0.4, 2, 7], clockStepsBack: true },
  { pace: 'after weeks', days: [0, 16, 32, 48], clockStepsBack: false },
];

const features = {
  visits: integral({ optional: true, imputeWith: 0.5 }),
  spent: fractional(),
  member: boolean({ optional: true }),
  note: string({ optional: true }),
  plan: categorical(['a,b', 'back\\slash', '\\N', "it's"], { optional: true }),
  grade: categorical(['low', 'high'], { encoding: 'ordinal' }),
  late: integral({ optional: true, since: 2 }),
};
const times = ['latest', 'as-of-label'] as const;
const groups = times.flatMap((trainingTime) =>
  (['delete', 'keep'] as const).map((onTtlExpiry) =>
    defineFeatureGroup({
      ...{ name: `${trainingTime}-${onTtlExpiry}`, recordIdentifier: 'Id', features, label: { name: 'y' } },
      ...{ trainingTime, onTtlExpiry },
    }),
  ),
);

function textOf(feature: Feature): fc.Arbitrary<string> {
  switch (feature.type) {
    case 'integral':
      return fc.oneof(fc.constantFrom('9223372036854775807', '-9223372036854775808'), fc.integer().map(String));
    case 'fractional':
      return fc.oneof(fc.constantFrom('1e-300', '123456789.123456789', '-0'), fc.double({ noNaN: true }).map(plain));
    case 'boolean':
      return fc.constantFrom('0', '1');
    case 'categorical':
      return fc.constantFrom(...feature.categories, 'unheard,of');
    case 'string':
    case 'hashed':
      return fc.constantFrom('text', '', ',');
    case 'timestamp':
      return fc.constantFrom('0', '-62135596800', '1764144000.123456789');
  }
}

const plain = (number: number) => (Number.isFinite(number) ? String(number) : '0');

/** Identifiers that text could take for something else. A line break is a space before it gets here. */
const identifier = fc.oneof(
  fc.constantFrom('\\N', 'a,b', '\\', '', "'", '"', ' ', 'Ä'),
  fc.string({ maxLength: 4 }).map((text) => text.replace(/[\r\n]/g, ' ')),
);

let athena: Awaited<ReturnType<typeof localAthena>>;

beforeAll(async () => {
  athena = await localAthena();
  for (const group of groups) athena.createTables(group, databaseOf(group));
});
afterAll(() => athena.close());

const databaseOf = ({ name }: { name: string }) => name.replaceAll('-', '_');

/** An empty bucket, and what the stack's functions are configured with. */
async function stackOf(group: (typeof groups)[number]): Promise<RetrainConfig> {
  await athena.empty();
  return retrainConfig({ ...retrainEnvironment, GLUE_DATABASE: databaseOf(group) });
}

let files = 0;

/** Puts rows into a partition, as Firehose delivers them. */
async function deliver(group: (typeof groups)[number], rows: readonly DeliveredChange[], arrivedMs: number) {
  const day = new Date(arrivedMs).toISOString().slice(0, 10);
  files += 1;
  const text = rows.map((row) => changeLogRow(group, row)).join('');
  await athena.objects.put(BUCKET, `change-log/dt=${day}/${files}`, text);
}

interface Built {
  readonly train: string;
  readonly validation: string;
  readonly judge: string;
}

/** Runs a plan's queries in the state machine's order. */
async function build(plan: TrainingPlan): Promise<Built & { readRows: number }> {
  const { rows: readRows } = await athena.run(plan.snapshotQuery);
  await athena.run(plan.trainingSetQuery);
  const [train, validation, judge] = [
    await athena.read(plan.trainUri),
    await athena.read(plan.validationUri),
    await athena.read(plan.judgeUri),
  ];
  return { readRows, train, validation, judge };
}

/** Rows of the snapshot that a plan has written. */
async function rowsOf({ database, snapshot }: TrainingPlan): Promise<number> {
  const count = `SELECT count(*) AS n FROM "${database}".snapshots WHERE snapshot = '${snapshot.name}'`;
  return Number((await athena.firstRow(count)).n);
}

/** The rows of a view, in no order. */
const live = async (sql: string) => (await athena.rows(sql)).map((row) => JSON.stringify(row)).sort();

let attempts = 0;
const planOf = (group: (typeof groups)[number], config: RetrainConfig, nowMs: number, base?: Snapshot) => {
  attempts += 1;
  return trainingPlan(group, config, { epoch: 1, attempt: attempts }, nowMs, base);
};

/** What training should learn: of what the records give, that which has every required number. */
const trainable = (group: (typeof groups)[number], rows: readonly DeliveredChange[]) =>
  learnedFrom(group, rows).filter((it) =>
    group.features.every((feature) => !isRequiredNumber(feature) || it.features[feature.name]),
  );

/** The numbers that training should see, by the encoder of predictions, in no order. */
function expected(group: (typeof groups)[number], rows: readonly DeliveredChange[]): string[] {
  return trainable(group, rows)
    .map((it) => [it.label, ...encode(group, it.features)].map((text) => Number(text) + 0).join())
    .sort();
}

const partsOf = ({ train, validation, judge }: Built) => ({ train, validation, judge });
const allOf = ({ train, validation, judge }: Built) => train + validation + judge;

const numbersOf = (csv: string) =>
  csv
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .split(',')
        .map((text) => Number(text) + 0)
        .join(),
    );

const change = (recordIdentifier: string, sequence: number, label?: '0' | '1', eventName = 'MODIFY') => {
  const second = FIRST_TRAINING / 1_000 + sequence;
  return {
    ...{ recordIdentifier, sequenceNumber: String(sequence), second, eventTimeMs: second * 1_000, delivery: 0 },
    ...{ eventName: eventName as 'INSERT' | 'MODIFY' | 'REMOVE', ttlExpired: false, newLabel: undefined },
    values: eventName === 'REMOVE' ? undefined : ['1', String(sequence), '1', 'n', 'a,b', 'low', label, undefined],
  };
};

describe('a training set built upon the last snapshot', () => {
  test.each(groups.flatMap((group) => PACES.map((pace) => ({ ...pace, group, name: group.name }))))(
    'is, byte for byte, the one built from all of history, and so is the view of live rows ($name, $pace)',
    async ({ group, days, clockStepsBack }) => {
      const trainings = days.map((it) => FIRST_TRAINING + it * DAY_MS);
      const deliveries = deliveriesOf(group, identifier, textOf, DELIVERIES, { clockStepsBack });
      await fc.assert(
        fc.asyncProperty(deliveries, async (rows) => {
          const config = await stackOf(group);
          let base: Snapshot | undefined;
          for (const [delivery, nowMs] of trainings.entries()) {
            // Firehose may bring the rows of yesterday's partition today, after the last training has read it.
            const [late, punctual] = [rows.filter((_, at) => at % 2), rows.filter((_, at) => !(at % 2))];
            const since = trainings[delivery - 1] ?? nowMs - 40 * DAY_MS;
            await deliver(
              group,
              late.filter((row) => row.delivery === delivery),
              since - DAY_MS,
            );
            await deliver(
              group,
              punctual.filter((row) => row.delivery === delivery),
              nowMs,
            );
            const plan = planOf(group, config, nowMs, base);
            const incremental = await build(plan);
            // Without a last snapshot both are the same queries.
            const rebuilt = base ? planOf(group, config, nowMs) : plan;
            const whole = base ? await build(rebuilt) : incremental;
            expect(partsOf(incremental)).toEqual(partsOf(whole));
            const delivered = rows.filter((row) => row.delivery <= delivery);
            expect(numbersOf(allOf(whole)).sort()).toEqual(expected(group, delivered));
            const inexact = trainable(group, delivered).filter((it) => it.isInexact);
            const counted = await athena.firstRow(plan.countQuery);
            expect(counted).toMatchObject({ inexact_rows: String(inexact.length) });
            expect(counted).toEqual(await athena.firstRow(rebuilt.countQuery));
            const selected = (name: string) => {
              const since = new Date(FIRST_TRAINING - 43 * DAY_MS).toISOString().slice(0, 10);
              const selection = { since, rowsMax: 2 };
              const source = { database: config.glueDatabase, snapshot: name, selection };
              return athena.rows(trainingRowsSql(group, source));
            };
            expect(await selected(plan.snapshot.name)).toEqual(await selected(rebuilt.snapshot.name));
            const fromHistory = await live(latestRowsSql(group, config.glueDatabase));
            for (const last of [base, plan.snapshot]) {
              if (!last) continue;
              const view = latestRowsSinceSql(group, { database: config.glueDatabase, base: last });
              expect(await live(view)).toEqual(fromHistory);
            }
            base = plan.snapshot;
          }
        }),
        // Shrinking would take longer than a test may: the seed and the path that are printed do it alone.
        { numRuns: RUNS, endOnFailure: true },
      );
    },
  );

  test('reads the partitions since the last watermark, and none before', async () => {
    const [group] = groups as [(typeof groups)[number]];
    const config = await stackOf(group);
    await deliver(group, [change('a', 1, '1'), change('b', 2, '0')], FIRST_TRAINING - 9 * DAY_MS);
    const first = planOf(group, config, FIRST_TRAINING);
    expect((await build(first)).readRows).toBe(2);
    await deliver(group, [change('a', 3, '0')], FIRST_TRAINING + DAY_MS);
    const second = planOf(group, config, FIRST_TRAINING + 2 * DAY_MS, first.snapshot);
    expect(second.snapshot).toMatchObject({ base: first.snapshot.name, changeLogFrom: '2026-02-28' });
    // The two records of the snapshot, and the one change.
    expect((await build(second)).readRows).toBe(3);
  });

  test('reads of labeled records only, for the rows as for the counts', async () => {
    for (const group of groups) {
      const config = await stackOf(group);
      const unlabeled = Array.from({ length: 20 }, (_, at) => change(`unlabeled ${at}`, at + 1));
      const lost = [change('lost', 21, '1'), change('lost', 22)];
      const deleted = [change('deleted', 23, '1'), change('deleted', 24, undefined, 'REMOVE')];
      const labeled = [change('a', 25), change('a', 26, '1'), change('b', 27, '0', 'INSERT')];
      await deliver(group, [...unlabeled, ...lost, ...deleted, ...labeled], FIRST_TRAINING);
      const plan = planOf(group, config, FIRST_TRAINING);
      await athena.run(plan.snapshotQuery);
      const kept = group.trainingTime === 'latest' ? 2 : 3;
      expect((await athena.run(plan.countQuery)).rows).toBe(kept);
      expect((await athena.run(plan.trainingSetQuery)).rows).toBe(kept);
      expect(await rowsOf(plan)).toBe(kept + 22);
    }
  });

  test('builds upon the last snapshot whatever its age, and reads all of history again after another definition', () => {
    const [group, other] = groups as [(typeof groups)[number], (typeof groups)[number]];
    const config = retrainConfig(retrainEnvironment);
    const { snapshot } = planOf(group, config, FIRST_TRAINING);
    const daysLater = (days: number) => FIRST_TRAINING + days * DAY_MS;
    expect(planOf(group, config, daysLater(1), snapshot).snapshot.base).toBe(snapshot.name);
    expect(planOf(other, config, daysLater(1), snapshot).snapshot.base).toBeNull();
    expect(planOf(group, config, daysLater(400), snapshot).snapshot.base).toBe(snapshot.name);
  });

  test('is of the labels of a window, and of the newest rows to train on, in whatever part the others are', async () => {
    for (const group of groups) {
      const config = await stackOf(group);
      const daysAgo = (days: number, rows: DeliveredChange[]) =>
        rows.map((row) => ({
          ...row,
          second: row.second - days * 86_400,
          eventTimeMs: row.eventTimeMs - days * DAY_MS,
        }));
      const labeled = (days: number, from: number) =>
        daysAgo(
          days,
          Array.from({ length: 40 }, (_, at) => change(`${days} days ago ${at}`, from + at, '1', 'INSERT')),
        );
      // The labels of twenty days ago are corrected today, which does not make them new.
      const corrected = Array.from({ length: 40 }, (_, at) => change(`20 days ago ${at}`, 900 + at, '0'));
      const history = [...labeled(20, 100), ...labeled(5, 200), ...labeled(1, 300)];
      await deliver(group, history, FIRST_TRAINING - 10 * DAY_MS);
      const first = planOf(group, config, FIRST_TRAINING - 9 * DAY_MS);
      await athena.run(first.snapshotQuery);
      await deliver(group, corrected, FIRST_TRAINING);
      const made = async (selecting: Partial<RetrainConfig>) => {
        const plan = planOf(group, { ...config, ...selecting }, FIRST_TRAINING, first.snapshot);
        const built = await build(plan);
        const counts = await athena.firstRow(plan.countQuery);
        const rows = (csv: string) => numbersOf(csv).map((row) => Number(row.split(',')[4]));
        const parts = { train: rows(built.train), validation: rows(built.validation), judge: rows(built.judge) };
        expect(parts.train).toHaveLength(Number(counts.train_rows));
        expect(parts.judge).toHaveLength(Number(counts.judge_rows));
        return parts;
      };
      const all = await made({});
      expect(all.train.length + all.validation.length + all.judge.length).toBe(120);
      const window = await made({ trainingWindowDays: 6 });
      expect(window.train.length + window.validation.length + window.judge.length).toBe(80);
      const sample = await made({ trainingRowsMax: 50 });
      expect(sample.train).toHaveLength(50);
      expect(sample.validation).toEqual(all.validation);
      expect(sample.judge).toEqual(all.judge);
      // All rows of yesterday, and some of five days ago: of them those with the lowest hashes, the same every time.
      expect(sample).toEqual(await made({ trainingRowsMax: 50 }));
      const both = await made({ trainingRowsMax: 50, trainingWindowDays: 6 });
      expect(both.train).toEqual(sample.train);
    }
  });

  test('does not bring back a record whose rows come after its deletion, nor keep deletions for ever', async () => {
    for (const group of groups) {
      const config = await stackOf(group);
      await deliver(group, [change('a', 2, undefined, 'REMOVE')], FIRST_TRAINING);
      const first = planOf(group, config, FIRST_TRAINING);
      await build(first);
      expect(await rowsOf(first)).toBe(1);
      await deliver(group, [change('a', 1, '1')], FIRST_TRAINING + 30 * DAY_MS);
      const second = planOf(group, config, FIRST_TRAINING + 30 * DAY_MS, first.snapshot);
      expect(await build(second)).toMatchObject({ train: '', validation: '', judge: '' });
      expect(await rowsOf(second)).toBe(1);
      let last = second;
      for (let days = 80; days <= LATENESS_DAYS_MAX + 50; days += 50) {
        last = planOf(group, config, FIRST_TRAINING + days * DAY_MS, last.snapshot);
        expect(await build(last)).toMatchObject({ train: '', validation: '', judge: '' });
      }
      expect(await rowsOf(last)).toBe(0);
    }
  });

  test('remembers the day of a label whose change was let go, also when the later ones are delivered again', async () => {
    const group = groups.find(({ name }) => name === 'as-of-label-delete') as (typeof groups)[number];
    const config = await stackOf(group);
    const fifthDay = (5 * DAY_MS) / 1_000;
    const rows = [change('a', 0, '1', 'INSERT'), change('a', fifthDay), change('a', fifthDay + 10, '1')];
    await deliver(group, rows, FIRST_TRAINING + 5 * DAY_MS);
    const first = planOf(group, config, FIRST_TRAINING + 9 * DAY_MS);
    await build(first);
    const again = rows.slice(1).map((row) => ({ ...row, eventTimeMs: row.eventTimeMs + 1 }));
    await deliver(group, again, FIRST_TRAINING + 9 * DAY_MS);
    const nowMs = FIRST_TRAINING + 10 * DAY_MS;
    for (const plan of [planOf(group, config, nowMs, first.snapshot), planOf(group, config, nowMs)]) {
      await build(plan);
      const selectedSince = (ms: number) => {
        const selection = { since: new Date(ms).toISOString().slice(0, 10) };
        const source = { database: config.glueDatabase, snapshot: plan.snapshot.name, selection };
        return athena.rows(trainingRowsSql(group, source));
      };
      expect(await selectedSince(FIRST_TRAINING)).toHaveLength(1);
      expect(await selectedSince(FIRST_TRAINING + DAY_MS)).toEqual([]);
    }
  });

  test('keeps three changes of a record, once the others have settled', async () => {
    const [group] = groups.filter((it) => it.trainingTime === 'as-of-label') as [(typeof groups)[number]];
    const config = await stackOf(group);
    const history = [change('a', 1), change('a', 2), ...[3, 4, 5, 6, 7].map((sequence) => change('a', sequence, '1'))];
    await deliver(group, history, FIRST_TRAINING);
    let last = planOf(group, config, FIRST_TRAINING);
    const first = await build(last);
    expect(await rowsOf(last)).toBe(6);
    for (const [days, rows] of [
      [SETTLING_DAYS, 6],
      [SETTLING_DAYS + 2, 3],
    ] as const) {
      last = planOf(group, config, FIRST_TRAINING + days * DAY_MS, last.snapshot);
      expect(await build(last)).toMatchObject(partsOf(first));
      expect(await rowsOf(last)).toBe(rows);
    }
  });

  test('counts the rows whose features of before the label nobody has seen, and no others', async () => {
    const inexactOf = async (group: (typeof groups)[number]) => {
      const config = await stackOf(group);
      const inserted = change('inserted with its label', 1, '1', 'INSERT');
      const seen = [change('seen before', 2), change('seen before', 3, '1')];
      const corrected = [change('older than the stream', 4, '1'), change('older than the stream', 5, '0')];
      const again = [change('again', 6, undefined, 'REMOVE'), change('again', 7, '0', 'INSERT')];
      await deliver(group, [inserted, ...seen, ...corrected, ...again, change('unlabeled', 8)], FIRST_TRAINING);
      const plan = planOf(group, config, FIRST_TRAINING);
      await athena.run(plan.snapshotQuery);
      const { train_rows, validation_rows, judge_rows, inexact_rows } = await athena.firstRow(plan.countQuery);
      const rows = Number(train_rows) + Number(validation_rows) + Number(judge_rows);
      return { rows, inexact: Number(inexact_rows) };
    };
    for (const group of groups) {
      expect(await inexactOf(group)).toEqual({ rows: 4, inexact: group.trainingTime === 'as-of-label' ? 1 : 0 });
    }
  });

  test('takes the features of before the label arrived, and keeps them when the label is corrected', async () => {
    const [group] = groups.filter((it) => it.trainingTime === 'as-of-label') as [(typeof groups)[number]];
    const spentOf = async (rows: DeliveredChange[]) => {
      const config = await stackOf(group);
      await deliver(group, rows, FIRST_TRAINING);
      return numbersOf(allOf(await build(planOf(group, config, FIRST_TRAINING)))).map((row) =>
        row
          .split(',')
          .slice(0, 4)
          .filter((_, at) => at !== 1 && at !== 2),
      );
    };
    // Label and `spent`, which says of which change the features are.
    expect(await spentOf([change('a', 1), change('a', 2), change('a', 3, '0'), change('a', 4, '1')])).toEqual([
      ['1', '2'],
    ]);
    expect(await spentOf([change('a', 1, '1'), change('a', 2, '1')])).toEqual([['1', '1']]);
    const again = [change('a', 1), change('a', 2, undefined, 'REMOVE'), change('a', 3, '0'), change('a', 4, '0')];
    expect(await spentOf(again)).toEqual([['0', '3']]);
    expect(await spentOf([change('a', 1, '0'), change('a', 2), change('a', 3, '1')])).toEqual([['1', '2']]);
  });
});
