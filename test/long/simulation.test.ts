import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { SimulationThread } from '../simulation/workers.ts';

/** The seeds after those of `npm test`. */
const FIRST_SEED = 26;
const LAST_SEED = 425;
const CHANGES = 400;

test(`nothing is lost, counted twice or out of order: seeds ${FIRST_SEED} to ${LAST_SEED}`, async () => {
  let next = FIRST_SEED;
  const violations: string[] = [];
  const simulateSeeds = async () => {
    const thread = new SimulationThread();
    for (let seed = next++; seed <= LAST_SEED; seed = next++) {
      const { violation } = await thread.run({ seed, changes: CHANGES });
      if (violation) violations.push(`npm run simulate -- --seed ${seed} --changes ${CHANGES}: ${violation.message}`);
    }
    await thread.close();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, simulateSeeds));
  expect(violations).toEqual([]);
});
