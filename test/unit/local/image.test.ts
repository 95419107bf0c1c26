import { describe, expect, test } from 'vitest';
import { imageBytes, sameImage } from '../../../infra/local/dynamodb/engine/image.ts';

const value = (it: Record<string, unknown>) => ({ a: it });

describe('two images are the same item', () => {
  test.each([
    ['numbers by value', { N: '1.50' }, { N: '15e-1' }],
    ['zeros of either sign', { N: '-0' }, { N: '0.00' }],
    [
      'numbers of 38 digits',
      { N: '12345678901234567890123456789012345678' },
      { N: '12345678901234567890123456789012345678.0' },
    ],
    ['string sets in any order', { SS: ['a', 'b'] }, { SS: ['b', 'a'] }],
    ['number sets by value, in any order', { NS: ['1', '2.0'] }, { NS: ['2', '1.0'] }],
    ['binary sets in any order', { BS: ['AAE=', 'AAI='] }, { BS: ['AAI=', 'AAE='] }],
    ['maps in any order', { M: { x: { S: '1' }, y: { N: '2' } } }, { M: { y: { N: '2.0' }, x: { S: '1' } } }],
  ])('%s', (_, a, b) => {
    expect(sameImage(value(a), value(b))).toBe(true);
  });

  test.each([
    [
      'numbers that differ in the 38th digit',
      { N: '12345678901234567890123456789012345678' },
      { N: '12345678901234567890123456789012345679' },
    ],
    ['a number and its negative', { N: '1' }, { N: '-1' }],
    ['a number and ten times it', { N: '1' }, { N: '10' }],
    ['types', { N: '1' }, { S: '1' }],
    ['lists in another order', { L: [{ S: 'a' }, { S: 'b' }] }, { L: [{ S: 'b' }, { S: 'a' }] }],
    ['null and false', { NULL: true }, { BOOL: false }],
    ['strings in which separators are hidden', { SS: ['a,b'] }, { SS: ['a', 'b'] }],
  ])('not with different %s', (_, a, b) => {
    expect(sameImage(value(a), value(b))).toBe(false);
  });

  test('not when one has an attribute the other lacks, or is not there', () => {
    expect(sameImage({ a: { S: 'x' } }, { a: { S: 'x' }, b: { S: 'y' } })).toBe(false);
    expect(sameImage({ a: { S: 'x' } }, undefined)).toBe(false);
    expect(sameImage(undefined, undefined)).toBe(true);
  });
});

test('an image has the size that a recorded event gives', () => {
  const keys = { Id: { N: '101' } };
  const image = { Message: { S: 'New item!' }, Id: { N: '101' } };
  const changed = { Message: { S: 'This item has changed' }, Id: { N: '101' } };
  expect(imageBytes(keys) + imageBytes(image)).toBe(26);
  expect(imageBytes(keys) + imageBytes(changed) + imageBytes(image)).toBe(59);
});
