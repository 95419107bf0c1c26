import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordMasking } from '../../../infra/replay/masking.ts';
import { isRejection, isSkipped, makeDecoder } from '../../../shared/changes/decode.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  fractional,
  hashed,
  integral,
  oneOf,
  startsWith,
  string,
  timestamp,
} from '../../../shared/feature-groups/define.ts';

const optional = true;
const orders = defineFeatureGroup({
  name: 'orders',
  recordIdentifier: { name: 'order_id', attributes: ['pk', 'sk'] },
  items: { sk: startsWith('ORDER#'), kind: oneOf(['order', 1, true]) },
  features: {
    count: integral({ optional, min: 0, max: 9 }),
    amount: fractional({ optional }),
    gift: boolean({ optional }),
    channel: categorical(['web', 'x'], { optional }),
    source: categorical(['web', 'x'], { optional, others: true }),
    size: categorical([1, 2], { optional }),
    due: timestamp({ optional }),
    sku: hashed(8, { optional }),
    note: string({ optional }),
    city: string({ optional, path: ['address', 'city'] }),
    floor: integral({ optional, path: ['address', 'lines', 0, 'floor'] }),
  },
  label: { name: 'returned', values: { 0: ['N', false], 1: ['Y', true, 2] } },
});

/** Texts of people, and those that a definition knows. */
const personal = fc.string({ maxLength: 8 }).map((text) => `Jane ${text}`);
const text = fc.oneof(personal, fc.constantFrom('', 'web', 'x', 'order', '2026-05-01T12:00:00Z', '1'));
const number = fc.constantFrom('0', '1', '2.0', '1E0', '3.5', '-7', '1770000000', '12345678901234567890');
const scalar = fc.oneof(
  text.map((S) => ({ S })),
  number.map((N) => ({ N })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true }),
  fc.base64String({ maxLength: 8 }).map((B) => ({ B })),
);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.uniqueArray(personal, { minLength: 1, maxLength: 3 }).map((SS) => ({ SS })),
  fc.array(scalar, { maxLength: 3 }).map((L) => ({ L })),
  fc.dictionary(fc.constantFrom('city', 'floor', 'other'), scalar).map((M) => ({ M })),
);
/** Values that fit their features more often than not; others would be the first to be refused. */
const fitting = (...values: object[]) => fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...values) }, value);
const texts = fc.oneof({ weight: 9, arbitrary: text.map((S) => ({ S })) }, value);
const address = fc.record(
  {
    city: value,
    lines: fc
      .array(
        fc.record({ floor: fitting({ N: '2' }) }).map((M) => ({ M })),
        { maxLength: 2 },
      )
      .map((L) => ({ L })),
  },
  { requiredKeys: [] },
);
const attributes = fc.record(
  {
    kind: fitting({ S: 'order' }, { N: '1.0' }, { BOOL: true }),
    count: fitting({ N: '0' }, { N: '3.0' }, { N: '1E0' }),
    amount: fitting({ N: '3.5' }, { N: '-7' }),
    gift: fitting({ BOOL: true }, { BOOL: false }),
    channel: fitting({ S: 'web' }, { S: 'x' }, { S: 'Jane' }),
    source: texts,
    size: fitting({ N: '1' }, { N: '2.0' }, { N: '0200E-2' }, { N: '3' }),
    due: fitting({ N: '1770000000' }, { S: '2026-05-01T12:00:00Z' }),
    sku: texts,
    note: value,
    returned: fitting({ S: 'N' }, { S: 'Y' }, { N: '2' }, { BOOL: true }, { S: 'Jane' }),
    email: texts,
    address: fc.oneof(
      address.map((M) => ({ M })),
      value,
    ),
  },
  { requiredKeys: [] },
);
const keys = fc.record({
  pk: personal.map((S) => ({ S })),
  sk: fc
    .tuple(fc.constantFrom('ORDER#', 'PROFILE#', ''), personal)
    .map(([prefix, rest]) => ({ S: `${prefix}${rest}` })),
});
const record = fc.tuple(keys, attributes, attributes).map(([Keys, after, before]) => ({
  eventName: 'MODIFY',
  dynamodb: {
    ...{ SequenceNumber: '100000000000000000001', ApproximateCreationDateTime: 1_770_000_000, Keys },
    NewImage: { ...Keys, ...after },
    OldImage: { ...Keys, ...before },
  },
}));

const decode = makeDecoder(orders);
const mask = recordMasking(orders, Buffer.alloc(32, 7));

/** What becomes of a record, and what stays of it when it is masked. */
function outcomeOf(given: object) {
  const decoded = decode(given);
  if (isRejection(decoded)) return `${decoded.reason} ${decoded.path}`;
  if (isSkipped(decoded)) return 'skipped';
  const { values = [], newLabel } = decoded;
  const there = values.map((it) => it !== undefined && it !== null);
  // Numbers, booleans and known categories, by their places in the definition.
  return { newLabel, there, stay: [0, 1, 2, 3, 5, 6].map((index) => values[index]), floor: values[10] };
}

test('a masked record comes to what the real one comes to, and holds no text of a person', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(record, (real) => {
      const masked = mask(real);
      const outcome = outcomeOf(real);
      seen.add(typeof outcome === 'string' ? (outcome.split(' ')[0] as string) : 'change');
      expect(outcomeOf(masked)).toEqual(outcome);
      expect(JSON.stringify(masked)).not.toContain('Jane');
    }),
    { seed: 1, numRuns: 2_000 },
  );
  expect([...seen].sort()).toEqual(expect.arrayContaining(['change', 'skipped', 'unknown-category', 'wrong-type']));
});

test('personal numbers, categories, booleans and times give way to others of which the definition says the same', () => {
  const people = defineFeatureGroup({
    name: 'people',
    recordIdentifier: 'id',
    features: {
      age: integral({ personal: true, min: 0, max: 120 }),
      share: fractional({ personal: true, min: 0, max: 0.5 }),
      income: fractional({ personal: true }),
      title: categorical(['Mr', 'Ms', 'Mx'], { personal: true }),
      floor: categorical([1, 2], { personal: true, others: false }),
      smokes: boolean({ personal: true }),
      born: timestamp({ personal: true }),
      email: string({ personal: true }),
    },
  });
  const decodePerson = makeDecoder(people);
  const maskPerson = recordMasking(people, Buffer.alloc(32, 7));
  const image = fc.record({
    age: fitting({ N: '37' }, { N: '121' }, { N: '3.5' }),
    share: fitting({ N: '0.25' }, { N: '7' }),
    income: fitting({ N: '61234.56' }),
    title: fitting({ S: 'Ms' }, { S: 'Jane' }),
    floor: fitting({ N: '2.0' }, { N: '7' }),
    smokes: fitting({ BOOL: true }),
    born: fitting({ S: '1987-03-05T12:00:00Z' }, { N: '541944000' }),
    email: fitting({ S: 'jane@example.org' }),
  });
  const told = (record: object) => {
    const decoded = decodePerson(record);
    return isRejection(decoded) ? `${decoded.reason} ${decoded.path}` : 'change';
  };
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(image, (NewImage) => {
      const Keys = { id: { S: 'Jane' } };
      const real = { eventName: 'INSERT', dynamodb: { SequenceNumber: '1', Keys, NewImage: { ...Keys, ...NewImage } } };
      Object.assign(real.dynamodb, { ApproximateCreationDateTime: 1_770_000_000 });
      const masked = maskPerson(real);
      outcomes.add(told(real));
      expect(told(masked)).toBe(told(real));
      for (const text of ['"37"', '61234.56', '1987-03-05', '541944000', 'jane@']) {
        expect(JSON.stringify(masked)).not.toContain(text);
      }
    }),
    { seed: 1, numRuns: 2_000 },
  );
  expect([...outcomes]).toEqual(expect.arrayContaining(['change', 'out-of-range dynamodb.NewImage.age']));
});

test('equal values have one mask and different ones have different masks, in one recording only', () => {
  const of = (masking: typeof mask, pk: string) => {
    const dynamodb = { Keys: { pk: { S: pk }, sk: { S: 'ORDER#1' } } };
    return (masking({ eventName: 'REMOVE', dynamodb }) as { dynamodb: typeof dynamodb }).dynamodb.Keys;
  };
  expect(of(mask, 'Jane')).toEqual(of(mask, 'Jane'));
  expect(of(mask, 'Jane')).not.toEqual(of(mask, 'Joe'));
  expect(of(mask, 'Jane')).not.toEqual(of(recordMasking(orders, Buffer.alloc(32, 8)), 'Jane'));
  expect(of(mask, 'Jane')).toEqual({
    pk: { S: expect.stringMatching(/^masked-[0-9a-f]{12}$/) },
    sk: { S: expect.stringMatching(/^ORDER#masked-[0-9a-f]{12}$/) },
  });
});
