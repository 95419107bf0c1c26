import { doubleText, realText } from '../../results/result-text.ts';
import { SqlError } from '../sql-error.ts';
import { invalidArgument, type Udf } from './udf.ts';

/** Numbers as Java has them. Decimals are texts here, and computed with as integers. */
export const NUMBER_UDFS: Readonly<Record<string, Udf>> = {
  'trino_fail(varchar) -> varchar': (message: string) => {
    const [code = '', ...rest] = message.split(': ');
    throw new SqlError(code, rest.join(': '));
  },
  'trino_double_text(double) -> varchar': doubleText,
  'trino_real_text(real) -> varchar': realText,
  'trino_double_to_decimal(double, integer, integer) -> varchar': (value: number, precision: number, scale: number) => {
    const cannot = () =>
      new SqlError(
        'INVALID_CAST_ARGUMENT',
        `Cannot cast DOUBLE '${doubleText(value)}' to DECIMAL(${precision}, ${scale})`,
      );
    if (!Number.isFinite(value)) throw cannot();
    const { unscaled, scale: own } = decimalOf(String(value));
    const rescaled = rescale(unscaled, own, scale);
    if (String(rescaled).replace('-', '').length > precision) throw cannot();
    return decimalText(rescaled, scale);
  },
  'trino_decimal_divide(varchar, varchar, integer) -> varchar': (left: string, right: string, scale: number) => {
    const [a, b] = [decimalOf(left), decimalOf(right)];
    if (b.unscaled === 0n) throw new SqlError('DIVISION_BY_ZERO', 'Division by zero');
    // a / b in units of 10^-scale.
    const shift = scale - a.scale + b.scale;
    const [dividend, divisor] =
      shift >= 0 ? [a.unscaled * 10n ** BigInt(shift), b.unscaled] : [a.unscaled, b.unscaled * 10n ** BigInt(-shift)];
    return decimalText(divideHalfUp(dividend, divisor), scale);
  },
  'trino_decimal_round(varchar, integer) -> varchar': (text: string, digits: number) => {
    const { unscaled, scale } = decimalOf(text);
    if (digits >= scale) return text;
    const unit = 10n ** BigInt(scale - digits);
    return decimalText(divideHalfUp(unscaled, unit) * unit, scale);
  },
  'trino_round(double, integer) -> double': (value: number, digits: number) => {
    if (!Number.isFinite(value)) return value;
    const factor = 10 ** digits;
    // Java's Math.round, away from zero for both signs.
    const scaled = Math.floor(Math.abs(value) * factor + 0.5) / factor;
    if (!Number.isFinite(Math.abs(value) * factor)) return value;
    const exact = Number(decimalText(rescale(...exactParts(value), digits), digits));
    if (Math.abs(exact) !== scaled) {
      throw new SqlError(
        'NOT_SUPPORTED',
        `The local Athena does not run round(${doubleText(value)}, ${digits}): Athena's result depends on its version. Instead, cast it to decimal`,
      );
    }
    return value < 0 ? -scaled : scaled;
  },
  'trino_cbrt(double) -> double': Math.cbrt,
  'trino_power(double, double) -> double': (base: number, exponent: number) => base ** exponent,
  'trino_log(double, double) -> double': (base: number, value: number) => Math.log(value) / Math.log(base),
  'trino_to_base(bigint, bigint) -> varchar': (value: bigint, radix: bigint) => value.toString(radixOf(radix)),
  'trino_from_base(varchar, bigint) -> bigint': (text: string, radix: bigint) => {
    const base = radixOf(radix);
    const invalid = () => invalidArgument(`Not a valid base-${base} number: ${text}`);
    const [, sign, digits = ''] = /^([+-]?)([0-9a-z]+)$/i.exec(text) ?? [];
    if (digits === '' || digits.length > 64) throw invalid();
    let value = 0n;
    for (const digit of digits) {
      const number = Number.parseInt(digit, 36);
      if (number >= base) throw invalid();
      value = value * radix + BigInt(number);
    }
    const signed = sign === '-' ? -value : value;
    if (BigInt.asIntN(64, signed) !== signed) throw invalid();
    return signed;
  },
};

function radixOf(radix: bigint): number {
  if (radix < 2n || radix > 36n) throw invalidArgument('Radix must be between 2 and 36');
  return Number(radix);
}

/** A number's text, which may have an exponent, as an integer and its scale. */
function decimalOf(text: string): { unscaled: bigint; scale: number } {
  const [mantissa = '', exponent = '0'] = text.split(/e/i);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponent);
  const unscaled = BigInt(`${whole === '-' || whole === '' ? `${whole}0` : whole}${fraction}`);
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 };
}

function exactParts(value: number): [bigint, number] {
  const { unscaled, scale } = decimalOf(String(value));
  return [unscaled, scale];
}

function rescale(unscaled: bigint, from: number, to: number): bigint {
  return to >= from ? unscaled * 10n ** BigInt(to - from) : divideHalfUp(unscaled, 10n ** BigInt(from - to));
}

/** Half away from zero, as BigDecimal's HALF_UP. */
function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  const [a, b] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor];
  const quotient = (2n * a + b) / (2n * b);
  return dividend < 0n === divisor < 0n ? quotient : -quotient;
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
