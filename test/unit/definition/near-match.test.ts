import { expect, test } from 'vitest';
import { nearMatch } from '../../../shared/definition/near-match.ts';

const NAMES = ['bank-marketing', 'orders', 'shipments'];

test.each([
  ['bank-marketting', 'bank-marketing'],
  ['order', 'orders'],
  ['odrers', 'orders'],
  ['shipmnet', 'shipments'],
])('a slip of the hand is recognized: %s is %s', (word, meant) => {
  expect(nearMatch(word, NAMES)).toBe(meant);
});

test.each(['customers', 'x', ''])('nothing is guessed from "%s", which is near to no name', (word) => {
  expect(nearMatch(word, NAMES)).toBeUndefined();
  expect(nearMatch(word, [])).toBeUndefined();
});
