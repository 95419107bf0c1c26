import { cp, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

const PARTS = ['serverless.yml', 'package.json', 'functions', 'shared', 'infra'];

/**
 * A copy of what is deployed, in a folder of its own, which whoever asks removes. Packaging reads every definition of
 * its project and writes into its .serverless and .esbuild, so two in one folder, or one beside a test that writes a
 * definition, disturb each other.
 *
 * @param purpose part of the folder's name.
 */
export async function projectCopy(purpose: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `tributary-${purpose}-`));
  for (const part of PARTS) await cp(join(PROJECT, part), join(folder, part), { recursive: true });
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
