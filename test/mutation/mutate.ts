import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import { exiting, newCommand, runCommand } from '../../infra/terminal/command.ts';
import { EQUIVALENTS } from './equivalents.ts';
import { isIn, nameOfResult, type Sample } from './sample.ts';

/** The core: what a wrong decision in would break a promise. */
const CORE = [
  'shared/{changes,delivery,sinks}/*.ts',
  'shared/state/**/*.ts',
  'shared/promotion/{gate,roc-auc}.ts',
  'shared/training/{policy,snapshot,training-set}.ts',
];
/** Of the core's mutants, which makes about 150. */
const SHARE = 0.05;
const RINGS = { unit: 'test/mutation/unit.config.ts', all: 'test/mutation/rings.config.ts' };
/** A test may take that much longer with a mutant, in milliseconds; then the mutant turns in a circle. */
const ENDLESS_MS = 20_000;

const folder = fileURLToPath(new URL('../..', import.meta.url));

export const command = newCommand(
  'mutate',
  'Breaks the core in many small ways, one at a time, and tells which of them the unit tests do not catch.',
)
  .option('--all', 'every mutant of the core, which takes hours; without it, a sample that is the same each time')
  .option('--file <FILE...>', 'every mutant of these files')
  .option('--rings', 'runs what the unit tests do not catch against contract tests and the simulation, too')
  .action(
    exiting(async ({ all = false, file, rings = false }) => {
      const share = all || file ? 1 : SHARE;
      const results = await run(file ?? CORE, 'unit', { share });
      const unit = verdictOf(results, 'unit tests');
      print(unit);
      if (!rings || unit.survivors.length === 0) return 0;
      const files = [...new Set(unit.survivors.map(({ fileName }) => relative('.', fileName)))];
      const again = await run(files, 'all', { share: 1, only: unit.survivors.map(nameOfResult) });
      print(verdictOf([...unit.killed, ...again], 'all rings'));
      return 0;
    }),
  );

/** Runs the mutants of a sample in a copy of the project, which is taken away again. */
async function run(files: readonly string[], ring: keyof typeof RINGS, sample: Sample): Promise<MutantResult[]> {
  const tempDirName = mkdtempSync(join(tmpdir(), 'mutate-'));
  try {
    const stryker = new Stryker({
      mutate: [...files],
      plugins: ['@stryker-mutator/vitest-runner', fileURLToPath(new URL('sample.ts', import.meta.url))],
      ...{ testRunner: 'vitest', vitest: { configFile: RINGS[ring] }, coverageAnalysis: 'perTest' },
      ...{ checkers: ['sample'], reporters: ['sample-progress'], sample },
      ...{ tempDirName, cleanTempDir: 'always', allowConsoleColors: false, logLevel: 'error' as never },
      // Type checks of the copy are left out; TypeScript 7 has not the interface that Stryker asks for them with.
      ...{ tsconfigFile: 'none', concurrency: 1, timeoutMS: ENDLESS_MS, warnings: false },
    });
    const results = await stryker.runMutationTest();
    return results.filter((it) => isIn(sample, nameOfResult(it)));
  } finally {
    rmSync(tempDirName, { recursive: true, force: true });
  }
}

interface Verdict {
  readonly by: string;
  readonly killed: readonly MutantResult[];
  readonly survivors: readonly MutantResult[];
}

function verdictOf(results: readonly MutantResult[], by: string): Verdict {
  const counted = results.filter((it) => !(nameOfResult(it) in EQUIVALENTS));
  const isKilled = ({ status }: MutantResult) => status === 'Killed' || status === 'Timeout';
  return { by, killed: counted.filter(isKilled), survivors: counted.filter((it) => !isKilled(it)) };
}

function print({ by, killed, survivors }: Verdict): void {
  const placed = survivors.map((it) => ({ ...it, file: relative('.', it.fileName), line: it.location.start.line }));
  for (const it of placed.toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line)) {
    console.log(
      `${it.file}:${it.line}  ${nameOfResult(it).slice(it.file.length + 2)}${it.status === 'Survived' ? '' : `  (${it.status})`}`,
    );
  }
  const all = killed.length + survivors.length;
  console.log(`${killed.length} of ${all} mutants are caught by ${by}: ${((100 * killed.length) / all).toFixed(1)} %`);
}

if (import.meta.main) {
  process.chdir(folder);
  await runCommand(command);
}
