import { compareDecimals, integerText, plainDecimal } from './decimal.ts';
import type { Feature } from './feature-group.ts';

/** Bounds of int64, which Feature Store's Integral is. */
const INT64 = { min: '-9223372036854775808', max: '9223372036854775807' };

/** Bounds of a double, which Feature Store's Fractional is. DynamoDB's numbers end at 1E+126. */
const DOUBLE = { min: String(plainDecimal(`-${Number.MAX_VALUE}`)), max: String(plainDecimal(`${Number.MAX_VALUE}`)) };

/** A feature of numbers. */
export type NumberFeature = Extract<Feature, { type: 'integral' | 'fractional' }>;

/** Why a text is no value of a number feature. */
export type NumberProblem = 'not-a-number' | 'not-integral' | 'too-small' | 'too-large';

/** Which texts are values of a number feature. */
export interface NumberRule {
  /** Inclusive bounds as plain decimals: the definition's own, or else those of the type. */
  readonly min: string;
  readonly max: string;
  /** @returns the exact text of the number, or what is wrong with it. */
  judge(text: string): { readonly text: string } | { readonly problem: NumberProblem };
}

/** The rule of a number feature: whole where it has to be, and within the bounds of its type and its definition. */
export function numberRule(feature: Pick<NumberFeature, 'type' | 'min' | 'max'>): NumberRule {
  const whole = feature.type === 'integral';
  const ofType = whole ? INT64 : DOUBLE;
  const min = feature.min === undefined ? ofType.min : String(plainDecimal(String(feature.min)));
  const max = feature.max === undefined ? ofType.max : String(plainDecimal(String(feature.max)));
  return {
    min,
    max,
    judge(given) {
      const number = plainDecimal(given);
      if (number === undefined) return { problem: 'not-a-number' };
      const text = whole ? integerText(number) : number;
      if (text === undefined) return { problem: 'not-integral' };
      if (compareDecimals(text, min) < 0) return { problem: 'too-small' };
      if (compareDecimals(text, max) > 0) return { problem: 'too-large' };
      return { text };
    },
  };
}
