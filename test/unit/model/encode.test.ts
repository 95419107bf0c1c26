import { describe, expect, test } from 'vitest';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
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
import { encode, trainingColumns, UnencodableRecord } from '../../../shared/model/encode.ts';

const group = defineFeatureGroup({
  name: 'loans',
  recordIdentifier: 'loan_id',
  features: {
    age: integral(),
    income: fractional({ optional: true, imputeWith: -1.5 }),
    note: string({ optional: true }),
    active: boolean({ optional: true }),
    grade: categorical(['low', 'mid', 'high'], { encoding: 'ordinal' }),
    home: categorical(['rent', 'own']),
    secret: integral({ training: false }),
  },
  label: { name: 'defaulted' },
});

const loans = (features: Parameters<typeof defineFeatureGroup>[0]['features']) =>
  defineFeatureGroup({ name: 'loans', recordIdentifier: 'loan_id', features, label: { name: 'defaulted' } });

const full = { age: '41', income: '12.50', active: '1', grade: 'mid', home: 'own', note: 'x', secret: '9' };
const columnsOf = (features: Record<string, string | undefined>) => {
  const row = encode(group, features);
  return Object.fromEntries(trainingColumns(group).map((name, index) => [name, row[index]]));
};

describe('the training columns', () => {
  test('are the training features in the order of the definition, flags after their values', () => {
    expect(trainingColumns(group)).toEqual([
      'age',
      'income',
      'income__missing',
      'active',
      'active__missing',
      'grade',
      'home=rent',
      'home=own',
    ]);
  });

  test('of bank-marketing are one per number and one per category', () => {
    expect(trainingColumns(bankMarketing)).toContain('job=admin.');
    expect(trainingColumns(bankMarketing)).toHaveLength(10 + 55);
  });
});

describe('the encoder', () => {
  test('encodes every column as a plain decimal number', () => {
    expect(encode(group, full)).toEqual(['41', '12.50', '0', '1', '0', '2', '0', '1']);
    expect(columnsOf({ ...full, income: '1E-7' }).income).toBe('0.0000001');
  });

  test('imputes a missing optional number or boolean, and flags it', () => {
    expect(columnsOf({ ...full, income: undefined, active: undefined })).toMatchObject({
      income: '-1.5',
      income__missing: '1',
      active: '0',
      active__missing: '1',
    });
  });

  test('gives a missing or unknown category 0 in every column', () => {
    for (const text of [undefined, 'unheard-of']) {
      expect(columnsOf({ ...full, grade: text, home: text })).toMatchObject({
        grade: '0',
        'home=rent': '0',
        'home=own': '0',
      });
    }
  });

  test('refuses a record that lacks a required number, naming it', () => {
    const { age: _, ...rest } = full;
    expect(() => encode(group, rest)).toThrow(UnencodableRecord);
    expect(() => encode(group, rest)).toThrow('age');
  });

  test('refuses a number that is not one', () => {
    for (const text of ['', 'NaN', 'Infinity', '0x10', 'forty']) {
      expect(() => encode(group, { ...full, age: text })).toThrow(UnencodableRecord);
    }
  });

  test('counts a time in days since 2020, which single precision holds to some seconds', () => {
    const timed = loans({ opened: timestamp(), closed: timestamp({ optional: true }) });
    expect(trainingColumns(timed)).toEqual(['opened', 'closed', 'closed__missing']);
    expect(encode(timed, { opened: '1577923200.5' }).map(Number)).toEqual([1 + 0.5 / 86_400, 0, 1]);
    const days = Number(encode(timed, { opened: '1764144000' })[0]);
    expect(Math.abs(Math.fround(days) - days) * 86_400).toBeLessThan(11);
  });

  test('counts a value that is no category as one of the others, where they are taken', () => {
    const open = loans({ home: categorical(['rent', 'own'], { others: true }) });
    expect(trainingColumns(open)).toEqual(['home=rent', 'home=own', 'home__other']);
    const rows = ['own', 'boat', '', undefined].map((home) => encode(open, { home }).join(''));
    expect(rows).toEqual(['010', '001', '001', '000']);
    const ordinal = loans({ home: categorical(['rent', 'own'], { others: true, encoding: 'ordinal' }) });
    expect(['own', 'boat', undefined].map((home) => encode(ordinal, { home })[0])).toEqual(['2', '3', '0']);
  });

  test('deals hashed values into buckets by their MD5, for ever in the same ones', () => {
    const dealt = loans({ city: hashed(4) });
    expect(trainingColumns(dealt)).toEqual(['city#0', 'city#1', 'city#2', 'city#3']);
    const rows = ['Graz', 'Wien', '', 'two\nlines', 'two lines', undefined].map((city) =>
      encode(dealt, { city }).join(''),
    );
    expect(rows).toEqual(['1000', '0001', '0100', '0001', '0001', '0000']);
  });

  test('does not take what every object inherits for a feature', () => {
    const odd = defineFeatureGroup({
      name: 'odd',
      recordIdentifier: 'id',
      features: { constructor: categorical(['a', 'b']), toString: integral({ optional: true }) },
      label: { name: 'y' },
    });
    expect(encode(odd, {})).toEqual(['0', '0', '0', '1']);
  });
});
