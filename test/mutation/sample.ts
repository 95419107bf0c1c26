import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { CheckResult, CheckStatus } from '@stryker-mutator/api/check';
import type { Mutant, MutantResult, MutantTestCoverage, Position, StrykerOptions } from '@stryker-mutator/api/core';
import type { PluginKind } from '@stryker-mutator/api/plugin';
import { progressTo } from '../../infra/terminal/progress.ts';

/** Which mutants of the mutated files are run. Stryker passes it to its checker with the other options. */
export interface Sample {
  /** Share of the mutants, from 0 to 1. */
  readonly share: number;
  /** Names of the only mutants to run; undefined: all of the share. */
  readonly only?: readonly string[];
}

const NAME_TEXT_MAX = 80;

/** What a mutant is told by. Lines and columns begin at 0. */
type Placed = Pick<Mutant, 'fileName' | 'location' | 'replacement'>;

/**
 * A mutant's name: its file, the line it stands in, what is replaced, and by what. It does not know the number of the
 * line, so that a change elsewhere in the file neither renames it nor takes it out of the sample.
 */
export function nameOf({ fileName, location: { start, end }, replacement }: Placed): string {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const [first = '', ...others] = lines.slice(start.line, end.line + 1);
  const original =
    others.length === 0 ? first.slice(start.column, end.column) : [first.slice(start.column), ...others].join(' ');
  return `${relative('.', fileName)}: ${first.trim()} [${short(original)} => ${short(replacement)}]`;
}

/** The name of a mutant that has been run: lines and columns of results begin at 1. */
export function nameOfResult({ fileName, location: { start, end }, replacement = '' }: MutantResult): string {
  const moved = ({ line, column }: Position): Position => ({ line: line - 1, column: column - 1 });
  return nameOf({ fileName, location: { start: moved(start), end: moved(end) }, replacement });
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > NAME_TEXT_MAX ? `${line.slice(0, NAME_TEXT_MAX)}…` : line;
}

/** Whether a mutant is in the sample: by the hash of its name, so the same ones each time. */
export function isIn({ share, only }: Sample, name: string): boolean {
  if (only) return only.includes(name);
  return createHash('sha256').update(name).digest().readUInt32BE() < share * 0x1_0000_0000;
}

/** Keeps Stryker from running what is not in the sample. It has no other way to choose single mutants. */
class SampleChecker {
  static readonly inject = ['options'] as const;
  readonly #sample: Sample;

  constructor(options: StrykerOptions) {
    this.#sample = options.sample as Sample;
  }

  async init(): Promise<void> {}

  async check(mutants: readonly Mutant[]): Promise<Record<string, CheckResult>> {
    const resultOf = (mutant: Mutant) =>
      isIn(this.#sample, nameOf(mutant))
        ? { status: 'passed' as CheckStatus.Passed }
        : { status: 'compileError' as CheckStatus.CompileError, reason: 'not in the sample' };
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, resultOf(mutant)]));
  }
}

/** Tells how far the run is. */
class ProgressReporter {
  static readonly inject = ['options'] as const;
  readonly #sample: Sample;
  readonly #progress = progressTo(process.stderr);
  #mutants = 0;
  #tested = 0;

  constructor(options: StrykerOptions) {
    this.#sample = options.sample as Sample;
    this.#progress.step('Running the tests without a mutant');
  }

  onMutationTestingPlanReady({ mutantPlans }: { mutantPlans: readonly { readonly mutant: MutantTestCoverage }[] }) {
    this.#mutants = mutantPlans.filter(({ mutant }) => isIn(this.#sample, nameOf(mutant))).length;
    this.#progress.done('done');
    this.#progress.step('Running mutants');
  }

  onMutantTested(result: MutantResult): void {
    if (!isIn(this.#sample, nameOfResult(result))) return;
    this.#tested += 1;
    this.#progress.at(`${this.#tested} of ${this.#mutants}`, this.#tested / this.#mutants);
  }

  wrapUp(): void {
    this.#progress.done(`${this.#tested} mutants`);
  }
}

export const strykerPlugins = [
  { kind: 'Checker' as PluginKind.Checker, name: 'sample', injectableClass: SampleChecker },
  { kind: 'Reporter' as PluginKind.Reporter, name: 'sample-progress', injectableClass: ProgressReporter },
];
