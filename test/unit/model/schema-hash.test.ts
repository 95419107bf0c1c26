import { describe, expect, test } from 'vitest';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import {
  categorical,
  defineFeatureGroup,
  fractional,
  hashed,
  integral,
  string,
} from '../../../shared/feature-groups/define.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';

const features: FeatureGroupInput['features'] = {
  age: integral(),
  income: fractional({ optional: true }),
  home: categorical(['rent', 'own']),
};
const hashOf = (changed: Partial<FeatureGroupInput> = {}) =>
  schemaHash(defineFeatureGroup({ name: 'loans', recordIdentifier: 'id', features, label: { name: 'y' }, ...changed }));
const withFeatures = (changed: FeatureGroupInput['features']) => hashOf({ features: { ...features, ...changed } });

describe('the schema hash', () => {
  test('is 16 hexadecimal digits', () => {
    expect(hashOf()).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each([
    ['a feature more', withFeatures({ more: integral() })],
    ['another order', hashOf({ features: { income: fractional({ optional: true }), ...features, age: integral() } })],
    ['another type', withFeatures({ age: fractional() })],
    ['a category more', withFeatures({ home: categorical(['rent', 'own', 'boat']) })],
    ['another order of categories', withFeatures({ home: categorical(['own', 'rent']) })],
    ['another encoding', withFeatures({ home: categorical(['rent', 'own'], { encoding: 'ordinal' }) })],
    ['an optional number', withFeatures({ age: integral({ optional: true }) })],
    ['another imputation', withFeatures({ income: fractional({ optional: true, imputeWith: 1 }) })],
    ['a feature that trains no more', withFeatures({ age: integral({ training: false }) })],
    ['others that are taken', withFeatures({ home: categorical(['rent', 'own'], { others: true }) })],
    ['another number of buckets', withFeatures({ home: hashed(8) })],
    ['another label', hashOf({ label: { name: 'z' } })],
  ])('changes with %s', (_, hash) => {
    expect(hash).not.toBe(hashOf());
  });

  test.each([
    ['bounds', withFeatures({ age: integral({ min: 0, max: 150 }) })],
    ['the attribute a feature is read from', withFeatures({ age: integral({ attribute: 'years' }) })],
    ['a feature that does not train', withFeatures({ note: string() })],
    ['the imputation of a required number', withFeatures({ age: integral({ imputeWith: 5 }) })],
    ['an optional category, encoded alike', withFeatures({ home: categorical(['rent', 'own'], { optional: true }) })],
    ['table, name, record identifier and event time', hashOf({ name: 'b', table: 'other', recordIdentifier: 'k' })],
    ['the time of the features, as an encoded row means the same', hashOf({ trainingTime: 'as-of-label' })],
    ['what happens on deletion', hashOf({ onDelete: 'keep', onTtlExpiry: 'keep' })],
  ])('stays the same with %s', (_, hash) => {
    expect(hash).toBe(hashOf());
  });
});
