import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT_FOLDER = fileURLToPath(new URL('../../..', import.meta.url));

/** Changes when packages do. */
export const INSTALLED = join(PROJECT_FOLDER, 'node_modules/.package-lock.json');

/** A folder of what can be made again, kept for later processes until packages are installed anew. */
export const cacheFolder = (name: string): string => join(PROJECT_FOLDER, 'node_modules/.cache', name);

/** Tells whether a file is as it was, as `make` does. */
export function stateOf(file: string): string {
  const { size, mtimeMs } = statSync(file);
  return `${size} ${mtimeMs}`;
}
