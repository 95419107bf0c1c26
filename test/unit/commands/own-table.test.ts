import { describe, expect, test } from 'vitest';
import { generateItems } from '../../../infra/commands/playing/generated-items.ts';
import { ownTable } from '../../../infra/commands/playing/own-table.ts';
import type { Item } from '../../../infra/demo/customers/item.ts';
import { sourceItem } from '../../../infra/insight/record.ts';
import {
  categorical,
  defineFeatureGroup,
  fractional,
  hashed,
  integral,
  startsWith,
  string,
  timestamp,
} from '../../../shared/feature-groups/define.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

/** A table with other items in it, nested values, times, and labels of its own spelling. */
const visits = defineFeatureGroup({
  name: 'visits',
  recordIdentifier: { name: 'visit_id', attributes: ['pk', 'sk'] },
  items: { sk: startsWith('VISIT#') },
  features: {
    city: string({ path: ['address', 'city'] }),
    area: fractional({ path: ['address', 'area'], min: 0 }),
    pages: integral({ optional: true, min: 1 }),
    came: timestamp(),
    agent: hashed(8),
    kind: categorical(['new', 'known'], { others: true }),
  },
  label: { name: 'bought', values: { 0: ['N', false], 1: ['Y', true] } },
});

const placed = (items: ReturnType<typeof generateItems>) =>
  items.map((item, index) => ({ item, place: `item ${index + 1}` }));

describe.each([
  ['orders', orders],
  ['visits', visits],
])('items that are generated from the definition of %s', (_, group) => {
  const items = generateItems(group, 300, 1);

  test('are all taken, each with a label of its own spelling', () => {
    expect(items.flatMap((item) => sourceItem(group, item).rejection ?? [])).toEqual([]);
    const { records, others, left } = ownTable(group, placed(items));
    expect([records.length, others, left]).toEqual([300, [], undefined]);
    expect(new Set(records.map(({ label }) => label)).size).toBe(2);
  });

  test('are the same for the same seed', () => {
    const again = (seed: number) => generateItems(group, 20, seed).map(({ updatedAt: _time, ...item }) => item);
    expect(again(1)).toEqual(again(1));
    expect(again(2)).not.toEqual(again(1));
  });

  test('are changed to other items that the definition takes', () => {
    const { records, material } = ownTable(group, placed(items));
    for (const record of records.slice(0, 50)) {
      const changes = material.changesOf(record);
      expect(changes).toHaveLength(2);
      let item = { ...material.itemOf(record), ...material.withLabel(record, record.label) };
      for (const values of changes) {
        const changed = { ...item, ...values };
        expect(changed).not.toEqual(item);
        expect(sourceItem(group, changed).rejection).toBeNull();
        item = changed;
      }
    }
  });

  test('have a copy that is not taken, of an identifier of its own', () => {
    const { records, material } = ownTable(group, placed(items));
    const bad = material.badRecord(records[0] as (typeof records)[0]);
    expect(sourceItem(group, bad?.item ?? {}).rejection).toMatch(/^wrong-type at /);
    expect(records.map(({ id }) => id)).not.toContain(bad?.id);
  });
});

describe("items of one's own", () => {
  const [one, two, three] = generateItems(orders, 3, 1) as [Item, Item, Item];

  test('without a label are played along, and those that are not taken are left out, with a reason', () => {
    const { returned: _, ...unlabeled } = { ...two } as Record<string, { S: string }>;
    const wrong = { ...three, unitPrice: { S: 'dear' } };
    const { records, others, left } = ownTable(orders, placed([one, unlabeled, wrong]));
    expect([records.length, others]).toEqual([1, [unlabeled]]);
    expect(left).toEqual({
      count: 1,
      first: expect.stringMatching(/^item 3: wrong-type at dynamodb.NewImage.unitPrice/),
    });
  });

  test('may have each key once', () => {
    expect(() => ownTable(orders, placed([one, one]))).toThrow('item 2 has the key of an item before it');
  });

  test('are dated later than they say they are', () => {
    const future = { ...one, updatedAt: { N: '4000000000' } };
    const { records, material } = ownTable(orders, placed([future]));
    expect(material.withLabel(records[0] as (typeof records)[0], '1')).toEqual({
      ...{ returned: { N: '1' }, updatedAt: { N: '4000000001' } },
    });
  });
});
