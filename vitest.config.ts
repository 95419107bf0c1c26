import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A test that takes this long hangs, in milliseconds. It is no measure of speed: a busy machine is ten times slower. */
const HANGS_MS = 600_000;
const HANGS_LONG_MS = 3_600_000;

/**
 * Files at once: half of their time is waiting. More of them cost more, as each loads and compiles for itself, and callers
 * and polls go on while a file waits. Each takes up to 600 MB with all it starts, so that there are eight at most.
 */
const FILES_AT_ONCE = Math.min(2 * availableParallelism(), 8);

/** V8 takes four threads a process to compile and to collect garbage. Files at once are enough to keep cores busy. */
const V8_THREADS = '--v8-pool-size=1';

/** Where the files are that take longest, longest first. Started last, one of them would run alone at the end. */
const LONGEST = [
  ...['/e2e/', '/contract/history/', '/dynamodb/exports.', '/contract/promotion/', '/contract/training/'],
  ...['/simulation/', '/contract/insight/', '/contract/aws/'],
];

/** A suite of the contract ring that the long ring runs on many more histories. */
const DRAWN_AT_RANDOM = 'test/contract/training/snapshots.test.ts';

const CACHE = fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

/** Files share a process, what it has loaded and what V8 has compiled of it: each leaves the rest as it found it. */
const LEFT_AS_FOUND = fileURLToPath(new URL('test/given/rings/left-as-found.ts', import.meta.url));

const BUNDLED_ONCE = fileURLToPath(new URL('test/given/rings/bundled-once.ts', import.meta.url));

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((folder) => moduleId.includes(folder));
      return found < 0 ? LONGEST.length : found;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** A ring whose files run beside each other: each has its own folder and port. */
function ring(name: string, include: string[], hangsMs = HANGS_MS, env = {}): TestProjectInlineConfiguration {
  return {
    test: {
      ...{ name, include, testTimeout: hangsMs, hookTimeout: hangsMs },
      ...{ env, execArgv: [V8_THREADS], isolate: false, globalSetup: BUNDLED_ONCE, setupFiles: LEFT_AS_FOUND },
      ...{ maxWorkers: FILES_AT_ONCE, sequence: { groupOrder: 1 } },
    },
  };
}

/**
 * The rings of tests, by what they cost: `unit` starts nothing, `system` runs the pipeline in simulated time, starts
 * services and runs the commands, `long` is what takes too long for every change.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    expect: { poll: { timeout: HANGS_MS } },
    // What is started compiles its modules once, and osls its schema: both are found again by their content.
    env: { NODE_COMPILE_CACHE: CACHE, SLS_SCHEMA_CACHE_BASE_DIR: CACHE },
    projects: [
      {
        test: {
          ...{
            name: 'unit',
            include: ['test/unit/**/*.test.ts', 'test/*.test.ts', 'docs/examples/*.test.ts'],
            testTimeout: HANGS_MS,
          },
          ...{ pool: 'threads', isolate: false, setupFiles: LEFT_AS_FOUND, maxWorkers: 2 },
        },
      },
      ring('system', ['test/{simulation,contract,e2e}/**/*.test.ts']),
      ring('long', ['test/long/**/*.test.ts', DRAWN_AT_RANDOM], HANGS_LONG_MS, { HISTORIES: '40' }),
    ],
  },
});
