import { describe, expect, test } from 'vitest';
import { parseItems } from '../../../infra/commands/playing/items-file.ts';

const item = { id: { S: 'a' }, price: { N: '1.50' } };

describe('a file of items', () => {
  test.each([
    ['lines as they are', `${JSON.stringify(item)}\n\n${JSON.stringify(item)}\n`, ['line 1', 'line 3']],
    ['lines of an export', `${JSON.stringify({ Item: item })}\n`, ['line 1']],
    ['a scan', JSON.stringify({ Items: [item, item], Count: 2 }, undefined, 2), ['item 1', 'item 2']],
  ])('may be %s', (_, text, places) => {
    expect(parseItems('f.json', text)).toEqual(places.map((place) => ({ item, place })));
  });

  test.each([
    ['{"id": ', 'f.json line 1: found no JSON, expected an item'],
    ['{"id":{"S":"a"}}\n[1]', 'f.json line 2: found no item, expected an object of attributes.'],
    ['{"id":"a"}', 'f.json line 1: attribute "id" has no type, expected a value with its type, such as {"S": "text"}'],
    ['{"Items":[{"id":{"X":"a"}}]}', 'f.json item 1: attribute "id" has no type'],
  ])('of %j is refused with its place, and without its values', (text, message) => {
    expect(() => parseItems('f.json', text)).toThrow(message);
  });
});
