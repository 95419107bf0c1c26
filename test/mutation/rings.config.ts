import { defineConfig } from 'vitest/config';
import unit from './unit.config.ts';

/** What else mutants are run against: services of the local cloud, and the simulation within the process. */
export default defineConfig({
  test: {
    ...unit.test,
    include: [
      ...(unit.test?.include ?? []),
      'test/contract/{delivery,online-store,prediction,promotion,sinks,state,training}/**/*.test.ts',
      'test/mutation/seeds.test.ts',
    ],
  },
});
