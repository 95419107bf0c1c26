import { Readable } from 'node:stream';
import type { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { categorical, defineFeatureGroup, integral } from '../../../shared/feature-groups/define.ts';
import { encodingOf } from '../../../shared/model/encoding.ts';
import { explainTraining } from '../../../shared/training/attempt/explanation.ts';
import { judgedOf } from '../../../shared/training/attempt/judged.ts';

const group = defineFeatureGroup({
  name: 'shop',
  recordIdentifier: 'id',
  features: {
    age: integral({ optional: true }),
    plan: categorical(['free', 'team']),
    same: integral(),
    size: categorical(['small', 'large'], { encoding: 'ordinal' }),
  },
  label: { name: 'left' },
});

const ROWS = [
  ...['0,10,0,1,0,7,1', '0,20,0,1,0,7,1', '0,30,0,0,1,7,2', '0,0,1,1,0,7,0'],
  ...['1,50,0,0,1,7,2', '1,60,0,0,1,7,2'],
];

const scores = {
  labels: Uint8Array.from([0, 0, 1, 1, 1]),
  challenger: Float64Array.from([0.1, 0.4, 0.4, 0.8, 1]),
  champion: Float64Array.from([0.5, 0.5, 0.5, 0.5, 0.5]),
  threshold: 0.4,
};

let written: Record<string, string>;
let dead: readonly string[];

/** S3's answers, of a prefix with two files. */
const s3 = {
  send: async (command: GetObjectCommand | ListObjectsV2Command | PutObjectCommand) => {
    const { input } = command as unknown as { input: Record<string, string> };
    if ('Prefix' in input) return { Contents: [1, 2].map((it) => ({ Key: `${input.Prefix}${it}` })) };
    if ('Body' in input) {
      written[input.Key ?? ''] = input.Body ?? '';
      return {};
    }
    return { Body: Readable.from([(input.Key?.endsWith('1') ? ROWS.slice(0, 3) : ROWS.slice(3)).join('\n')]) };
  },
} as unknown as S3Client;

const documentOf = (name: string) => JSON.parse(written[`training-sets/a/${name}.json`] ?? '');

beforeEach(async () => {
  written = {};
  const selection = { since: '2026-01-01' };
  const plan = { trainUri: 's3://data/training-sets/a/part=train/', modelName: 'm', schemaHash: 'h', selection };
  const rows = Array.from({ length: 20 }, (_, at) => `${at % 7},${Number(at % 7 === 0)},${at % 2},${1 - (at % 2)},7,2`);
  const odds = Array.from({ length: 20 }, (_, at) => (at % 7) / 2 - (at % 2));
  const judged = { rows, scores: odds.map((it) => [1 / (1 + Math.exp(-it))]) };
  dead = await explainTraining(s3, plan, encodingOf(group), 'left', scores, judged);
});

describe('what a training tells of itself', () => {
  test('has the names of the columns, as the files have none', () => {
    expect(documentOf('columns')).toEqual({
      ...{ modelName: 'm', schemaHash: 'h', selection: { since: '2026-01-01' } },
      columns: ['left', 'age', 'age__missing', 'plan=free', 'plan=team', 'same', 'size'],
    });
  });

  test('has the weights of a linear model by the names of their columns', () => {
    const { isLinear, columns } = documentOf('weights');
    expect(isLinear).toBe(true);
    const [age, , free, team, same] = columns;
    expect(age).toMatchObject({ name: 'age', feature: 'age' });
    expect(age.weight).toBeCloseTo(0.5, 5);
    expect(free.weight - team.weight).toBeCloseTo(-1, 5);
    expect(same).toEqual({ name: 'same', feature: 'same', weight: null, perDeviation: null });
  });

  test('names the features that have one value in all rows, from which nothing can be learned', () => {
    expect(dead).toEqual(['same']);
  });

  test('says by class how numbers are spread, and which share is missing or of a category', () => {
    const { rows, columns } = documentOf('features');
    expect(rows).toBe(6);
    const byName = Object.fromEntries(columns.map((it: { name: string }) => [it.name, it]));
    expect(byName.age.byClass[1]).toMatchObject({
      mean: 55,
      quantiles: { '0.05': 50, '0.25': 50, '0.5': 60, '0.75': 60, '0.95': 60 },
    });
    expect(byName.age__missing.byClass).toEqual({ 0: { share: 0.25 }, 1: { share: 0 } });
    expect(byName['plan=team'].byClass).toEqual({ 0: { share: 0.25 }, 1: { share: 1 } });
  });

  test('has a histogram of each number by class, in bins of about as many rows, without what is missing', () => {
    const { rowsByClass, columns } = documentOf('features');
    expect(rowsByClass).toEqual({ 0: 4, 1: 2 });
    const [age, , , , same] = columns;
    expect(age.edges).toEqual([20, 30, 50, 60]);
    expect(age.byClass[0].shares).toEqual([1 / 3, 1 / 3, 1 / 3, 0, 0]);
    expect(age.byClass[1].shares).toEqual([0, 0, 0, 0.5, 0.5]);
    expect([same.edges, same.byClass[0].shares]).toEqual([[], [1]]);
  });

  test('has the share of each position of an ordinal, that of none first', () => {
    const { byClass } = documentOf('features').columns.at(-1);
    expect(byClass).toEqual({ 0: { shares: [0.25, 0.5, 0.25] }, 1: { shares: [0, 0, 1] } });
  });

  test('names the columns that have one value only', () => {
    expect(documentOf('features').constant).toEqual(['same']);
  });

  test('has the curve and the calibration of each model that has scored the rows', () => {
    const { rows, threshold, models } = documentOf('judged');
    expect({ rows, threshold, names: Object.keys(models) }).toEqual({
      ...{ rows: 5, threshold: 0.4, names: ['challenger', 'champion'] },
    });
    const third = 1 / 3;
    expect(models.challenger.roc).toEqual([
      ...[
        [0, 0],
        [0, third],
        [0, 2 * third],
        [0.5, 1],
        [1, 1],
      ],
    ]);
    // Ties are one step.
    expect(models.champion.roc).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(models.challenger.calibration).toEqual([
      { from: 0.1, to: 0.2, rows: 1, meanScore: 0.1, share: 0 },
      { from: 0.4, to: 0.5, rows: 2, meanScore: 0.4, share: 0.5 },
      { from: 0.8, to: 0.9, rows: 1, meanScore: 0.8, share: 1 },
      { from: 0.9, to: 1, rows: 1, meanScore: 1, share: 1 },
    ]);
  });

  test('draws a curve of many rows by a hundred points, from corner to corner', () => {
    const labels = Uint8Array.from({ length: 10_000 }, (_, row) => row % 2);
    const challenger = Float64Array.from(labels, (_, row) => row / 10_000);
    const { roc = [] } = judgedOf({ labels, challenger }).models.challenger ?? { roc: [] };
    expect(roc.length).toBeLessThanOrEqual(101);
    expect([roc[0], roc.at(-1)]).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});
