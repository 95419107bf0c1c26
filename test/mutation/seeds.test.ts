import { expect, test } from 'vitest';
import { simulate } from '../simulation/simulate.ts';

/** The simulation as mutants are run against it: a seed a test, so that the first that is violated ends the run. */
const SEEDS = Array.from({ length: 25 }, (_, index) => index + 1);

test.each(SEEDS)('seed %i holds', async (seed) => {
  expect((await simulate(seed, 400)).violation).toBeUndefined();
});
