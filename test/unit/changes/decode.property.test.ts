import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../../shared/bytes/writer.ts';
import { changeLogRowWriter } from '../../../shared/change-log/row.ts';
import type { AttributeValue } from '../../../shared/changes/attribute-value.ts';
import {
  type Change,
  type FeatureCode,
  type FeatureText,
  featureTexts,
  type TimedChange,
} from '../../../shared/changes/change.ts';
import { isRejection, makeDecoder } from '../../../shared/changes/decode.ts';
import { formatEventTime } from '../../../shared/changes/event-time.ts';
import type { DerivedInput, DerivedResult } from '../../../shared/definition/derivation.ts';
import { columnsOf, type Feature, type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { type ItemPath, placeText } from '../../../shared/definition/item-path.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import {
  boolean,
  categorical,
  defineFeatureGroup,
  derived,
  fractional,
  hashed,
  integral,
  string,
  timestamp,
} from '../../../shared/feature-groups/define.ts';
import { batchWriteBodyWriter } from '../../../shared/online-store/body.ts';
import { FIRST_SECOND, streamRecord, timedChange } from '../../given/builders.ts';
import { imageSchema } from '../../given/image-schema.ts';

/** The decoder and the writers that run are compiled from the definition; here each is held to a plain description. */

const bound = fc.option(fc.integer({ min: -1_000, max: 1_000 }), { nil: undefined });
const bounds = fc
  .tuple(bound, bound)
  .map(([a, b]) => (a !== undefined && b !== undefined && a > b ? { min: b, max: a } : { min: a, max: b }))
  .map(({ min, max }) => ({ ...(min !== undefined && { min }), ...(max !== undefined && { max }) }));
const categories = fc.uniqueArray(fc.constantFrom('a', 'b,c', '\\', '"', 'ä', 'constructor', 'x y', 'N'), {
  minLength: 2,
  maxLength: 5,
});
/** Ways into maps and lists, some of which share a part; most features are at the top. */
const place = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.constantFrom<{ path: ItemPath }[]>(
    { path: ['map', 'a'] },
    { path: ['map', 'constructor'] },
    { path: ['list', 1] },
    { path: ['map', 'list', 0, 'x'] },
    { path: ['a.b'] },
  ),
);
const feature = fc
  .tuple(fc.boolean(), bounds, categories, place)
  .chain(([optional, range, texts, at]) =>
    fc.constantFrom(
      integral({ optional, ...range, ...at }),
      integral({ optional, min: -(2n ** 60n), max: 2n ** 62n, ...at }),
      fractional({ optional, ...range, ...at }),
      fractional({ optional, ...at }),
      boolean({ optional, ...at }),
      categorical(texts, { optional, ...at }),
      categorical(texts, { optional, others: true, ...at }),
      categorical([1, -2.5, 30], { optional, ...at }),
      categorical([1, 7n], { optional, others: true, ...at }),
      timestamp({ optional, ...at }),
      hashed(8, { optional, ...at }),
      string({ optional, ...at }),
    ),
  );
/** Functions of derived features: of every kind of result, and such that throw or give what nothing takes. */
const computations: readonly ((values: Readonly<Record<string, DerivedInput>>) => DerivedResult)[] = [
  (values) => Object.values(values).filter((it) => it !== undefined).length,
  (values) => Object.values(values).reduce<number>((sum, it) => sum + (typeof it === 'number' ? it : 0.5), 0),
  (values) => Object.values(values).find((it) => typeof it === 'number'),
  (values) => Object.values(values).map(String).join(' '),
  (values) => Object.values(values).find((it) => typeof it === 'string') ?? 'b,c',
  (values) => Object.values(values).some((it) => it === true),
  (values) => (Object.values(values).includes(undefined) ? undefined : 7n),
  (values) => {
    if (Object.values(values).includes(undefined)) throw new RangeError('one is absent');
    return null;
  },
];
const derivedFeature = (names: readonly string[]) =>
  fc
    .tuple(
      fc.subarray([...names], { minLength: 1 }),
      fc.constantFrom(...computations),
      fc.boolean(),
      bounds,
      categories,
    )
    .chain(([from, compute, optional, range, texts]) =>
      fc
        .constantFrom(
          ...[fractional({ optional }), fractional({ optional, ...range }), integral({ optional, ...range })],
          ...[boolean({ optional }), string({ optional }), hashed(4, { optional }), timestamp({ optional })],
          ...[categorical(texts, { optional }), categorical(texts, { optional, others: true })],
        )
        .map((as) => derived({ from, as, compute })),
    );
const label = fc.constantFrom<Omit<NonNullable<FeatureGroupInput['label']>, 'name'> | undefined>(
  undefined,
  {},
  { values: { 0: ['N', false], 1: ['Y', true] } },
  { values: { 0: [0, -1, 'N'], 1: [7n, 'ä'] } },
  { classes: ['a', 7, 'N'] },
  { classes: [0, 1, 2n, -1.5] },
  fractional(),
  fractional({ min: -500, max: 500 }),
);
const definition = fc
  .dictionary(fc.constantFrom('age', 'constructor', 'x-1', 'B', 'toString'), feature, { minKeys: 1 })
  .chain((features) =>
    fc.tuple(
      fc.constant(features),
      fc.option(derivedFeature(Object.keys(features)), { nil: undefined, freq: 2 }),
      // Before what it is computed from, or behind it.
      fc.boolean(),
      label,
    ),
  )
  .map(([features, computed, isFirst, kind]) =>
    defineFeatureGroup({
      name: 'generated',
      recordIdentifier: 'account_id',
      features: {
        ...(computed && isFirst && { computed }),
        ...features,
        ...(computed && !isFirst && { computed }),
        // A definition of texts only is refused, so that a feature that trains is always there.
        last: boolean({ optional: true }),
      },
      ...(kind && { label: { name: 'y', attribute: 'label', ...kind } }),
    }),
  );

const numberText = fc.oneof(
  fc.integer({ min: -1_200, max: 1_200 }).map(String),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer(), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom('0', '-0', '00', '01', '1.', '.5', '1.0', '-', '', '+1', '1E2', '1e-3', '0x10', 'NaN', ' 1', '1_0'),
  fc.constantFrom('9223372036854775807', '9223372036854775808', '-9223372036854775809', '999999999999999', '1E999'),
);
const attribute = fc.oneof(
  { weight: 4, arbitrary: fc.record({ N: numberText }) },
  { weight: 4, arbitrary: fc.record({ S: fc.oneof(fc.constantFrom('a', 'b,c', '\\', 'ä', 'N'), fc.string()) }) },
  { weight: 2, arbitrary: fc.record({ BOOL: fc.boolean() }) },
  fc.record({ NULL: fc.constant(true) }),
  fc.constantFrom({ SS: ['b', 'a'] }, { B: 'AAEq' }, {}, { L: [{ N: '1.50' }] }, { S: 1 }, { N: 1 }, { BOOL: 'true' }),
) as fc.Arbitrary<AttributeValue>;

/** Labels as the definition spells them. */
const labelsOf = (group: FeatureGroup): AttributeValue[] => {
  const { values = { 0: [0, false], 1: [1, true] }, classes, type } = labelOf(group);
  if (type) return [-501, -12.5, 0, 3, 500].map((it) => ({ N: String(it) }));
  return [...(classes ?? [...values[0], ...values[1]])].map((it) =>
    typeof it === 'string' ? { S: it } : typeof it === 'boolean' ? { BOOL: it } : { N: String(it) },
  );
};

/** Times as applications write them, some of which no calendar has. */
const timeAttribute: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.record({ N: fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }).map(String) }),
  fc.record({ N: numberText }),
  fc
    .tuple(fc.integer({ min: 1, max: 9_999 }), fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 32 }))
    .chain(([year, month, day]) => {
      const date = [String(year).padStart(4, '0'), ...[month, day].map((it) => String(it).padStart(2, '0'))].join('-');
      const rests = ['', 'T07:53Z', 'T23:59:59.5Z', 'T00:00:00.123456789+05:30', 'T12:00:00-0800', 'T07:53', 'T24:00Z'];
      return fc.constantFrom(...rests).map((rest) => ({ S: `${date}${rest}` }));
    }),
);

/** An attribute that the feature mostly takes, so that records with a single fault are common. */
const imageOf = (group: FeatureGroup) =>
  fc
    .tuple(valuesOf(group), fc.option(fc.tuple(fc.constantFrom('map', 'list', 'a.b'), attribute), { freq: 8 }))
    .map(([values, instead]) => {
      const image: Record<string, AttributeValue> = {};
      for (const { name, feature: of } of columnsOf(group)) {
        const value = Object.hasOwn(values, name) ? values[name] : undefined;
        // No attribute holds what is computed.
        if (value === undefined || (of !== 'label' && of.derived)) continue;
        const [top, ...steps] = of === 'label' ? [labelOf(group).attribute] : (of.path ?? [of.attribute]);
        image[top] = withValue(image[top], steps, value);
      }
      return instead ? { ...image, [instead[0]]: instead[1] } : image;
    });

/** What is there, with a value where the steps lead to. */
function withValue(
  at: AttributeValue | undefined,
  steps: readonly (string | number)[],
  value: AttributeValue,
): AttributeValue {
  const [step, ...others] = steps;
  if (step === undefined) return value;
  const inside = (typeof step === 'number' ? (at?.L ?? []) : (at?.M ?? {})) as Record<string | number, AttributeValue>;
  const before = Object.hasOwn(inside, step) ? inside[step] : undefined;
  return typeof step === 'number'
    ? {
        L: Object.assign([{ S: 'before' }, { S: 'it' }].slice(0, step), inside, {
          [step]: withValue(before, others, value),
        }),
      }
    : { M: { ...inside, [step]: withValue(before, others, value) } };
}

const valuesOf = (group: FeatureGroup): fc.Arbitrary<Record<string, AttributeValue | undefined>> =>
  fc.record(
    Object.fromEntries(
      columnsOf(group).map(({ name, feature: of }) => {
        const good: fc.Arbitrary<AttributeValue> =
          of === 'label'
            ? fc.constantFrom(...labelsOf(group))
            : of.type === 'categorical'
              ? fc.constantFrom(...of.categories.map((it) => ({ [of.attributeType ?? 'S']: it })))
              : of.type === 'timestamp'
                ? timeAttribute
                : of.type === 'string'
                  ? fc.record({ S: fc.string() })
                  : of.type === 'boolean'
                    ? fc.record({ BOOL: fc.boolean() })
                    : fc.record({ N: fc.integer({ min: -1_000, max: 1_000 }).map(String) });
        return [name, fc.oneof({ weight: 4, arbitrary: good }, attribute)];
      }),
    ),
    { requiredKeys: [] },
  );

/** As Lambda hands it over. */
const overTheWire = (image: unknown): Record<string, AttributeValue> => JSON.parse(JSON.stringify(image));

test('the decoder and the zod schema of the definition agree on every record and every rejection', () => {
  let accepted = 0;
  let rejected = 0;
  let [derivedValues, underived] = [0, 0];
  fc.assert(
    fc.property(
      definition.chain((group) => fc.tuple(fc.constant(group), fc.array(imageOf(group), { minLength: 1 }))),
      ([group, images]) => {
        const decode = makeDecoder(group);
        const schema = imageSchema(group);
        for (const it of images) {
          const image = overTheWire({ ...it, account_id: { S: 'a-1' } });
          const decoded = decode(streamRecord({ after: image, second: FIRST_SECOND }));
          const parsed = schema.safeParse(image);
          if (parsed.success) {
            accepted += 1;
            if (group.features.some((it) => it.derived)) derivedValues += 1;
            expect(featureTexts(group, decoded as Change)).toEqual(parsed.data);
          } else {
            rejected += 1;
            const [first] = parsed.error.issues;
            const at = columnsOf(group).find(({ name }) => name === first?.path[0])?.feature ?? 'label';
            const place = at === 'label' ? placeText(labelOf(group)) : at.derived ? at.name : placeText(at);
            expect(isRejection(decoded) && [decoded.reason, decoded.path]).toEqual([
              first?.message,
              `dynamodb.NewImage.${place}`,
            ]);
            if (at !== 'label' && at.derived) underived += 1;
          }
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(200);
  expect(rejected).toBeGreaterThan(200);
  expect([derivedValues, underived].map((it) => it > 50)).toEqual([true, true]);
});

/** A value of the feature as the decoder gives it. */
function featureCode(feature: Feature | 'label'): fc.Arbitrary<FeatureCode> {
  const nothing = fc.constantFrom(null, undefined);
  if (feature === 'label') return fc.oneof(fc.constantFrom('0', '1', '12', '-0.5'), nothing);
  if (feature.type === 'boolean') return fc.oneof(fc.constantFrom('0', '1'), nothing);
  switch (feature.type) {
    case 'categorical':
      return fc.oneof(fc.nat({ max: feature.categories.length - 1 }), nothing);
    case 'string':
      return fc.oneof(
        fc.constantFrom('a', 'b,c', '1.50', '', '\r\n', '\ud800', '\u2028', '\u007f'),
        fc.string({ unit: 'binary' }),
        nothing,
      );
    default:
      return fc.oneof(fc.bigInt().map(String), fc.constantFrom('-0.00', '12.50', '9'.repeat(400)), nothing);
  }
}
const changeOf = (group: FeatureGroup): fc.Arbitrary<TimedChange> =>
  fc
    .record({
      values: fc.oneof(
        { weight: 5, arbitrary: fc.tuple(...columnsOf(group).map(({ feature }) => featureCode(feature))) },
        fc.constant(undefined),
      ),
      recordIdentifier: fc.string({ minLength: 1, unit: 'binary' }),
      ttlExpired: fc.boolean(),
      eventName: fc.constantFrom('INSERT' as const, 'MODIFY' as const, 'REMOVE' as const),
      eventTimeMs: fc.integer({ min: FIRST_SECOND * 1_000, max: FIRST_SECOND * 1_000 + 3 }),
    })
    .map((it) => timedChange(it as Partial<TimedChange>));
const groupAndChanges = definition.chain((group) =>
  fc.tuple(fc.constant(group), fc.array(changeOf(group), { minLength: 1, maxLength: 25 })),
);

function rowText(group: FeatureGroup, change: TimedChange) {
  const { sequenceNumber, eventName, eventTimeMs, ttlExpired, recordIdentifier } = change;
  const field = (text: FeatureText) =>
    typeof text === 'string' ? text.replace(/[\\,]/g, '\\$&').replace(/\r\n|[\r\n]/g, ' ') : '\\N';
  const texts = featureTexts(group, change);
  const features = columnsOf(group).map((_, index) => texts[index]);
  const head = [sequenceNumber, eventName, formatEventTime(eventTimeMs), String(ttlExpired), field(recordIdentifier)];
  return `${[...head, ...features.map(field)].join(',')}\n`;
}

test('rows are the bytes of their text', () => {
  fc.assert(
    fc.property(groupAndChanges, ([group, changes]) => {
      const write = changeLogRowWriter(group);
      const written = new ByteWriter(16);
      for (const change of changes) write(change, written);
      const expected = changes.map((change) => rowText(group, change)).join('');
      expect(written.copy(0, written.length)).toEqual(Buffer.from(expected));
    }),
    { numRuns: 200 },
  );
});

function entryOf(group: FeatureGroup, change: TimedChange) {
  const { recordIdentifier, eventTimeMs } = change;
  const texts = featureTexts(group, change);
  const features = columnsOf(group).map(({ name }, index) => ({ FeatureName: name, ValueAsString: texts[index] }));
  return {
    FeatureGroupName: group.name,
    Record: [
      { FeatureName: group.recordIdentifier.name, ValueAsString: recordIdentifier },
      { FeatureName: group.eventTime.name, ValueAsString: formatEventTime(eventTimeMs) },
      ...features.filter(({ ValueAsString }) => typeof ValueAsString === 'string'),
    ],
  };
}

test('request bodies are the bytes of their JSON', () => {
  fc.assert(
    fc.property(groupAndChanges, ([group, changes]) => {
      const expected = JSON.stringify({ Entries: changes.map((change) => entryOf(group, change)) });
      const writeBody = batchWriteBodyWriter(group);
      const body = new ByteWriter(16);
      expect(writeBody(changes, body)).toEqual(Buffer.from(expected));
      expect(writeBody(changes, body)).toEqual(Buffer.from(expected));
    }),
    { numRuns: 200 },
  );
});

test('a feature that is called as every object has a property is absent when it is absent', () => {
  const group = defineFeatureGroup({
    name: 'odd',
    recordIdentifier: 'account_id',
    features: { constructor: string({ optional: true }), active: boolean({ optional: true }) },
    label: { name: 'y' },
  });
  expect((makeDecoder(group)(streamRecord()) as Change).values).toEqual([undefined, '1', undefined]);
});
