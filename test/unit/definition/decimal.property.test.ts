import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareDecimals, exactInteger, integerText, plainDecimal } from '../../../shared/definition/decimal.ts';

const plain = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 38n }), fc.nat({ max: 20 }))
  .map(([negative, digits, scale]) => {
    const text = digits.toString().padStart(scale + 1, '0');
    const at = text.length - scale;
    return `${negative ? '-' : ''}${text.slice(0, at)}${scale > 0 ? `.${text.slice(at)}` : ''}`;
  });

/** The value as a fraction of 10^20, to compare with. */
const exact = (text: string) => {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(20, '0'));
  return text.startsWith('-') ? -value : value;
};

test('plain text stays as it was written', () => {
  fc.assert(
    fc.property(plain, (text) => {
      expect(plainDecimal(text)).toBe(text);
    }),
  );
});

test('comparing is exact at any length', () => {
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      const expected = exact(a) < exact(b) ? -1 : exact(a) > exact(b) ? 1 : 0;
      expect(Math.sign(compareDecimals(a, b))).toBe(expected);
    }),
  );
});

test('an exponent is written out without changing the value', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
      fc.integer({ min: -20, max: 20 }),
      (digits, shift) => {
        const text = plainDecimal(`${digits}E${shift}`) ?? '';
        expect(exact(text) * 10n ** BigInt(Math.max(0, -shift))).toBe(
          digits * 10n ** 20n * 10n ** BigInt(Math.max(0, shift)),
        );
      },
    ),
  );
});

test('an integer has no fraction but zeros', () => {
  expect([integerText('1.00'), integerText('-0'), integerText('1.01')]).toEqual(['1', '0', undefined]);
});

test.each(['', '-', '01', '-01', '1.0', '1e2', '+1', ' 1', 'NaN', '1:', '1/', '1234567890123456'])(
  '%j is left to those that read any number',
  (text) => {
    expect(exactInteger(text)).toBeNaN();
  },
);

test('a short whole number is its value', () => {
  const texts = ['0', '7', '-7', '10', '999999999999999', '-999999999999999'];
  expect(texts.map(exactInteger)).toEqual(texts.map(Number));
});

test.each(['', 'NaN', 'Infinity', '0x10', '1,5', '1.2.3', 'e5', '.'])('%j is no number', (text) => {
  expect(plainDecimal(text)).toBeUndefined();
});

test.each([
  ['1.', '1'],
  ['-', undefined],
  ['', undefined],
  ['.5', '0.5'],
  ['NaN', undefined],
  ['Infinity', undefined],
  ['0x1', undefined],
  ['+1', '1'],
  ['01', '1'],
  ['-00.50', '-0.50'],
  ['1e3', '1000'],
  ['1E-2', '0.01'],
])('the plain text of "%s" is %s', (text, plainText) => {
  expect(plainDecimal(text)).toBe(plainText);
});
