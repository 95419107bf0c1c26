import { describe, expect, test } from 'vitest';
import { filterOf } from '../../../infra/local/event-source-mapping/filter-pattern.ts';

const record = {
  eventName: 'INSERT',
  dynamodb: {
    ApproximateCreationDateTime: 1_700_000_000,
    Keys: { pk: { S: 'label#c-1' } },
    NewImage: {
      pk: { S: 'label#c-1' },
      y: { N: '1' },
      note: { S: '' },
      gone: { NULL: true },
      tags: { SS: ['a', 'b'] },
    },
    OldImage: null,
  },
};

function passes(...patterns: object[]): boolean {
  return filterOf(patterns.map((it) => JSON.stringify(it)))(record);
}
const newImage = (image: object) => ({ dynamodb: { NewImage: image } });

describe('filter patterns', () => {
  test('let everything through when there are none', () => {
    expect(passes()).toBe(true);
  });

  test.each([
    ['exact string', newImage({ y: { N: ['1'] } }), true],
    ['another string', newImage({ y: { N: ['0'] } }), false],
    ['a number is not the string of it', newImage({ y: { N: [1] } }), false],
    ['exact boolean', newImage({ gone: { NULL: [true] } }), true],
    ['empty string', newImage({ note: { S: [''] } }), true],
    ['null', { dynamodb: { OldImage: [null] } }, true],
    ['prefix', { dynamodb: { Keys: { pk: { S: [{ prefix: 'label#' }] } } } }, true],
    ['prefix of another', { dynamodb: { Keys: { pk: { S: [{ prefix: 'fence#' }] } } } }, false],
    ['suffix', { dynamodb: { Keys: { pk: { S: [{ suffix: '-1' }] } } } }, true],
    ['case ignored', { eventName: [{ 'equals-ignore-case': 'insert' }] }, true],
    ['anything-but, excluded', { eventName: [{ 'anything-but': ['INSERT'] }] }, false],
    ['anything-but, another', { eventName: [{ 'anything-but': ['REMOVE', 'MODIFY'] }] }, true],
    ['anything-but needs a value', newImage({ absent: { S: [{ 'anything-but': ['x'] }] } }), false],
    ['exists', newImage({ y: { N: [{ exists: true }] } }), true],
    ['exists not, of a missing leaf', newImage({ absent: { S: [{ exists: false }] } }), true],
    ['exists looks at leaves only', newImage({ y: [{ exists: true }] }), false],
    ['any element of a list', newImage({ tags: { SS: ['b'] } }), true],
  ])('%s', (_, pattern, expected) => {
    expect(passes(pattern)).toBe(expected);
  });

  test('take a list as a choice, and members as conditions that all must hold', () => {
    expect(passes({ eventName: ['INSERT', 'MODIFY'] })).toBe(true);
    expect(passes({ eventName: ['INSERT'], ...newImage({ y: { N: ['0'] } }) })).toBe(false);
    expect(passes({ $or: [{ eventName: ['REMOVE'] }, newImage({ y: { N: ['1'] } })] })).toBe(true);
  });

  test('of one mapping are alternatives', () => {
    expect(passes({ eventName: ['REMOVE'] }, { eventName: ['INSERT'] })).toBe(true);
    expect(passes({ eventName: ['REMOVE'] }, { eventName: ['MODIFY'] })).toBe(false);
  });

  test.each([
    ['numeric', newImage({ y: { N: [{ numeric: ['>', 0] }] } }), /numeric operators cannot be used/],
    ['an unknown operator', { eventName: [{ cidr: '10.0.0.0/8' }] }, /cidr is not an operator/],
    ['a bare value', { eventName: 'INSERT' }, /must be an object or a list/],
    ['an empty list', { eventName: [] }, /empty list/],
    ['a long pattern', { eventName: ['x'.repeat(5_000)] }, /longer than 4096/],
  ])('refuse %s', (_, pattern, message) => {
    expect(() => passes(pattern)).toThrow(message);
  });

  test('refuse more than five, and what is not JSON', () => {
    expect(() => passes(...Array.from({ length: 6 }, () => ({ eventName: ['x'] })))).toThrow(/at most 5/);
    expect(() => filterOf(['{'])).toThrow(/not valid/);
  });
});
