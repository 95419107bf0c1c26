import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AttributeValue } from '../../../shared/changes/attribute-value.ts';
import type { Change, Rejection } from '../../../shared/changes/change.ts';
import { type Decoded, isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { assignEventTimes } from '../../../shared/changes/event-order.ts';
import { formatEventTime } from '../../../shared/changes/event-time.ts';
import { boolean, categorical, defineFeatureGroup, integral, string } from '../../../shared/feature-groups/define.ts';
import { accountItem, accounts, FIRST_SECOND, streamRecord } from '../../given/builders.ts';

const decode = makeDecoder(accounts);
/** Position of the category among those of the definition. */
const TEAM = 1;
const decodeItem = (overrides: Record<string, AttributeValue | undefined>) =>
  decode(streamRecord({ after: accountItem(overrides) }));
const reasonOf = (decoded: Decoded) => ('reason' in decoded ? `${decoded.reason} ${decoded.path}` : 'change');

test('an insert becomes a change with every value as the text it was written as, and a category as its position', () => {
  expect(decode(streamRecord())).toEqual({
    eventName: 'INSERT',
    sequenceNumber: '100000000000000000001',
    recordIdentifier: 'a-1',
    second: FIRST_SECOND,
    ttlExpired: false,
    values: ['3', '12.50', TEAM, '1', undefined, undefined, undefined],
    newLabel: undefined,
  });
});

test('a number of 38 digits keeps every digit', () => {
  const balance = { N: '999999.99999999999999999999999999999999' };
  expect(decodeItem({ balance })).toMatchObject({
    values: ['3', balance.N, TEAM, '1', undefined, undefined, undefined],
  });
});

test('NULL, absent and empty text stay three different things', () => {
  const note = (value: AttributeValue | undefined) => (decodeItem({ note: value }) as Change).values?.[4];
  expect([note({ NULL: true }), note(undefined), note({ S: '' })]).toEqual([null, undefined, '']);
});

test.each([
  ['a required feature that is absent', { logins: undefined }, 'missing-feature dynamodb.NewImage.logins'],
  ['a required feature that is NULL', { logins: { NULL: true } }, 'missing-feature dynamodb.NewImage.logins'],
  ['NaN as text', { balance: { S: 'NaN' } }, 'wrong-type dynamodb.NewImage.balance'],
  ['a number as text', { logins: { S: '3' } }, 'wrong-type dynamodb.NewImage.logins'],
  ['a fraction in an integral', { logins: { N: '3.5' } }, 'not-integral dynamodb.NewImage.logins'],
  ['a value under its minimum', { logins: { N: '-1' } }, 'out-of-range dynamodb.NewImage.logins'],
  [
    'a value over its maximum by one digit',
    { balance: { N: '1000000.00000000000000000001' } },
    'out-of-range dynamodb.NewImage.balance',
  ],
  ['an integral beyond int64', { score: { N: '9223372036854775808' } }, 'out-of-range dynamodb.NewImage.score'],
  ['an unknown category', { plan: { S: 'gold' } }, 'unknown-category dynamodb.NewImage.plan'],
  ['text in a boolean', { active: { S: 'true' } }, 'wrong-type dynamodb.NewImage.active'],
  ['a number in a string', { note: { N: '1' } }, 'wrong-type dynamodb.NewImage.note'],
])('%s is rejected with the reason and the place', (_, overrides, expected) => {
  expect(reasonOf(decodeItem(overrides))).toBe(expected);
});

test('a wrong label holds no feature back: it is absent, and rejected apart with the whole record', () => {
  const record = streamRecord({ after: accountItem({ churned: { N: '2' } }) });
  const path = 'dynamodb.NewImage.churned';
  expect(decode(record)).toMatchObject({
    values: ['3', '12.50', TEAM, '1', undefined, undefined, undefined],
    newLabel: undefined,
    wrongLabel: { sequenceNumber: '100000000000000000001', reason: 'invalid-label', path, record },
  });
  expect(decodeItem({ churned: { N: '2' }, plan: { S: 'gold' } })).toMatchObject({ reason: 'unknown-category' });
});

describe('a label that is spelled', () => {
  const decodeSpelled = makeDecoder(
    defineFeatureGroup({
      ...{ name: 'orders', recordIdentifier: 'account_id', features: { v: integral({ optional: true }) } },
      label: { name: 'returned', values: { 0: ['N', false], 1: ['Y', true, 2] } },
    }),
  );
  const item = (returned?: AttributeValue) => ({ account_id: { S: 'a-1' }, ...(returned && { returned }) });
  const change = (after?: AttributeValue, before?: AttributeValue) =>
    decodeSpelled(streamRecord({ eventName: 'MODIFY', after: item(after), before: item(before) })) as Change;

  test.each<[AttributeValue, string | null]>([
    [{ S: 'Y' }, '1'],
    [{ BOOL: true }, '1'],
    [{ N: '2.0' }, '1'],
    [{ S: 'N' }, '0'],
    [{ BOOL: false }, '0'],
    [{ NULL: true }, null],
  ])('as %j is %s', (returned, text) => {
    expect(change(returned).values?.at(-1)).toBe(text);
  });

  test('brings a label when its class changes, and not when its spelling does', () => {
    expect(change({ S: 'Y' }, { S: 'N' }).newLabel).toBe('1');
    expect(change({ S: 'Y' }, { BOOL: true }).newLabel).toBeUndefined();
    expect(change({ S: 'N' }, undefined).newLabel).toBe('0');
  });

  test('in no way of the definition counts as absent, and is rejected apart with those that there are', () => {
    for (const returned of [{ S: 'yes' }, { N: '1' }, { S: 'y' }]) {
      expect(change(returned)).toMatchObject({
        values: [undefined, undefined],
        newLabel: undefined,
        wrongLabel: { reason: 'invalid-label', message: 'Expected one of "N", false, "Y", true, 2.' },
      });
    }
    expect(change({ S: 'Y' }, { S: 'yes' })).toMatchObject({ newLabel: '1', values: [undefined, '1'] });
  });
});

describe('a feature with a path', () => {
  const decodeOrder = makeDecoder(
    defineFeatureGroup({
      ...{ name: 'orders', recordIdentifier: 'account_id', label: { name: 'y' } },
      features: {
        city: categorical(['Graz', 'Wien'], { path: ['address', 'city'] }),
        zip: string({ path: ['address', 'zip'], optional: true }),
        price: integral({ path: ['lines', 0, 'price'], optional: true }),
      },
    }),
  );
  const address = (M: object) => ({ address: { M } });
  const decoded = (attributes: object) => {
    const it = decodeOrder(streamRecord({ after: { account_id: { S: 'a-1' }, ...attributes } }));
    return 'reason' in it ? `${it.reason} at ${it.path}: ${it.message}` : (it as Change).values;
  };
  const [inGraz, lines] = [{ city: { S: 'Graz' } }, { lines: { L: [{ M: { price: { N: '7' } } }] } }];

  test('is read from inside maps and lists', () => {
    expect(decoded({ ...address({ ...inGraz, zip: { S: '8010' } }), ...lines })).toEqual([0, '8010', '7', undefined]);
    expect(decoded({ ...address(inGraz), lines: { L: [] } })).toEqual([0, undefined, undefined, undefined]);
    expect(decoded({ ...address(inGraz), lines: { NULL: true } })).toEqual([0, undefined, null, undefined]);
  });

  test.each([
    ['is missing', address({}), 'missing-feature at dynamodb.NewImage.address.city: city is required'],
    ['is missing with its map', {}, 'missing-feature at dynamodb.NewImage.address.city: city is required'],
    [
      'is of another type',
      address({ city: { N: '1' } }),
      'wrong-type at dynamodb.NewImage.address.city: Expected S, found N.',
    ],
    [
      'would be inside of what is no map',
      { address: { S: 'Graz' } },
      'wrong-type at dynamodb.NewImage.address.city: Expected S, found S on the way to it.',
    ],
    [
      'would be inside of what is no list',
      { ...address(inGraz), lines: { M: {} } },
      'wrong-type at dynamodb.NewImage.lines[0].price: Expected N, found M on the way to it.',
    ],
  ])('is rejected with its path when it %s', (_, attributes, expected) => {
    expect(decoded(attributes)).toContain(expected);
  });
});

test('a rejection carries the whole record and never repeats the value', () => {
  const record = streamRecord({ after: accountItem({ plan: { S: 'secret-plan' } }) });
  const rejection = decode(record) as Rejection;
  expect(rejection.record).toBe(record);
  expect(rejection.message).toBe('Expected one of free, team, enterprise.');
});

test('1.0 and 1E2 are whole numbers', () => {
  const logins = (N: string) => (decodeItem({ logins: { N } }) as Change).values?.[0];
  expect([logins('1.0'), logins('1E2')]).toEqual(['1', '100']);
});

test.each([
  ['B as base64', { B: 'AAEqQQ==' }, 'AAEqQQ=='],
  ['SS as sorted JSON', { SS: ['b', 'a'] }, '["a","b"]'],
  ['NS as sorted exact literals', { NS: ['10', '9', '0.10'] }, '[0.10,9,10]'],
  [
    'L and M as JSON with sorted keys',
    { M: { b: { L: [{ N: '1.50' }, { NULL: true }] }, a: { BOOL: false } } },
    '{"a":false,"b":[1.50,null]}',
  ],
])('a string feature takes %s', (_, note, expected) => {
  expect((decodeItem({ note }) as Change).values?.[4]).toBe(expected);
});

test('a record larger than Feature Store takes is rejected', () => {
  expect(reasonOf(decodeItem({ note: { S: 'é'.repeat(200_000) } }))).toBe('record-too-large dynamodb.NewImage');
  expect(reasonOf(decodeItem({ note: { S: 'e'.repeat(200_000) } }))).toBe('change');
});

test('a removal has no values, and only the TTL service with REMOVE makes it an expiry', () => {
  const service = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };
  expect(decode(streamRecord({ eventName: 'REMOVE' }))).toMatchObject({ values: undefined, ttlExpired: false });
  expect(decode(streamRecord({ eventName: 'REMOVE', userIdentity: service }))).toMatchObject({ ttlExpired: true });
  expect(decode(streamRecord({ eventName: 'INSERT', userIdentity: service }))).toMatchObject({ ttlExpired: false });
});

test.each([
  ['set', undefined, { N: '1' }, '1'],
  ['set by BOOL', undefined, { BOOL: false }, '0'],
  ['changed', { N: '0' }, { N: '1' }, '1'],
  ['kept', { N: '1' }, { N: '1' }, undefined],
  ['removed', { N: '1' }, undefined, undefined],
  ['set after NULL', { NULL: true }, { N: '0' }, '0'],
])('a label that is %s', (_, before, after, expected) => {
  const record = streamRecord({
    eventName: 'MODIFY',
    before: accountItem({ churned: before }),
    after: accountItem({ churned: after }),
  });
  expect(decode(record)).toMatchObject({ newLabel: expected });
});

test.each([
  ['whole seconds', 1_635_734_407, 1_635_734_407],
  ['fractional seconds', 1_635_734_407.987, 1_635_734_407],
  ['milliseconds', 1_635_734_407_987, 1_635_734_407],
  ['ISO text', '2021-11-01T02:40:07.987Z', 1_635_734_407],
])('creation time as %s', (_, second, expected) => {
  expect(decode(streamRecord({ second }))).toMatchObject({ second: expected });
});

test.each([
  ['no creation time', streamRecord({ second: null }), 'missing-creation-time dynamodb.ApproximateCreationDateTime'],
  ['an insert without its image', streamRecord({ after: undefined }), 'stream-view-type dynamodb.StreamViewType'],
  [
    'a modification without its old image',
    streamRecord({ eventName: 'MODIFY', before: undefined }),
    'stream-view-type dynamodb.StreamViewType',
  ],
  ['an unknown event', { ...streamRecord(), eventName: 'UPSERT' }, 'malformed-record eventName'],
  [
    'another key',
    { ...streamRecord(), dynamodb: { ...streamRecord().dynamodb, Keys: { id: { S: '1' } } } },
    'key-schema dynamodb.Keys.account_id',
  ],
  [
    'no sequence number',
    { ...streamRecord(), dynamodb: { ...streamRecord().dynamodb, SequenceNumber: undefined } },
    'malformed-record dynamodb.SequenceNumber',
  ],
  ...['', '12a', ' 12', '-12', '1'.repeat(41)].map((SequenceNumber): [string, object, string] => [
    `the sequence number "${SequenceNumber}"`,
    { ...streamRecord(), dynamodb: { ...streamRecord().dynamodb, SequenceNumber } },
    'malformed-record dynamodb.SequenceNumber',
  ]),
  [
    'a key of one attribute more',
    { ...streamRecord(), dynamodb: { ...streamRecord().dynamodb, Keys: { account_id: { S: 'a' }, more: { S: 'b' } } } },
    'key-schema dynamodb.Keys',
  ],
  [
    'a key that is binary',
    { ...streamRecord(), dynamodb: { ...streamRecord().dynamodb, Keys: { account_id: { B: 'AAEq' } } } },
    'key-schema dynamodb.Keys.account_id',
  ],
  ['null', null, 'malformed-record eventName'],
  ['a set that is no list', streamRecord({ after: accountItem({ note: { SS: 5 } }) }), 'malformed-record dynamodb'],
])('%s is a rejection, never a throw', (_, record, expected) => {
  expect(reasonOf(decode(record))).toBe(expected);
});

test.each([
  ['100', '100'],
  ['1E2', '100'],
  ['007', '7'],
  ['-0.5', '-0.5'],
])('a numeric key of %s is %s, however it was written', (N, expected) => {
  const record = streamRecord();
  const dynamodb = { ...record.dynamodb, Keys: { account_id: { N } } };
  expect(decode({ ...record, dynamodb })).toMatchObject({ recordIdentifier: expected });
});

test('two key attributes make one identifier that no other keys make', () => {
  const orders = defineFeatureGroup({
    name: 'orders',
    recordIdentifier: { name: 'order_id', attributes: ['pk', 'sk'] },
    features: { amount: integral() },
    label: { name: 'returned' },
  });
  const identifier = (pk: string, sk: string) => {
    const keys = { pk: { S: pk }, sk: { S: sk } };
    const record = streamRecord();
    const dynamodb = { ...record.dynamodb, Keys: keys, NewImage: { ...keys, amount: { N: '1' } } };
    return (makeDecoder(orders)({ ...record, dynamodb }) as Change).recordIdentifier;
  };
  expect(identifier('a', 'b')).toBe('a|b');
  expect(identifier('a|', 'b')).not.toBe(identifier('a', '|b'));
});

/** The identifier of one or two key attributes. */
function identifierOf(...parts: string[]): string {
  const names = ['pk', 'sk'].slice(0, parts.length);
  const group = defineFeatureGroup({
    ...{ name: 'keys', recordIdentifier: { name: 'key', attributes: names } },
    ...{ features: { amount: integral() }, label: { name: 'y' } },
  });
  const Keys = Object.fromEntries(names.map((name, at) => [name, { S: parts[at] as string }]));
  const { dynamodb } = streamRecord();
  const record = { ...streamRecord(), dynamodb: { ...dynamodb, Keys, NewImage: { ...Keys, amount: { N: '1' } } } };
  const decoded = makeDecoder(group)(record);
  return 'reason' in decoded ? decoded.reason : (decoded as Change).recordIdentifier;
}

const oddKey = fc.oneof(
  fc.constantFrom(
    'k 1',
    'k\n1',
    'k\r1',
    'k\r\n1',
    'k\\n1',
    '\\|k\\n1',
    '\\|',
    '|',
    '__proto__',
    'constructor',
    'sha256:0',
  ),
  fc.string({ unit: fc.constantFrom('\\', '|', '\n', '\r', 'n', 'r', 'k'), minLength: 1, maxLength: 6 }),
);

test('different keys make different identifiers, and none has a line break', () => {
  const one = fc.uniqueArray(oddKey, { minLength: 2, maxLength: 8 });
  const two = fc.uniqueArray(fc.tuple(oddKey, oddKey), { minLength: 2, maxLength: 8, selector: JSON.stringify });
  for (const keys of [one.map((all) => all.map((it) => [it])), two]) {
    fc.assert(
      fc.property(keys, (all) => {
        const identifiers = all.map((parts) => identifierOf(...parts));
        expect(new Set(identifiers).size).toBe(all.length);
        expect(identifiers.join('')).not.toMatch(/[\r\n]/);
      }),
      { seed: 1, numRuns: 500 },
    );
  }
});

test('a key without a line break is its own identifier, as it always was', () => {
  for (const key of ['k 1', 'DOMAIN\\nancy', 'a|b', '\\N', ',']) expect(identifierOf(key)).toBe(key);
});

test.each([
  ['empty', ''],
  ['half a character', '\ud800'],
])('a key that is %s is rejected: stores would take it for another', (_, key) => {
  expect(identifierOf(key)).toBe('key-schema');
});

test('a record is too large by all of its bytes, its identifier included', () => {
  const group = defineFeatureGroup({
    ...{ name: 'large', recordIdentifier: 'id', features: { note: string(), b: boolean() }, label: { name: 'y' } },
  });
  const overhead = 'id'.length + 'event_time'.length + '2025-10-09T08:53:20.000Z'.length + 'note'.length + 'b1y'.length;
  const decodeLarge = (noteBytes: number) => {
    const id = { S: 'i'.repeat(2_000) };
    const { dynamodb } = streamRecord();
    const NewImage = { id, note: { S: 'n'.repeat(noteBytes) }, b: { BOOL: true } };
    return makeDecoder(group)({ ...streamRecord(), dynamodb: { ...dynamodb, Keys: { id }, NewImage } });
  };
  const most = 350 * 1_024 - overhead - 2_000;
  expect(decodeLarge(most)).not.toHaveProperty('reason');
  expect(decodeLarge(most + 1)).toMatchObject({ reason: 'record-too-large' });
});

test.each<[string, AttributeValue, unknown]>([
  ['a number in a map that is none', { M: { a: { N: 'nan' } } }, 'malformed-record'],
  ['a number in a list that is none', { L: [{ N: '0x1' }] }, 'malformed-record'],
  ['a set of numbers with a text', { NS: ['1', 'x'] }, 'malformed-record'],
  ['a set of texts with a number', { SS: ['a', 1] }, 'malformed-record'],
  ['numbers that JSON writes in another way', { L: [{ N: '+1' }, { N: '.5' }, { N: '1E+5' }] }, '[1,0.5,1E+5]'],
])('%s is checked too', (_, note, expected) => {
  const decoded = decodeItem({ note });
  expect('reason' in decoded ? decoded.reason : (decoded as Change).values?.[4]).toBe(expected);
});

test('a time at the end of all times leaves room for the changes after it', () => {
  const group = defineFeatureGroup({
    ...{ name: 'accounts', recordIdentifier: 'account_id', eventTime: { name: 'event_time', attribute: 'until' } },
    ...{ features: { logins: integral() }, label: { name: 'churned' } },
  });
  const until = { S: '9999-12-31T23:59:59Z' };
  const changes = Array.from({ length: 1_002 }, (_, n) =>
    makeDecoder(group)(streamRecord({ sequenceNumber: String(100 + n), after: accountItem({ until }) })),
  ).filter(isChange);
  const times = assignEventTimes(changes, new Map(), 1).map(({ eventTimeMs }) => formatEventTime(eventTimeMs));
  expect(new Set(times).size).toBe(1_002);
  expect(times.every((time) => /^9999-12-3\dT/.test(time))).toBe(true);
});

test('a sequence number of more digits than there are is none', () => {
  expect(decode(streamRecord({ sequenceNumber: '1'.repeat(41) }))).toMatchObject({ reason: 'malformed-record' });
});

test("the item's own timestamp gives the second, and a removal the stream's", () => {
  const group = defineFeatureGroup({
    name: 'accounts',
    recordIdentifier: 'account_id',
    eventTime: { name: 'event_time', attribute: 'updated_at' },
    features: { logins: integral() },
    label: { name: 'churned' },
  });
  const own = makeDecoder(group);
  expect(own(streamRecord({ after: accountItem({ updated_at: { N: '1700000000' } }) }))).toMatchObject({
    second: 1_700_000_000,
  });
  expect(own(streamRecord({ eventName: 'REMOVE' }))).toMatchObject({ second: FIRST_SECOND });
  expect(reasonOf(own(streamRecord()))).toBe('invalid-timestamp dynamodb.NewImage.updated_at');
});

test('features of one attribute all have its value, each as its type says', () => {
  const group = defineFeatureGroup({
    name: 'products',
    recordIdentifier: 'account_id',
    features: {
      code: string({ attribute: 'sku' }),
      amount: integral(),
      kind: categorical(['book', 'film'], { attribute: 'sku' }),
      owner: string({ attribute: 'account_id' }),
    },
    label: { name: 'y' },
  });
  const account_id = { S: 'a-1' };
  for (const after of [
    { account_id, sku: { S: 'film' }, amount: { N: '2' } },
    { amount: { N: '2' }, sku: { S: 'film' }, account_id },
  ]) {
    expect(makeDecoder(group)(streamRecord({ after }))).toMatchObject({
      recordIdentifier: 'a-1',
      values: ['film', '2', 1, 'a-1', undefined],
    });
  }
  const missing = makeDecoder(group)(streamRecord({ after: { account_id, amount: { N: '2' } } }));
  expect(reasonOf(missing)).toBe('missing-feature dynamodb.NewImage.sku');
});

test.each([{ S: null }, { S: 5 }, 'enterprise', 5, true])(
  'what is no attribute value is of the wrong type: %j',
  (plan) => {
    expect(reasonOf(decodeItem({ plan: plan as unknown as AttributeValue }))).toBe('wrong-type dynamodb.NewImage.plan');
  },
);

test.each([
  [true, '1'],
  [false, '0'],
])('a boolean %s is %s', (BOOL, text) => {
  expect((decodeItem({ active: { BOOL } }) as Change).values?.[3]).toBe(text);
});

test.each([
  ['0', 'change'],
  ['-1', 'out-of-range dynamodb.NewImage.logins'],
  ['9223372036854775807', 'change'],
  ['9223372036854775808', 'out-of-range dynamodb.NewImage.logins'],
])('logins of %s, of which the least is 0, are a %s', (N, reason) => {
  expect(reasonOf(decodeItem({ logins: { N } }))).toBe(reason);
});

test.each([
  ['-9223372036854775808', 'change'],
  ['-9223372036854775809', 'out-of-range dynamodb.NewImage.score'],
])('a score of %s, which has no least of its own, is a %s', (N, reason) => {
  expect(reasonOf(decodeItem({ score: { N } }))).toBe(reason);
});

test('an expected number that is out of range is told by the bounds of its type', () => {
  expect(decodeItem({ score: { N: '1e30' } })).toMatchObject({
    message: 'Expected -9223372036854775808 to 9223372036854775807.',
  });
  expect(decodeItem({ balance: { N: '1000001' } })).toMatchObject({ message: 'Expected -1000000 to 1000000.' });
});

test.each([
  ['a', 2_048, 'change'],
  ['a', 2_049, 'record-too-large dynamodb.Keys'],
  ['ä', 1_024, 'change'],
  ['ä', 1_025, 'record-too-large dynamodb.Keys'],
])('a record identifier of "%s" %i times is a %s', (letter, times, reason) => {
  expect(reasonOf(decodeItem({ account_id: { S: letter.repeat(times) } }))).toBe(reason);
});
