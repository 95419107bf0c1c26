import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changeLogRow } from '../../../shared/change-log/row.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  fractional,
  hashed,
  integral,
  timestamp,
} from '../../../shared/feature-groups/define.ts';
import { encode, trainingColumnsOf } from '../../../shared/model/encode.ts';
import { encodingOf } from '../../../shared/model/encoding.ts';
import { challengersRow, rowsOfTwoSchemas } from '../../../shared/promotion/judge-rows.ts';
import { fitsBeside, sharedUri, trainingPlan } from '../../../shared/training/plan.ts';
import { sharedRowsQuery, unreadableBy } from '../../../shared/training/shared-rows.ts';
import { BUCKET, localAthena } from '../../given/local/local-athena.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

/** Rows that a model of a former schema reads beside the new one. */

const NOW = Date.UTC(2026, 2, 1, 12);
const RECORDS = 200;

const groupOf = (features: Parameters<typeof defineFeatureGroup>[0]['features']) =>
  defineFeatureGroup({ name: 'visits', recordIdentifier: 'id', features, label: { name: 'y' } });

/** What serves was trained by this one: it needs `spent`, and knows a feature that is gone. */
const before = groupOf({
  spent: fractional(),
  visits: integral({ optional: true, imputeWith: 3 }),
  gone: integral({ optional: true, imputeWith: 7 }),
  grade: categorical(['low', 'high'], { encoding: 'ordinal' }),
  plan: categorical(['basic', 'pro'], { others: true }),
  note: hashed(4, { optional: true }),
});

/** `spent` may be missing now; the rest is encoded otherwise. */
const after = groupOf({
  spent: fractional({ optional: true, imputeWith: 0 }),
  visits: integral({ optional: true, imputeWith: 0 }),
  grade: categorical(['low', 'high', 'top']),
  plan: categorical(['basic', 'pro', 'team']),
  note: hashed(8, { optional: true }),
  member: boolean({ optional: true }),
  seen: timestamp({ optional: true }),
});

type Texts = Record<string, string | undefined>;

const textsOf = (at: number): Texts => ({
  spent: at % 3 === 0 ? undefined : String(at / 4),
  visits: at % 5 === 0 ? undefined : String(at),
  grade: ['low', 'high', 'top'][at % 3],
  plan: ['basic', 'pro', 'team'][at % 3],
  note: at % 7 === 0 ? undefined : `note ${at}`,
  member: at % 2 === 0 ? undefined : '1',
  seen: at % 4 === 0 ? undefined : String(1_764_144_000 + at),
});

let athena: Awaited<ReturnType<typeof localAthena>>;
beforeAll(async () => {
  athena = await localAthena();
  athena.createTables(after, 'visits');
});
afterAll(() => athena.close());

const encodings = { challenger: encodingOf(after), champion: encodingOf(before) };

describe('rows in two schemas', () => {
  test('are, field by field, what both encodings make of the record, and say whether the champion can read it', async () => {
    const texts = Array.from({ length: RECORDS }, (_, at) => textsOf(at));
    const logged = texts.map((values, at) =>
      changeLogRow(after, {
        ...{ recordIdentifier: `r-${at}`, sequenceNumber: String(at), second: NOW / 1_000, eventTimeMs: NOW },
        ...{ eventName: 'INSERT', ttlExpired: false, newLabel: undefined },
        values: [...after.features.map(({ name }) => values[name]), at % 2 === 0 ? '0' : '1'],
      }),
    );
    await athena.objects.put(BUCKET, 'change-log/dt=2026-03-01/rows', logged.join(''));
    const config = retrainConfig({ ...retrainEnvironment, GLUE_DATABASE: 'visits' });
    const plan = trainingPlan(after, config, { epoch: 2, attempt: 1 }, NOW);
    await athena.run(plan.snapshotQuery);
    const source = { database: plan.database, snapshot: plan.snapshot.name };
    const columns = {
      challenger: trainingColumnsOf(encodings.challenger).length,
      champion: trainingColumnsOf(encodings.champion).length,
    };
    const judged = rowsOfTwoSchemas(sharedUri(plan), columns);
    await athena.run(plan.trainingSetQuery);
    await athena.run(sharedRowsQuery(after, encodings, source, sharedUri(plan)));

    const rowsOf = async (uri: string) => (await athena.read(uri)).trimEnd().split('\n');
    const numbers = (text: string) => text.split(',').map(Number);
    const challengers = await rowsOf(judged.challengerUri);
    const champions = await rowsOf(judged.championUri);
    const alone = (await rowsOf(plan.judgeUri)).map((row) => numbers(row).slice(1).join());
    expect(
      challengers.map((row) => numbers(challengersRow(row, judged)).join()).sort(),
      'the rows that it would be judged by alone',
    ).toEqual(alone.sort());
    const headed = (row: string) => numbers(row).slice(0, 3);
    const theirs = new Map(champions.map((row) => [headed(row).join(), numbers(row).slice(-columns.champion)]));
    const found = challengers.map((row) => [
      ...headed(row).slice(0, 2),
      ...numbers(row).slice(-columns.challenger),
      ...(theirs.get(headed(row).join()) ?? []),
    ]);
    expect(theirs.size).toBe(challengers.length);
    const expected = texts.map((values, at) => {
      const isReadable = values.spent !== undefined;
      const byChampion = encode(encodings.champion, isReadable ? values : { ...values, spent: '0' });
      const encoded = [...encode(encodings.challenger, values), ...byChampion].map(Number);
      return [at % 2, Number(isReadable), ...encoded].join();
    });
    const rows = found.map((row) => row.join());
    expect(rows.length).toBeGreaterThan(RECORDS / 20);
    expect(found.filter(([, isReadable]) => isReadable === 0).length).toBeGreaterThan(0);
    expect(rows.filter((row) => !expected.includes(row))).toEqual([]);
    expect(new Set(rows).size).toBe(rows.length);
  });

  test('are none where the champion needs a number that the definition no longer has, or has another type', () => {
    expect(unreadableBy(encodings.champion, after)).toBeUndefined();
    const needed = encodingOf(groupOf({ spent: fractional(), price: fractional() }));
    expect(unreadableBy(needed, after)).toBe('The definition no longer has price, which the model that serves needs.');
    const other = encodingOf(groupOf({ spent: integral({ optional: true }) }));
    expect(unreadableBy(other, after)).toBe('The type of spent is another one for the model that serves.');
  });

  test('lie under the prefix of their training set, and their query has to fit beside the plan', () => {
    const plan = trainingPlan(after, retrainConfig(retrainEnvironment), { epoch: 2, attempt: 1 }, NOW);
    expect(sharedUri(plan)).toBe(plan.judgeUri.replace('part=judge/', 'judge-in-two-schemas/'));
    const rest = 224 * 1024 - JSON.stringify(plan).length - 2;
    expect([fitsBeside(plan, 'x'.repeat(rest)), fitsBeside(plan, 'x'.repeat(rest + 1))]).toEqual([true, false]);
  });
});
