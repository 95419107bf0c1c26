import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What unit tests need of the project. */
const COPIED = ['docs', 'functions', 'infra', 'shared', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

/**
 * Runs a file of unit tests in a copy of the project, as it is and with the mutant.
 *
 * @returns whether they fail with it.
 * @throws Error when they fail without it, or the mutant is out of date.
 */
export async function failsByUnitTests({ name, file, find, replace }: Mutant, unit: string): Promise<boolean> {
  const copy = await mkdtemp(join(tmpdir(), 'tributary-mutant-'));
  try {
    for (const path of COPIED) await cp(join(ROOT, path), join(copy, path), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    if (!(await passes(copy, unit))) throw new Error(`${unit} fails without any mutant: mend that first.`);
    const source = await readFile(join(copy, file), 'utf8');
    const places = source.split(find).length - 1;
    if (places !== 1) throw new Error(`mutant "${name}": its place occurs ${places} times in ${file}, expected once`);
    await writeFile(
      join(copy, file),
      source.replace(find, () => replace),
    );
    return !(await passes(copy, unit));
  } finally {
    await rm(copy, { recursive: true });
  }
}

async function passes(cwd: string, unit: string): Promise<boolean> {
  const vitest = join(cwd, 'node_modules/vitest/vitest.mjs');
  try {
    await promisify(execFile)(process.execPath, [vitest, 'run', '--project', 'unit', unit], { cwd });
    return true;
  } catch (error) {
    // Vitest ends with 1 when a test fails. Whatever else goes wrong says nothing of the mutant.
    if ((error as { code?: unknown }).code === 1) return false;
    throw error;
  }
}
