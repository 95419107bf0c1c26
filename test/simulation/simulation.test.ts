import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exampleInWords } from './example.ts';
import { runMutant } from './mutants/mutant-runs.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { simulate } from './simulate.ts';
import { SimulationThread } from './workers.ts';

const SEEDS = 25;
const CHANGES = 400;
/** One of them, whose change log the real SQL is run on, too. */
const SQL_SEED = 20;
/** Mutants that are caught soon, each from a seed on; `npm run simulate -- --mutants` runs all of them from the first. */
const QUICK_MUTANTS = [
  ['ordinals dropped', 1],
  ['fences not written', 1],
  ['FailedPutCount ignored', 4],
  ['hard instead of soft delete', 3],
] as const;

test(`nothing is lost, counted twice or out of order: seeds 1 to ${SEEDS}`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation } = await simulate(seed, CHANGES, { telling: 'whole', sql: seed === SQL_SEED });
    expect(
      violation?.story.join('\n'),
      `replay: npm run simulate -- --seed ${seed} --changes ${CHANGES}`,
    ).toBeUndefined();
  }
});

test('a seed decides everything: its second run goes as its first', async () => {
  const [first, second] = [await simulate(4, CHANGES), await simulate(4, CHANGES)];
  expect(second).toEqual(first);
});

test.each(QUICK_MUTANTS)('the simulation can fail: %s', async (name, firstSeed) => {
  const mutant = MUTANTS.find((it) => it.name === name);
  if (!mutant) throw new Error(`there is no mutant "${name}"`);
  expect((await runMutant(mutant, firstSeed)).caughtBy).toBeDefined();
});

test('a planted bug is told in 15 lines at most: the fewest writes and faults that still show it', async () => {
  const mutant = MUTANTS.find((it) => it.name === 'fences not written');
  if (!mutant) throw new Error('the mutant has another name by now');
  const thread = new SimulationThread(mutant);
  try {
    const { violation } = await thread.run({ seed: 1, changes: CHANGES, telling: 'shrunk' });
    const [, writes] = /Still broken with (\d+) of \d+ writes/.exec(violation?.story.join('\n') ?? '') ?? [];
    expect(Number(writes)).toBeLessThanOrEqual(5);
    expect(violation?.story.length).toBeLessThanOrEqual(15);
  } finally {
    await thread.close();
  }
});

test('the worked example: the obvious ways lose an update, ours does not', async () => {
  const ends = (await exampleInWords()).filter((line) => line.includes('→')).map((line) => line.includes('Right'));
  expect(ends).toEqual([false, false, true]);
});

test('the places of all mutants are in the source, once', () => {
  const places = MUTANTS.map(
    ({ file, find, name }) => [name, readFileSync(file, 'utf8').split(find).length - 1] as const,
  );
  expect(places.filter(([, count]) => count !== 1)).toEqual([]);
});
