import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { datedByFence, soughtForRepair } from '../../../shared/delivery/dating.ts';
import { fencesIn } from '../../../shared/state/fences/forms.ts';
import { change, FIRST_SECOND } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';
import { stateTableInProcess } from '../../given/state-table.ts';

test('a repair looks for fences around its record’s own second, and from the second of its date on', () => {
  const now = FIRST_SECOND + 3_600;
  const waiting = [change({ recordIdentifier: 'a', second: FIRST_SECOND })];
  expect(soughtForRepair(waiting, 1, pace({ now: () => now * 1_000 + 999 }))).toEqual([
    { recordIdentifier: 'a', from: FIRST_SECOND - 1, to: FIRST_SECOND + 3 },
    { recordIdentifier: 'a', from: now - 11, to: now + 2 },
  ]);
});

test('by the items’ times, a repair is dated after what a batch that was given up may have written, and after its fence', async () => {
  const table = await stateTableInProcess();
  try {
    const fences = fencesIn('pages', { ...table, dynamodb: table.dynamodb as DynamoDBClient }, true);
    const removal = change({ recordIdentifier: 'a', second: FIRST_SECOND, eventName: 'REMOVE' });
    const writtenMs = (FIRST_SECOND + 600) * 1_000;
    const item = { rows: [], record: {}, removal, records: 3, lastSecond: FIRST_SECOND, writtenMs };
    const options = { fences, keeps: false, hazardSeconds: 1, pace: pace() };
    const refuse = (_: unknown, reason: string) => {
      throw new Error(reason);
    };
    const [dated] = await datedByFence([item], options, refuse);
    expect(dated?.eventTimeMs).toBeGreaterThan(writtenMs);
    // The next one finds the fence of this one.
    const [next] = await datedByFence([{ ...item, writtenMs: 0 }], options, refuse);
    expect(next?.eventTimeMs).toBeGreaterThan(dated?.eventTimeMs ?? Number.POSITIVE_INFINITY);
  } finally {
    await table.close();
  }
});
