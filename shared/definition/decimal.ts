/**
 * Decimal numbers as text. A DynamoDB number has up to 38 digits and a JavaScript double holds 15 to 17, so from the
 * stream to the sinks a number is never made a double.
 */

const DECIMAL = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/** Largest power of ten, either way. Beyond every double (1E+308, 5E-324) and every DynamoDB number (1E+125, 1E-130). */
const EXPONENT_MAX = 400;

/**
 * The number as plain decimal digits, with nothing rounded. Plain text stays as it was written, trailing zeros
 * included; exponents are written out, a plus sign and leading zeros dropped.
 *
 * @returns undefined when the text is no decimal number (NaN, hexadecimal, empty), or one beyond {@link EXPONENT_MAX}.
 */
export function plainDecimal(text: string): string | undefined {
  if (isPlainDecimal(text)) return text;
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const point = whole.length + Number(exponent);
  if (Math.abs(point) > EXPONENT_MAX) return undefined;
  const digits = whole + fraction;
  const padded = point > 0 ? digits.padEnd(point, '0') : '0'.repeat(1 - point) + digits;
  const cut = Math.max(point, 1);
  const decimals = padded.slice(cut);
  const integer = padded.slice(0, cut).replace(/^0+(?=\d)/, '');
  return `${sign === '-' ? '-' : ''}${integer}${decimals && `.${decimals}`}`;
}

/** The one text that all texts of a number have in common: {@link plainDecimal} without zeros that end a fraction. */
export function canonicalDecimal(text: string): string | undefined {
  const plain = plainDecimal(text);
  if (plain === undefined) return undefined;
  let end = plain.length;
  if (plain.includes('.')) {
    while (plain.charCodeAt(end - 1) === ZERO) end -= 1;
    if (plain.charCodeAt(end - 1) === POINT) end -= 1;
  }
  const trimmed = plain.slice(0, end);
  return trimmed === '-0' ? '0' : trimmed;
}

/** The number as an integer's digits, or undefined when it has a fractional part. `1.0` and `1E2` are integers. */
export function integerText(plain: string): string | undefined {
  const [whole = '', fraction = ''] = plain.split('.');
  if (!/^0*$/.test(fraction)) return undefined;
  return whole === '-0' ? '0' : whole;
}

/** Digits that a double holds exactly whatever they are. */
const EXACT_DIGITS = 15;

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

/**
 * The value of a whole number that is written plainly and short enough for a double to be exact, which nearly every
 * whole number is; NaN for every other text, right or wrong: those take the way of {@link plainDecimal}.
 */
export function exactInteger(text: string): number {
  const { length } = text;
  const negative = text.charCodeAt(0) === MINUS;
  const start = negative ? 1 : 0;
  const digits = length - start;
  const leadingZero = text.charCodeAt(start) === ZERO;
  if (digits === 0 || digits > EXACT_DIGITS || (leadingZero && length > 1)) return Number.NaN;
  let value = 0;
  for (let index = start; index < length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Whether the text is a decimal number that {@link plainDecimal} leaves as it is: digits, no leading zeros, no exponent. */
export function isPlainDecimal(text: string): boolean {
  const { length } = text;
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  let index = start;
  while (index < length && isDigit(text.charCodeAt(index))) index += 1;
  const whole = index - start;
  if (whole === 0 || (whole > 1 && text.charCodeAt(start) === ZERO)) return false;
  if (index === length) return true;
  if (text.charCodeAt(index) !== POINT || index + 1 === length) return false;
  for (index += 1; index < length; index += 1) if (!isDigit(text.charCodeAt(index))) return false;
  return true;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

/** Order of two plain decimals: negative, zero or positive, as `a - b` would be, but exact. */
export function compareDecimals(a: string, b: string): number {
  if (a.length <= EXACT_DIGITS && b.length <= EXACT_DIGITS) return Number(a) - Number(b);
  const [wholeA = '', fractionA = ''] = a.split('.');
  const [wholeB = '', fractionB = ''] = b.split('.');
  const scale = Math.max(fractionA.length, fractionB.length);
  const difference = BigInt(wholeA + fractionA.padEnd(scale, '0')) - BigInt(wholeB + fractionB.padEnd(scale, '0'));
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
