import { describe, expect, test } from 'vitest';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  fractional,
  hashed,
  integral,
  string,
  timestamp,
} from '../../../shared/feature-groups/define.ts';
import { parseFeatures } from '../../../shared/prediction/features.ts';

const group = defineFeatureGroup({
  name: 'loans',
  recordIdentifier: 'loan_id',
  features: {
    age: integral({ min: 18, max: 120 }),
    balance: integral({ optional: true }),
    income: fractional({ optional: true, min: 0, max: 0.3 }),
    active: boolean({ optional: true }),
    home: categorical(['rent', 'own'], { optional: true }),
    note: string({ optional: true }),
    internal: integral({ training: false }),
    rooms: categorical([1, 2.5, 3], { optional: true }),
    city: categorical(['Graz', 'Wien'], { others: true, optional: true }),
    product: hashed(16, { optional: true }),
    opened: timestamp({ optional: true }),
  },
  label: { name: 'defaulted' },
});

const problemsOf = (features: object) => parseFeatures(group.features, { age: 41, ...features }).problems;
const textsOf = (features: object) => parseFeatures(group.features, { age: 41, ...features }).features;

describe('the features of a prediction request', () => {
  test('are taken as JSON numbers or as numeric text', () => {
    expect(textsOf({ balance: 7, income: '0.25' })).toMatchObject({ age: '41', balance: '7', income: '0.25' });
    expect(textsOf({ balance: '1e3' })).toMatchObject({ balance: '1000' });
  });

  test('keep every digit of a number sent as text', () => {
    expect(textsOf({ balance: '9007199254740993' })?.balance).toBe('9007199254740993');
    expect(textsOf({ income: '0.1234567890123456789' })?.income).toBe('0.1234567890123456789');
  });

  test('refuse a JSON number beyond 2^53, which has lost digits already', () => {
    expect(problemsOf({ balance: 2 ** 53 })).toEqual([expect.stringContaining('send it as a string')]);
  });

  test('refuse a whole number beyond int64', () => {
    expect(textsOf({ balance: '9223372036854775807' })).toBeDefined();
    expect(problemsOf({ balance: '9223372036854775808' })).toEqual([
      expect.stringContaining('balance must be at most'),
    ]);
  });

  test('hold bounds to the last digit', () => {
    expect(textsOf({ income: 0.3 })).toBeDefined();
    expect(problemsOf({ income: '0.30000000000000000001' })).toEqual([expect.stringContaining('at most 0.3')]);
    expect(problemsOf({ age: 17 })).toEqual(['age must be at least 18, not 17']);
    expect([textsOf({ age: 18 })?.age, textsOf({ age: 120 })?.age]).toEqual(['18', '120']);
  });

  test('refuse fractions where a whole number is due', () => {
    expect(problemsOf({ age: 41.5 })).toEqual(['age must be a whole number, not 41.5']);
  });

  test('refuse what is no number, without coercion', () => {
    for (const value of ['', ' 41', 'NaN', true, [41], {}, 'forty']) expect(problemsOf({ age: value })).toHaveLength(1);
  });

  test('null is a missing value, never 0', () => {
    expect(textsOf({ balance: null, home: null })).toEqual({ age: '41', balance: undefined, home: undefined });
    expect(problemsOf({ age: null })).toEqual(['age is required, and null is no value']);
  });

  test('name every required feature that is missing, but none that does not train', () => {
    expect(parseFeatures(group.features, {}).problems).toEqual(['age is required']);
  });

  test('name the categories there are', () => {
    expect(problemsOf({ home: 'boat' })).toEqual(['home must be one of rent, own, not "boat"']);
  });

  test('take numbers for categories of numbers, however they are written', () => {
    for (const value of [2.5, '2.5', '2.50']) expect(textsOf({ rooms: value })?.rooms).toBe('2.5');
    expect(problemsOf({ rooms: 4 })).toEqual(['rooms must be one of 1, 2.5, 3, not 4']);
    expect(problemsOf({ rooms: 'one' })).toHaveLength(1);
  });

  test('take any text where others are taken, and any text or number that is hashed', () => {
    expect(textsOf({ city: 'Linz', product: 7 })).toMatchObject({ city: 'Linz', product: '7' });
    expect(problemsOf({ city: 7 })).toEqual(['city must be a string, not 7']);
    expect(problemsOf({ product: true })).toEqual(['product must be a string or a number, not true']);
  });

  test('take a time in seconds, milliseconds or ISO 8601, and refuse one that no calendar has', () => {
    for (const value of [1_764_144_000, '1764144000000', '2025-11-26T08:00:00Z', '2025-11-26T09:00+01:00'])
      expect(textsOf({ opened: value })?.opened).toBe('1764144000');
    for (const value of ['2025-02-30', 'soon', true]) expect(problemsOf({ opened: value })).toHaveLength(1);
  });

  test('take true, false, 1 and 0 for a boolean and nothing else', () => {
    for (const value of [true, 1, '1']) expect(textsOf({ active: value })?.active).toBe('1');
    for (const value of [false, 0, '0']) expect(textsOf({ active: value })?.active).toBe('0');
    for (const value of ['yes', 2, 'true']) expect(problemsOf({ active: value })).toHaveLength(1);
  });

  test('refuse unknown names, the label and the record identifier among them', () => {
    for (const name of ['agee', 'defaulted', 'loan_id']) {
      expect(problemsOf({ [name]: '1' })).toEqual([expect.stringMatching(`^${name}: no such feature; there are age,`)]);
    }
  });

  test('refuse what is no object', () => {
    for (const value of [undefined, null, 5, 'age', []])
      expect(parseFeatures(group.features, value).problems).toHaveLength(1);
  });
});
