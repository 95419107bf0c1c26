import * as z from 'zod/mini';
import { canonicalDecimal, compareDecimals, integerText, plainDecimal } from '../definition/decimal.ts';
import { derive, derivedInput } from '../definition/derivation.ts';
import type { Feature } from '../definition/feature-group.ts';
import { secondsOfNumber, secondsOfText } from '../definition/timestamp.ts';
import type { FeatureTexts } from '../model/encode.ts';
import { LISTED_MAX, listed, shown } from './bounded.ts';

/** Bounds of Feature Store's Integral, an int64. */
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Greatest number that a model reads: it computes in single precision, where more is infinite. */
const FLOAT32_MAX = 3.4028234663852886e38;

/** Longest text of a number, in characters: more digits than a double tells apart, and none that take time to read. */
const NUMBER_CHARACTERS_MAX = 400;

type Reading = { text: string | undefined } | { problem: string };

const schemas = new WeakMap<readonly Feature[], ReturnType<typeof schemaOf>>();

/**
 * Reads the features of a prediction request as exact texts, by the rules of the definition: nothing is coerced,
 * unknown names are refused, and null means missing, never 0. Required is what the model needs: features that do not
 * train may be given, and are checked, but may also be left out.
 *
 * @param expected the same list each time, as its schema is made once.
 * @returns the texts by feature name, or the problems found, each a sentence that begins with the feature's name.
 */
export function parseFeatures(
  expected: readonly Feature[],
  value: unknown,
): { features: FeatureTexts; problems?: never } | { features?: never; problems: string[] } {
  const schema = schemas.get(expected) ?? schemaOf(expected);
  schemas.set(expected, schema);
  const parsed = schema.safeParse(ownProperties(value));
  if (parsed.success) return withDerived(expected, parsed.data);
  return {
    problems: parsed.error.issues.slice(0, LISTED_MAX + 1).map((issue) => [...issue.path, issue.message].join(' ')),
  };
}

/** Computes what items do not hold either, by the functions that ingest computes it by. */
function withDerived(expected: readonly Feature[], given: FeatureTexts): ReturnType<typeof parseFeatures> {
  const features = { ...given };
  const problems: string[] = [];
  for (const feature of expected) {
    const { name, derived: derivation } = feature;
    if (!derivation) continue;
    const values = derivation.from.map((source) => {
      const of = expected.find((it) => it.name === source);
      return [source, of && derivedInput(of, given[source])] as const;
    });
    const derived = derive(derivation, Object.fromEntries(values));
    const reading = 'problem' in derived ? derived : readDerived(feature, derived.value);
    if ('text' in reading) features[name] = reading.text;
    else if (feature.training)
      problems.push(`${name} is derived from ${listed(derivation.from)}, and ${reading.problem}`);
  }
  return problems.length > 0 ? { problems } : { features };
}

function readDerived(feature: Feature, value: Readonly<Record<string, unknown>> | undefined): Reading {
  if (value === undefined) return readMissing(feature, undefined);
  const { N, S = N, BOOL = S } = value;
  // A number is hashed by its digits, whichever way it is written.
  return read(feature, feature.type === 'hashed' && N !== undefined ? Number(N) : BOOL);
}

/** An object inherits `constructor` and the like, which may be names of features. */
function ownProperties(value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.assign(Object.create(null), value) : value;
}

function schemaOf(expected: readonly Feature[]) {
  const given = expected.filter((it) => !it.derived);
  const shape = given.map((feature) => [feature.name, schemaOfFeature(feature)] as const);
  return z.strictObject(Object.fromEntries(shape), {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${listed(issue.keys ?? [])}: no such feature; there are ${listed(given.map((it) => it.name))}`
        : 'features must be an object of feature names and values',
  });
}

function schemaOfFeature(feature: Feature) {
  const schema = z.pipe(
    z.unknown(),
    z.transform((value, context) => {
      const reading = value === undefined || value === null ? readMissing(feature, value) : read(feature, value);
      if ('text' in reading) return reading.text;
      context.issues.push({ code: 'custom', message: reading.problem, input: value });
      return z.NEVER;
    }),
  );
  return isNeeded(feature) ? schema : z.optional(schema);
}

const isNeeded = (feature: Feature) => feature.training && !feature.optional;

function readMissing(feature: Feature, value: null | undefined): Reading {
  if (!isNeeded(feature)) return { text: undefined };
  return { problem: `is required${value === null ? ', and null is no value' : ''}` };
}

function read(feature: Feature, value: unknown): Reading {
  switch (feature.type) {
    case 'integral':
    case 'fractional':
      return readNumber(feature, value);
    case 'boolean':
      if (value === true || value === 1 || value === '1') return { text: '1' };
      if (value === false || value === 0 || value === '0') return { text: '0' };
      return { problem: `must be true or false, not ${shown(value)}` };
    case 'categorical':
      return readCategory(feature, value);
    case 'timestamp':
      return readTime(value);
    case 'hashed': {
      const text = typeof value === 'number' ? canonicalDecimal(String(value)) : value;
      return typeof text === 'string' ? { text } : { problem: `must be a string or a number, not ${shown(value)}` };
    }
    case 'string':
      return typeof value === 'string' ? { text: value } : { problem: `must be a string, not ${shown(value)}` };
  }
}

function readCategory(feature: Extract<Feature, { type: 'categorical' }>, value: unknown): Reading {
  const isOfNumbers = feature.attributeType === 'N';
  const isText = typeof value === 'string' && (!isOfNumbers || value.length <= NUMBER_CHARACTERS_MAX);
  const given = isText || (isOfNumbers && typeof value === 'number') ? String(value) : undefined;
  const text = given !== undefined && isOfNumbers ? canonicalDecimal(given) : given;
  if (text !== undefined && (feature.others || feature.categories.includes(text))) return { text };
  if (feature.others) return { problem: `must be a ${isOfNumbers ? 'number' : 'string'}, not ${shown(value)}` };
  return { problem: `must be one of ${listed(feature.categories)}, not ${shown(value)}` };
}

function readTime(value: unknown): Reading {
  const given = typeof value === 'number' ? String(value) : value;
  const isText = typeof given === 'string' && given.length <= NUMBER_CHARACTERS_MAX;
  const text = isText ? (secondsOfNumber(given) ?? secondsOfText(given)) : undefined;
  if (text !== undefined) return { text };
  return { problem: `must be seconds or milliseconds since 1970, or ISO 8601 with a zone, not ${shown(value)}` };
}

function readNumber(feature: Extract<Feature, { type: 'integral' | 'fractional' }>, value: unknown): Reading {
  const whole = feature.type === 'integral';
  const isText = typeof value === 'string' && value.length <= NUMBER_CHARACTERS_MAX;
  const number = typeof value === 'number' || isText ? plainDecimal(String(value)) : undefined;
  const text = number !== undefined && whole ? integerText(number) : number;
  if (text === undefined) return { problem: `must be a ${whole ? 'whole ' : ''}number, not ${shown(value)}` };
  if (whole && typeof value === 'number' && !Number.isSafeInteger(value)) {
    return { problem: 'is beyond 2^53, where JSON numbers are not exact: send it as a string of digits' };
  }
  const min = boundOf(feature.min, whole ? INT64_MIN : -FLOAT32_MAX);
  const max = boundOf(feature.max, whole ? INT64_MAX : FLOAT32_MAX);
  if (compareDecimals(text, min) < 0) return { problem: `must be at least ${min}, not ${shown(value)}` };
  if (compareDecimals(text, max) > 0) return { problem: `must be at most ${max}, not ${shown(value)}` };
  return { text };
}

function boundOf(bound: number | bigint | undefined, type: number | bigint): string {
  return plainDecimal(String(bound ?? type)) as string;
}
