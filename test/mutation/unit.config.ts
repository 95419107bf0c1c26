import { defineConfig } from 'vitest/config';

/** The unit tests that mutants of the core are run against. Those that read source text would read Stryker's. */
export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts'],
    exclude: ['test/unit/{aws,commands,demo,docs,local,terminal}/**'],
    isolate: false,
    testTimeout: 60_000,
  },
});
