import { describe, expect, test } from 'vitest';
import type { AttributeValue } from '../../../shared/changes/attribute-value.ts';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import { itemTest } from '../../../shared/changes/items.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import { equals, exists, oneOf, startsWith } from '../../../shared/feature-groups/define.ts';
import { thing, thingRecord, things } from '../../given/table-world.ts';

type Items = NonNullable<FeatureGroupInput['items']>;
const taking = (items: Items, image: Readonly<Record<string, AttributeValue>>) => itemTest(things({ items }))?.(image);

describe('an item is a record', () => {
  test.each<[string, Items[string], AttributeValue | undefined, boolean]>([
    ['by its text', equals('order'), { S: 'order' }, true],
    ['not by another text', equals('order'), { S: 'orders' }, false],
    ['not by a text of another type', equals('1'), { N: '1' }, false],
    ['by one of several values', oneOf(['order', 'return', 7]), { N: '7' }, true],
    ['by a number, however it is written', equals(7), { N: '7.00' }, true],
    ['by a number of many digits', equals(12345678901234567890n), { N: '12345678901234567890' }, true],
    ['not by the number next to it', equals(12345678901234567890n), { N: '12345678901234567891' }, false],
    ['not by a number that is none', equals(7), { N: 'seven' }, false],
    ['by a boolean', equals(true), { BOOL: true }, true],
    ['not by the other boolean', equals(true), { BOOL: false }, false],
    ['by how its text begins', startsWith('ORDER#'), { S: 'ORDER#1' }, true],
    ['not by how a number begins', startsWith('1'), { N: '12' }, false],
    ['by an attribute that is there', exists(), { M: {} }, true],
    ['not by one that is NULL', exists(), { NULL: true }, false],
    ['not by one that is absent', exists(), undefined, false],
    ['not by what every object has', exists(), undefined, false],
  ])('%s', (name, condition, value, expected) => {
    const attribute = name.endsWith('every object has') ? 'constructor' : 'kind';
    expect(taking({ [attribute]: condition }, value ? { [attribute]: value } : {})).toBe(expected);
  });

  test('if all conditions hold', () => {
    const items = { sk: startsWith('ORDER#'), open: equals(true) };
    expect(taking(items, { sk: { S: 'ORDER#1' }, open: { BOOL: true } })).toBe(true);
    expect(taking(items, { sk: { S: 'ORDER#1' }, open: { BOOL: false } })).toBe(false);
  });

  test('always, where the definition says nothing', () => {
    expect(itemTest(things())).toBeUndefined();
  });
});

describe('a change', () => {
  const decode = makeDecoder(things({ items: { kind: equals('order') }, eventTime: { attribute: 'at' } }));
  const order = (v: number, more: object = {}) =>
    thing('A', v, { kind: { S: 'order' }, at: { N: '1760000005' }, ...more });
  // It would be rejected for its missing time and its text, if it were a record.
  const profile = () => thing('A', 'Jane', { kind: { S: 'profile' } });

  test.each<[string, object, object]>([
    ['of an order is what it is', thingRecord('INSERT', 1, 0, { after: order(1) }), { eventName: 'INSERT' }],
    [
      'between two orders is a change',
      thingRecord('MODIFY', 1, 0, { after: order(2), before: order(1) }),
      { eventName: 'MODIFY' },
    ],
    [
      'that makes an order of an item is new',
      thingRecord('MODIFY', 1, 0, { after: order(2), before: profile() }),
      { eventName: 'INSERT' },
    ],
    [
      'that makes another item of an order is a removal, by the time of the stream',
      thingRecord('MODIFY', 1, 0, { after: profile(), before: order(1) }),
      { eventName: 'REMOVE', values: undefined, ttlExpired: false, second: 1_760_000_000 },
    ],
    ['that removes an order is one', thingRecord('REMOVE', 1, 0, { before: order(1) }), { eventName: 'REMOVE' }],
    ['of another item is skipped', thingRecord('INSERT', 1, 0, { after: profile() }), { skipped: true }],
    [
      'between two other items is skipped',
      thingRecord('MODIFY', 1, 0, { after: profile(), before: profile() }),
      { skipped: true, sequenceNumber: '1', second: 1_760_000_000 },
    ],
    ['that removes another item is skipped', thingRecord('REMOVE', 1, 0, { before: profile() }), { skipped: true }],
    [
      'that expires another item is skipped',
      thingRecord('REMOVE', 1, 0, { before: profile(), ttl: true }),
      { skipped: true },
    ],
    [
      'of an order that is wrong is rejected',
      thingRecord('INSERT', 1, 0, { after: order(1, { v: { S: 'x' } }) }),
      {
        reason: 'wrong-type',
      },
    ],
    [
      'that lacks the image before its removal is one',
      thingRecord('REMOVE', 1, 0, { before: order(1) }),
      {
        eventName: 'REMOVE',
      },
    ],
  ])('%s', (name, record, expected) => {
    const { dynamodb } = record as { dynamodb: object };
    const given = name.startsWith('that lacks')
      ? { ...record, dynamodb: { ...dynamodb, OldImage: undefined } }
      : record;
    expect(decode(given)).toMatchObject(expected);
  });

  test('that makes an order of an item brings its label, though the item had it before', () => {
    const labeled = { y: { N: '1' } };
    const before = { ...profile(), ...labeled };
    expect(decode(thingRecord('MODIFY', 1, 0, { after: order(1, labeled), before }))).toMatchObject({ newLabel: '1' });
    const change = thingRecord('MODIFY', 1, 0, { after: order(2, labeled), before: order(1, labeled) });
    expect(decode(change)).toMatchObject({ newLabel: undefined });
  });
});
