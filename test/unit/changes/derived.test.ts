import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { derivationProblems } from '../../../infra/aws/checks/derivations.ts';
import { evolutionOf, lockOf } from '../../../infra/aws/packaging/evolution.ts';
import { replayEvents } from '../../../infra/replay/replay-events.ts';
import { streamOf } from '../../../infra/replay/stream-records.ts';
import { featureTexts } from '../../../shared/changes/change.ts';
import { isChange, isRejection, makeDecoder } from '../../../shared/changes/decode.ts';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  derived,
  fractional,
  hashed,
  integral,
  string,
  timestamp,
} from '../../../shared/feature-groups/define.ts';
import { encode } from '../../../shared/model/encode.ts';
import { encodingOf } from '../../../shared/model/encoding.ts';
import { parseFeatures } from '../../../shared/prediction/features.ts';
import { requestedFeatures } from '../../../shared/prediction/schema.ts';

interface Bought {
  readonly total: number;
  readonly pieces: number;
  readonly city?: string;
  readonly at: number;
  readonly gift?: boolean;
}

const unitPrice = ({ total, pieces }: Bought) => total / pieces;

const stored = {
  total: fractional({ training: false }),
  pieces: integral({ min: 0 }),
  city: categorical(['Graz', 'Wien'], { optional: true, others: true }),
  at: timestamp(),
  gift: boolean({ optional: true }),
};
const from = ['total', 'pieces', 'city', 'at', 'gift'] as const;
const made = (compute: (it: Bought) => number = unitPrice) =>
  defineFeatureGroup({
    name: 'bought',
    recordIdentifier: 'id',
    features: {
      // Before what it is computed from.
      unit_price: derived({ from: ['total', 'pieces'], as: fractional(), compute }),
      ...stored,
      is_abroad: derived({
        from,
        as: boolean({ optional: true }),
        compute: ({ city }: Bought) => (city && city !== 'Graz' && city !== 'Wien' ? true : undefined),
      }),
      day: derived({ from, as: integral(), compute: ({ at }: Bought) => Math.floor(at / 86_400) }),
      kind: derived({ from, as: hashed(8), compute: ({ city, gift }: Bought) => `${city ?? 'none'} ${gift}` }),
      size: derived({
        from,
        as: categorical(['small', 'large']),
        compute: ({ pieces }: Bought) => (pieces > 3 ? 'large' : 'small'),
      }),
    },
    label: { name: 'returned' },
  });

const bought = fc.record(
  {
    total: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
    pieces: fc.integer({ min: 0, max: 9 }),
    city: fc.constantFrom('Graz', 'Wien', 'Rom', 'a,b\n'),
    at: fc.integer({ min: 0, max: 2_000_000_000 }),
    gift: fc.boolean(),
  },
  { requiredKeys: ['total', 'pieces', 'at'] },
);

const textsOf = (group: FeatureGroup, item: object) => {
  const decoded = makeDecoder(group)(streamOf(group).insert({ id: 'b-1', ...item }));
  if (!isChange(decoded)) return undefined;
  const texts = featureTexts(group, decoded);
  return Object.fromEntries(columnsOf(group).map(({ name }, index) => [name, texts[index] ?? undefined]));
};

describe('a derived feature', () => {
  test('is the same in the stores and in a prediction, for every record that either takes', () => {
    const group = made();
    const expected = requestedFeatures(group, encodingOf(group));
    let compared = 0;
    fc.assert(
      fc.property(bought, (item) => {
        const texts = textsOf(group, item);
        const { features } = parseFeatures(expected, item);
        expect(features === undefined).toBe(texts === undefined);
        if (!features || !texts) return;
        compared += 1;
        expect(encode(encodingOf(group), features)).toEqual(encode(encodingOf(group), texts));
        expect(Object.keys(features).filter((name) => features[name] !== texts[name])).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(150);
  });

  test('is in the stores like any other, and the same bytes when it is replayed', async () => {
    const group = made();
    const stream = streamOf(group);
    const events = [
      stream.insert({ id: 'b-1', total: 10, pieces: 4, at: 86_400, city: 'Rom', unit_price: 'not read' }),
      stream.insert({ id: 'b-2', total: 1, pieces: 3, at: 0 }),
    ];
    const once = await replayEvents(group, [events]);
    expect(once.online.get('b-1')).toMatchObject({
      unit_price: '2.5',
      is_abroad: '1',
      day: '1',
      kind: 'Rom undefined',
      size: 'large',
    });
    expect(once.online.get('b-2')).toMatchObject({ unit_price: '0.3333333333333333', day: '0', size: 'small' });
    expect(once.rows[0]).toContain(',b-1,2.5,10,4,Rom,86400,');
    expect(await replayEvents(group, [events])).toEqual(once);
  });

  test('that throws, or gives no value of its type, sends the record to quarantine by its name and without a value', () => {
    const item = { total: 1, pieces: 1, at: 0, city: 'secret' };
    const wrong = (compute: (it: Bought) => unknown) =>
      makeDecoder(made(compute as (it: Bought) => number))(streamOf(made()).insert({ id: 'b', ...item }));
    const failing = wrong(({ city }) => {
      throw new RangeError(`not ${city}`);
    });
    expect(isRejection(failing) && failing).toMatchObject({
      reason: 'derived-failed',
      path: 'dynamodb.NewImage.unit_price',
      message: 'unit_price is derived, and its function threw RangeError.',
    });
    expect(wrong(() => 1 / 0)).toMatchObject({
      reason: 'derived-failed',
      message: expect.stringContaining('gave Infinity'),
    });
    expect(wrong(() => ({}))).toMatchObject({
      reason: 'derived-failed',
      message: expect.stringContaining('of type object'),
    });
    expect(wrong(() => 'text')).toMatchObject({ reason: 'wrong-type' });
    expect(wrong(() => undefined)).toMatchObject({ reason: 'missing-feature' });
  });

  test('is not asked of who predicts, who is told what it is computed from when it fails', () => {
    const group = made();
    const expected = requestedFeatures(group, encodingOf(group));
    const { problems } = parseFeatures(expected, { total: 1, pieces: 1, at: 0, unit_price: 1 });
    expect(problems).toEqual([expect.stringContaining('unit_price: no such feature; there are')]);
    expect(parseFeatures(expected, { pieces: 1, at: 0 }).problems).toEqual(['total is required']);
    expect(parseFeatures(expected, { total: 1, pieces: 0, at: 0 }).problems).toEqual([
      'unit_price is derived from total, pieces, and its function gave Infinity',
    ]);
  });

  test('keeps its function once it is deployed, however that is written', () => {
    const locked = lockOf(made(), {});
    const evolve = (compute: (it: Bought) => number) => evolutionOf(locked, lockOf(made(compute), {})).refused;
    expect(locked.derived).toMatchObject({ unit_price: expect.stringMatching(/^[0-9a-f]{16}$/) });
    // biome-ignore format: it is the point
    expect(evolve(({ total: sum,   pieces: n }: Bought) => /* per piece */ sum / n)).toEqual([]);
    expect(evolve(({ total }) => total)).toEqual([
      'unit_price was derived by another function: what is stored was computed so; give the new computation a feature of another name',
    ]);
    const plain = defineFeatureGroup({
      name: 'bought',
      recordIdentifier: 'id',
      features: { ...stored },
      label: { name: 'returned' },
    });
    const before = lockOf(plain, {});
    const converted = {
      ...stored,
      pieces: derived({ from: ['total'], as: integral(), compute: ({ total }: Bought) => total }),
    };
    const after = defineFeatureGroup({
      name: 'bought',
      recordIdentifier: 'id',
      features: converted,
      label: { name: 'returned' },
    });
    expect(evolutionOf(before, lockOf(after, {})).refused).toEqual([
      expect.stringContaining('pieces was no derived feature'),
    ]);
  });

  test('is refused at packaging when its function is not pure', () => {
    expect(derivationProblems(made())).toEqual([]);
    for (const impure of [() => Math.random(), () => Date.now(), () => new Date().getFullYear()]) {
      expect(derivationProblems(made(impure))).toEqual([
        expect.stringContaining('unit_price is derived by a function that is not pure'),
      ]);
    }
    const counts = { calls: 0 };
    expect(derivationProblems(made(() => ++counts.calls))).toHaveLength(1);
    const changing = (it: Bought) => {
      Object.assign(it, { total: 7 });
      return it.pieces;
    };
    expect(derivationProblems(made(changing))).toHaveLength(1);
  });

  test('is refused where it cannot be computed', () => {
    const one = (feature: object) => () =>
      defineFeatureGroup({
        name: 'one',
        recordIdentifier: 'id',
        features: { total: fractional(), note: string(), it: feature as never },
      });
    const compute = () => 1;
    expect(one(derived({ from: ['totl'], as: integral(), compute }))).toThrow(
      'features.it.derived.from: totl is no feature; did you mean total?',
    );
    expect(one({ ...integral(), derived: { from: ['it'], compute } })).toThrow(
      'features.it.derived.from: it is derived itself',
    );
    expect(one(derived({ from: ['total'], as: integral({ attribute: 'x' }), compute }))).toThrow(
      'features.it: a derived feature is computed, so that it has no `attribute` and no `path`',
    );
    expect(one({ ...integral(), derived: { from: ['total'], compute: 'total / 2' } })).toThrow(
      'features.it.derived.compute: expected a function',
    );
  });
});
