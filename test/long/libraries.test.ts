import { describe, expect, test } from 'vitest';
import { electroDb, saysSomething } from '../given/suites/electrodb.ts';
import { oneTable } from '../given/suites/onetable.ts';
import { testedBy } from '../given/suites/peers-suite.ts';

/** Suites of libraries over DynamoDB, as their authors run them against DynamoDB Local: fetched, never kept here. */
describe('against the embedded DynamoDB', () => {
  test('OneTable holds to its own suite', async ({ skip }) => {
    const tested = await testedBy(oneTable);
    if (!tested) return skip();
    expect(tested.filter((it) => it.problem !== undefined)).toEqual([]);
  });

  test('ElectroDB holds to the part of its own suite that calls DynamoDB', async ({ skip }) => {
    const tested = await testedBy(electroDb);
    if (!tested) return skip();
    expect(tested.filter(saysSomething)).toEqual([]);
  });
});
