import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { secondOf } from '../../../infra/insight/moment.ts';
import { recordColumns, recordsSql } from '../../../infra/insight/records.ts';
import { identifierOf, keyTexts } from '../../../shared/changes/record-identifier.ts';
import { defineFeatureGroup, fractional } from '../../../shared/feature-groups/define.ts';
import orders from '../../fixtures/feature-groups/orders.ts';

const single = defineFeatureGroup({
  name: 'parts',
  recordIdentifier: 'id',
  features: { part: fractional() },
  label: { name: 'y' },
});

/** Texts of keys, with everything that is escaped. */
const text = fc
  .string({ unit: fc.constantFrom('a', '|', '\\', '\n', '\r', 'n', '"', 'é'), minLength: 1, maxLength: 12 })
  .map((it) => it.toWellFormed());

describe('the key of a record identifier', () => {
  it('is the one that the identifier was made of, of one attribute', () => {
    fc.assert(
      fc.property(text, (id) => {
        const identifier = identifierOf({ id: { S: id } }, single);
        expect(keyTexts(single, String(identifier))).toEqual({ id });
      }),
    );
  });

  it('is the one that the identifier was made of, of two attributes', () => {
    fc.assert(
      fc.property(text, text, (pk, sk) => {
        const identifier = identifierOf({ pk: { S: pk }, sk: { S: sk } }, orders);
        expect(keyTexts(orders, String(identifier))).toEqual({ pk, sk });
      }),
    );
  });

  it('is refused with how it is written, when parts are missing', () => {
    for (const wrong of ['', 'a', 'a|', 'a|b|c'])
      expect(() => keyTexts(orders, wrong)).toThrow(`"${wrong}" is no record identifier of Orders_v2: give pk and sk`);
    expect(() => keyTexts(single, '')).toThrow('give the text of its key');
  });
});

test.each([
  ['2026-11-26T12:00:00Z', '2026-11-26T12:00:00'],
  ['2026-11-26T12:00:00.999Z', '2026-11-26T12:00:00'],
  ['2026-11-26T12:00', '2026-11-26T12:00:00'],
  ['2026-11-26T12:00:00+02:00', '2026-11-26T10:00:00'],
  ['2026-11-26', '2026-11-26T00:00:00'],
])('the moment %s counts up to the second %s', (moment, second) => {
  expect(secondOf(moment)).toBe(second);
});

test.each(['', 'noon', '2026', '2026-13-01', "2026-11-26' OR '1'='1"])('the moment %j is refused', (moment) => {
  expect(() => secondOf(moment)).toThrow('expected a time in ISO 8601');
});

test('the column of the part makes way for a feature of that name', () => {
  expect(recordColumns(single)).toEqual(['id', 'event_time', 'part', 'y', '_part']);
  expect(recordsSql(single, 'db', { labeledOnly: true })).toContain('END AS "_part"');
});
