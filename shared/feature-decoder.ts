import { type AttributeValue, attributeType, textOf } from './attribute-text.ts';
import type { FeatureCode, FeatureText, RejectionReason } from './change.ts';
import { compareDecimals, exactInteger, integerText, isPlainDecimal, plainDecimal } from './decimal.ts';
import type { Feature } from './feature-groups/define.ts';

const INT64_MIN = '-9223372036854775808';
const INT64_MAX = '9223372036854775807';

/** What is wrong with one attribute. Its message never holds the value, which may be personal data. */
export class Problem {
  readonly reason: RejectionReason;
  readonly message: string;

  constructor(reason: RejectionReason, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

/** Checks one attribute and gives its text, or its category's position. */
export type FeatureDecoder = (value: AttributeValue | undefined) => FeatureCode | Problem;

/** A label's text: `0` or `1`. */
export function decodeLabel(value: AttributeValue | undefined): FeatureText | Problem {
  if (value === undefined || value === null) return undefined;
  if (value.NULL === true) return null;
  if (value.N === '0' || value.BOOL === false) return '0';
  if (value.N === '1' || value.BOOL === true) return '1';
  return new Problem('invalid-label', 'Expected N 0 or 1, or BOOL.');
}

/**
 * Makes the decoder of one feature's attribute: whatever depends on the definition alone is worked out here, once.
 * Nearly every value is right, and a quick look shows it. All others, right or wrong, are judged with care.
 */
export function featureDecoder(feature: Feature): FeatureDecoder {
  const judge = presentDecoder(feature);
  const missing = feature.optional
    ? undefined
    : new Problem(
        'missing-feature',
        `${feature.name} is required; mark it optional in the definition if it may be absent.`,
      );
  const withCare: FeatureDecoder = (value) => {
    if (value === undefined || value === null) return missing;
    if (value.NULL === true) return missing ?? null;
    return judge(value);
  };
  switch (feature.type) {
    case 'categorical': {
      const positions = new Map<unknown, number>(feature.categories.map((category, position) => [category, position]));
      return (value) => positions.get(value?.S) ?? withCare(value);
    }
    case 'integral': {
      const least = Number(feature.min ?? INT64_MIN);
      const greatest = Number(feature.max ?? INT64_MAX);
      return (value) => {
        const written = value?.N;
        if (typeof written !== 'string') return withCare(value);
        const number = exactInteger(written);
        return number >= least && number <= greatest ? written : withCare(value);
      };
    }
    case 'fractional': {
      const unbounded = feature.min === undefined && feature.max === undefined;
      return (value) => {
        const written = value?.N;
        return unbounded && typeof written === 'string' && isPlainDecimal(written) ? written : withCare(value);
      };
    }
    default:
      return withCare;
  }
}

function presentDecoder(feature: Feature): (value: AttributeValue) => FeatureCode | Problem {
  const wrongType = (value: AttributeValue, expected: string) =>
    new Problem('wrong-type', `Expected ${expected}, found ${attributeType(value) ?? 'no attribute value'}.`);
  switch (feature.type) {
    case 'string':
      return (value) => textOf(value) ?? wrongType(value, 'S, B, SS, NS, BS, L or M');
    case 'boolean':
      return (value) => (value.BOOL === true ? '1' : value.BOOL === false ? '0' : wrongType(value, 'BOOL'));
    case 'categorical': {
      const unknown = new Problem('unknown-category', `Expected one of ${feature.categories.join(', ')}.`);
      return (value) => (typeof value.S === 'string' ? unknown : wrongType(value, 'S'));
    }
    case 'integral':
      return numberDecoder(feature, wrongType, INT64_MIN, INT64_MAX);
    case 'fractional':
      return numberDecoder(feature, wrongType, undefined, undefined);
  }
}

function numberDecoder(
  feature: Extract<Feature, { type: 'integral' | 'fractional' }>,
  wrongType: (value: AttributeValue, expected: string) => Problem,
  typeMin: string | undefined,
  typeMax: string | undefined,
): (value: AttributeValue) => FeatureText | Problem {
  const min = feature.min === undefined ? typeMin : plainDecimal(String(feature.min));
  const max = feature.max === undefined ? typeMax : plainDecimal(String(feature.max));
  const outOfRange = new Problem('out-of-range', `Expected ${min ?? 'any number'} to ${max ?? 'any number'}.`);
  const notIntegral = new Problem('not-integral', 'Expected a whole number.');
  return (value) => {
    const number = typeof value.N === 'string' ? plainDecimal(value.N) : undefined;
    if (number === undefined) return wrongType(value, 'N');
    const text = feature.type === 'integral' ? integerText(number) : number;
    if (text === undefined) return notIntegral;
    if (min !== undefined && compareDecimals(text, min) < 0) return outOfRange;
    if (max !== undefined && compareDecimals(text, max) > 0) return outOfRange;
    return text;
  };
}
