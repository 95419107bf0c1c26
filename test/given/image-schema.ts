import * as z from 'zod';
import { type AttributeValue, textOf } from '../../shared/changes/attribute-value.ts';
import type { FeatureText, RejectionReason } from '../../shared/changes/change.ts';
import { integerText, plainDecimal } from '../../shared/definition/decimal.ts';
import { columnsOf, type Feature, type FeatureGroup } from '../../shared/definition/feature-group.ts';

/**
 * What a stream record's image must be, as a zod schema derived from the definition: a description to hold the compiled
 * decoder to. It gives the texts in the order of the columns; the message of an issue is the reason of the rejection.
 */
export function imageSchema(group: FeatureGroup) {
  const columns = columnsOf(group).map(({ feature }) => ({
    attribute: feature === 'label' ? group.label.attribute : feature.attribute,
    schema: feature === 'label' ? labelSchema : featureSchema(feature),
  }));
  const shape = Object.fromEntries(columns.map(({ attribute, schema }) => [attribute, schema]));
  return z
    .preprocess((image) => ownAttributes(image as object, Object.keys(shape)), z.object(shape))
    .transform((texts) => columns.map(({ attribute }) => texts[attribute] as FeatureText));
}

/** NULL is null, and an attribute that is not there is undefined, whatever properties every object has. */
function ownAttributes(image: Readonly<Record<string, AttributeValue>> | object, attributes: readonly string[]) {
  return Object.fromEntries(
    attributes.map((attribute) => {
      const value = Object.hasOwn(image, attribute) ? (image as Record<string, AttributeValue>)[attribute] : undefined;
      return [attribute, value?.NULL === true ? null : value];
    }),
  );
}

const reason = (it: RejectionReason) => ({ error: it });

const labelSchema = z
  .union(
    [
      z.object({ N: z.enum(['0', '1']) }).transform(({ N }) => N),
      z.object({ BOOL: z.boolean() }).transform(({ BOOL }) => (BOOL ? '1' : '0')),
    ],
    reason('invalid-label'),
  )
  .nullish();

function featureSchema(feature: Feature): z.ZodType {
  const present = presentSchema(feature);
  if (feature.optional) return present.nullish();
  return z
    .unknown()
    .refine((value) => value !== undefined && value !== null, { ...reason('missing-feature'), abort: true })
    .pipe(present);
}

function presentSchema(feature: Feature) {
  const wrongType = reason('wrong-type');
  switch (feature.type) {
    case 'string':
      return z
        .custom<AttributeValue>((it) => textOf(it as AttributeValue) !== undefined, wrongType)
        .transform((it) => textOf(it));
    case 'boolean':
      return z.object({ BOOL: z.boolean(wrongType) }, wrongType).transform(({ BOOL }) => (BOOL ? '1' : '0'));
    case 'categorical':
      return z
        .object({ S: z.string(wrongType).pipe(z.enum(feature.categories, reason('unknown-category'))) }, wrongType)
        .transform(({ S }) => S);
    default:
      return z.object({ N: z.string(wrongType).pipe(numberSchema(feature)) }, wrongType).transform(({ N }) => N);
  }
}

const PLAIN = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

function numberSchema(feature: Extract<Feature, { type: 'integral' | 'fractional' }>) {
  const whole = feature.type === 'integral';
  const { min = whole ? -(2n ** 63n) : undefined, max = whole ? 2n ** 63n - 1n : undefined } = feature;
  return z
    .string()
    .transform((text) => (PLAIN.test(text) ? text : (plainDecimal(text) ?? '')))
    .refine((text) => text !== '', { ...reason('wrong-type'), abort: true })
    .transform((text) => (whole ? (integerText(text) ?? '') : text))
    .refine((text) => text !== '', { ...reason('not-integral'), abort: true })
    .refine((text) => min === undefined || scaled(text) >= scaled(String(min)), reason('out-of-range'))
    .refine((text) => max === undefined || scaled(text) <= scaled(String(max)), reason('out-of-range'));
}

/** Decimals that two numbers have at most, so that their scaled values compare. */
const SCALE = 800;

/** The plain decimal times 10^{@link SCALE}, exactly. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = (plainDecimal(text) ?? '').split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}
