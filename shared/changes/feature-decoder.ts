import { canonicalDecimal, exactInteger, isPlainDecimal } from '../definition/decimal.ts';
import type { Feature, Label } from '../definition/feature-group.ts';
import { type NumberFeature, numberRule } from '../definition/number.ts';
import type { Held } from '../definition/schema.ts';
import { secondsOfNumber, secondsOfText } from '../definition/timestamp.ts';
import { type AttributeValue, attributeType, textOf } from './attribute-value.ts';
import type { FeatureCode, FeatureText } from './change.ts';
import type { UsualType, Written } from './item-reader.ts';
import { anyOf } from './items.ts';
import { Problem } from './problem.ts';

/** Decodes one attribute, in two steps: a quick look, which nearly every value passes, and judgement of all others. */
export interface FeatureDecoder {
  readonly type: UsualType;
  /** @returns the attribute's text, or its category's position; undefined when it takes a closer look to say. */
  accept(written: Written): string | number | undefined;
  /** Judges any attribute, right or wrong. */
  judge(value: AttributeValue | undefined): FeatureCode | Problem;
}

/** A label's text, `0` or `1`, where it is a number or a boolean. */
const PLAIN_LABEL: FeatureDecoder = {
  type: 'N',
  accept: (written) => (written === '0' || written === '1' ? written : undefined),
  judge(value) {
    if (value === undefined || value === null) return undefined;
    if (value.NULL === true) return null;
    if (value.N === '0' || value.BOOL === false) return '0';
    if (value.N === '1' || value.BOOL === true) return '1';
    return new Problem('invalid-label', 'Expected N 0 or 1, or BOOL.');
  },
};

/**
 * Makes the decoder of a label, whose text is that of its number, or else the number of its class from 0, however the
 * application spells it.
 */
export function labelDecoder(label: Pick<Label, 'values' | 'classes' | 'type' | 'min' | 'max'>): FeatureDecoder {
  const { values, classes } = label;
  if (label.type) return numberLabel({ type: label.type, min: label.min, max: label.max });
  if (values) return classLabel([values[0], values[1]]);
  return classes ? classLabel(classes.map((it) => [it])) : PLAIN_LABEL;
}

/** @param spellings of each class, in the order of their numbers. */
function classLabel(spellings: readonly (readonly Held[])[]): FeatureDecoder {
  const tests = spellings.map(anyOf);
  const spelled = spellings.flat().map((it) => (typeof it === 'string' ? `"${it}"` : String(it)));
  const problem = new Problem('invalid-label', `Expected one of ${spelled.join(', ')}.`);
  return {
    type: 'S',
    accept: () => undefined,
    judge(value) {
      if (value === undefined || value === null) return undefined;
      if (value.NULL === true) return null;
      const number = tests.findIndex((isOfClass) => isOfClass(value));
      return number < 0 ? problem : String(number);
    },
  };
}

function numberLabel(label: Pick<NumberFeature, 'type' | 'min' | 'max'>): FeatureDecoder {
  const rule = numberRule(label);
  const { min = 'any number', max = 'any number' } = label;
  const problem = new Problem('invalid-label', `Expected N, ${min} to ${max}.`);
  return {
    type: 'N',
    accept: () => undefined,
    judge(value) {
      if (value === undefined || value === null) return undefined;
      if (value.NULL === true) return null;
      const judged = typeof value.N === 'string' ? rule.judge(value.N) : undefined;
      return judged && 'text' in judged ? judged.text : problem;
    },
  };
}

/** Up to here, a number is seconds, and the text that is kept is its own. */
const PLAIN_SECONDS_MAX = 99_999_999_999;

/** Makes the decoder of one feature's attribute: whatever depends on the definition alone is worked out here, once. */
export function featureDecoder(feature: Feature): FeatureDecoder {
  const judgePresent = presentDecoder(feature);
  const missing = feature.optional
    ? undefined
    : new Problem(
        'missing-feature',
        `${feature.name} is required; mark it optional in the definition if it may be absent.`,
      );
  const judge: FeatureDecoder['judge'] = (value) => {
    if (value === undefined || value === null) return missing;
    if (value.NULL === true) return missing ?? null;
    return judgePresent(value);
  };
  switch (feature.type) {
    case 'string':
      return { type: 'S', accept: (written) => (typeof written === 'string' ? written : undefined), judge };
    case 'boolean':
      return {
        type: 'BOOL',
        accept: (written) => (written === true ? '1' : written === false ? '0' : undefined),
        judge,
      };
    case 'categorical': {
      const positions = new Map<unknown, number>(feature.categories.map((category, position) => [category, position]));
      const { attributeType: type = 'S', others } = feature;
      if (type === 'N' || !others) return { type, accept: (written) => positions.get(written), judge };
      const accept = (written: Written) =>
        positions.get(written) ?? (typeof written === 'string' ? written : undefined);
      return { type, accept, judge };
    }
    case 'timestamp': {
      const accept = (written: Written) =>
        typeof written === 'string' && exactInteger(written) <= PLAIN_SECONDS_MAX && exactInteger(written) >= 0
          ? written
          : undefined;
      return { type: 'N', accept, judge };
    }
    case 'hashed':
      return { type: 'S', accept: (written) => (typeof written === 'string' ? written : undefined), judge };
    case 'integral': {
      const { min, max } = numberRule(feature);
      const [least, greatest] = [Number(min), Number(max)];
      const accept = (written: Written) => {
        if (typeof written !== 'string') return undefined;
        const number = exactInteger(written);
        return number >= least && number <= greatest ? written : undefined;
      };
      return { type: 'N', accept, judge };
    }
    case 'fractional': {
      const unbounded = feature.min === undefined && feature.max === undefined;
      const accept = (written: Written) =>
        unbounded && typeof written === 'string' && isPlainDecimal(written) ? written : undefined;
      return { type: 'N', accept, judge };
    }
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
      const { attributeType: type = 'S', others } = feature;
      if (type === 'S') {
        return (value) => (typeof value.S === 'string' ? (others ? value.S : unknown) : wrongType(value, 'S'));
      }
      const positions = new Map(feature.categories.map((category, position) => [category, position]));
      return (value) => {
        const number = typeof value.N === 'string' ? canonicalDecimal(value.N) : undefined;
        if (number === undefined) return wrongType(value, 'N');
        return positions.get(number) ?? (others ? number : unknown);
      };
    }
    case 'timestamp': {
      const impossible = new Problem(
        'invalid-timestamp',
        'Expected seconds or milliseconds since 1970 (N), or a date, or a time with its zone, in ISO 8601 (S).',
      );
      return (value) => {
        if (typeof value.N === 'string') return secondsOfNumber(value.N) ?? impossible;
        return typeof value.S === 'string' ? (secondsOfText(value.S) ?? impossible) : wrongType(value, 'N or S');
      };
    }
    case 'hashed':
      return (value) => {
        const number = typeof value.N === 'string' ? canonicalDecimal(value.N) : undefined;
        return number ?? (typeof value.S === 'string' ? value.S : wrongType(value, 'S or N'));
      };
    case 'integral':
    case 'fractional':
      return numberDecoder(feature, wrongType);
  }
}

function numberDecoder(
  feature: NumberFeature,
  wrongType: (value: AttributeValue, expected: string) => Problem,
): (value: AttributeValue) => FeatureText | Problem {
  const rule = numberRule(feature);
  const integral = feature.type === 'integral';
  const least = feature.min ?? (integral ? rule.min : 'any number');
  const greatest = feature.max ?? (integral ? rule.max : 'any number');
  const outOfRange = new Problem('out-of-range', `Expected ${least} to ${greatest}.`);
  const notIntegral = new Problem('not-integral', 'Expected a whole number.');
  return (value) => {
    if (typeof value.N !== 'string') return wrongType(value, 'N');
    const judged = rule.judge(value.N);
    if ('text' in judged) return judged.text;
    if (judged.problem === 'not-a-number') return wrongType(value, 'N');
    return judged.problem === 'not-integral' ? notIntegral : outOfRange;
  };
}
