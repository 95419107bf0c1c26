import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { simulateBackfill } from './backfill/simulate-backfill.ts';
import { BACKFILL_MUTANTS } from './mutants/backfill-mutants.ts';
import { runMutant } from './mutants/mutant-runs.ts';

const SEEDS = 40;
const CHANGES = 400;
/** Mutants that are caught soon, each from a seed on; `npm run simulate -- --mutants` runs all of them from the first. */
const QUICK_MUTANTS = [
  ['deletes leave no tombstone', 6, 'the online store equals the table'],
  ['no sweep at the end of a backfill', 6, 'the online store equals the table'],
  ['a window of a chain is worked beside the one before it', 22, 'exports of a chain are worked one after the other'],
] as const;

test(`a backfill that is interrupted everywhere ends with both stores equal to the table: seeds 1 to ${SEEDS}`, async () => {
  let resumes = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const result = await simulateBackfill(seed, CHANGES);
    expect(result.violation, `seed ${seed}`).toBeUndefined();
    resumes += result.resumes;
  }
  expect(resumes).toBeGreaterThan(SEEDS);
});

test('a seed of a backfill decides everything: its second run goes as its first', async () => {
  const [first, second] = [await simulateBackfill(4, CHANGES), await simulateBackfill(4, CHANGES)];
  expect(second).toEqual(first);
});

test.each(QUICK_MUTANTS)('the simulation of a backfill can fail: %s', async (name, firstSeed, invariant) => {
  const mutant = BACKFILL_MUTANTS.find((it) => it.name === name);
  if (!mutant) throw new Error(`there is no mutant "${name}"`);
  expect((await runMutant(mutant, firstSeed)).caughtBy).toBe(invariant);
});

test('the places of the mutants of a backfill are in the source, once', () => {
  const places = BACKFILL_MUTANTS.map(
    ({ file, find, name }) => [name, readFileSync(file, 'utf8').split(find).length - 1] as const,
  );
  expect(places.filter(([, count]) => count !== 1)).toEqual([]);
});
