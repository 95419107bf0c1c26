import { describe, expect, test } from 'vitest';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { categorical, defineFeatureGroup, fractional } from '../../../shared/feature-groups/define.ts';
import { untrainable } from '../../../shared/training/trainable.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

const groupOf = (features: Parameters<typeof defineFeatureGroup>[0]['features'], more: object = {}) =>
  defineFeatureGroup({ name: 'g', recordIdentifier: 'id', features, label: { name: 'y' }, ...more });

const numbers = (count: number, optional: boolean) =>
  groupOf(
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`some_measurement_${index}`, fractional({ optional })]),
    ),
  );

describe('a definition that can never train', () => {
  test.each([bankMarketing, orders])('is none of those that do: $name', (group) => {
    expect(untrainable(group)).toEqual([]);
  });

  test('is one whose queries do not fit into an execution: required or optional numbers, categories, as of the label', () => {
    const tooLarge = [expect.stringContaining('use fewer training columns')];
    expect(untrainable(numbers(1_000, false))).toEqual(tooLarge);
    expect(untrainable(numbers(900, true))).toEqual(tooLarge);
    expect(untrainable(numbers(500, true))).toEqual([]);
    const categories = Array.from({ length: 3_000 }, (_, index) => `category-${index}`);
    expect(untrainable(groupOf({ kind: categorical(categories) }))).toEqual(tooLarge);
    const asOfLabel = groupOf({ kind: categorical(categories) }, { trainingTime: 'as-of-label' });
    expect(untrainable(asOfLabel)).toEqual(tooLarge);
  });
});
