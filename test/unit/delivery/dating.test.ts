import { expect, test } from 'vitest';
import { soughtForRepair } from '../../../shared/delivery/dating.ts';
import { change, FIRST_SECOND } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';

test('a repair looks for fences around its record’s own second, and from the second of its date on', () => {
  const now = FIRST_SECOND + 3_600;
  const waiting = [change({ recordIdentifier: 'a', second: FIRST_SECOND })];
  expect(soughtForRepair(waiting, 1, pace({ now: () => now * 1_000 + 999 }))).toEqual([
    { recordIdentifier: 'a', from: FIRST_SECOND - 1, to: FIRST_SECOND + 3 },
    { recordIdentifier: 'a', from: now - 11, to: now + 2 },
  ]);
});
