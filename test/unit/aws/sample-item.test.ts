import { expect, test } from 'vitest';
import { labelValue, sampleItem } from '../../../infra/aws/live-test/sample-item.ts';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  equals,
  exists,
  hashed,
  oneOf,
  startsWith,
  string,
  timestamp,
} from '../../../shared/feature-groups/define.ts';

const orders = (more: Partial<FeatureGroupInput>) =>
  defineFeatureGroup({
    name: 'orders',
    recordIdentifier: { name: 'id', attributes: ['pk', 'sk'], types: ['S', 'N'] },
    features: { kind: categorical(['profile', 'order']), open: boolean() },
    label: { name: 'y' },
    ...more,
  });

test.each<[string, Partial<FeatureGroupInput>]>([
  ['all items', {}],
  ['a beginning of the key', { items: { pk: startsWith('ORDER#') } }],
  ['one value of a key', { items: { pk: equals('orders') } }],
  ['one number of a key', { items: { sk: oneOf([7, 8]) } }],
  ['a value of a feature', { items: { kind: equals('order'), open: equals(true) } }],
  [
    'times, numbers as categories and hashed texts',
    {
      features: {
        at: timestamp(),
        rooms: categorical([1, 2]),
        city: hashed(8),
        plan: categorical(['a', 'b'], { others: true }),
      },
    },
  ],
  [
    'values inside maps and lists',
    {
      features: {
        city: categorical(['Graz', 'Wien'], { path: ['address', 'city'] }),
        zip: string({ path: ['address', 'zip'] }),
        sku: string({ path: ['lines', 1, 'sku'] }),
        open: boolean(),
      },
    },
  ],
  ['attributes of their own', { items: { version: equals(2), tenant: exists(), shop: startsWith('at-') } }],
])('the sample item of a definition that takes %s is taken, and another one is another', (_, more) => {
  const group = orders(more);
  const decoded = ['1', '2'].map((id) => {
    const image = sampleItem(group, id);
    const { pk, sk } = image;
    const dynamodb = { SequenceNumber: '1', ApproximateCreationDateTime: 1_764_144_000, Keys: { pk, sk } };
    return makeDecoder(group)({ eventName: 'INSERT', dynamodb: { ...dynamodb, NewImage: image } });
  });
  const identifiers = decoded.filter(isChange).map(({ recordIdentifier }) => recordIdentifier);
  expect(identifiers).toHaveLength(2);
  expect(new Set(identifiers).size).toBe(2);
});

test('a sample label is spelled as the definition spells it', () => {
  const spelled = orders({ label: { name: 'y', values: { 0: ['N'], 1: [true, 'Y'] } } });
  expect([labelValue(spelled, '0'), labelValue(spelled, '1')]).toEqual([{ S: 'N' }, { BOOL: true }]);
  expect(labelValue(orders({}), '1')).toEqual({ N: '1' });
});
