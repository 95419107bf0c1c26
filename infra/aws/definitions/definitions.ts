import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { isPath, loadFeatureGroup } from '../../../shared/definition/load.ts';
import { nearMatch } from '../../../shared/definition/near-match.ts';

const FOLDER = new URL('../../../shared/feature-groups/', import.meta.url);

/** What is in the folder of definitions and is none. */
const NO_DEFINITIONS = new Set(['define.ts']);

/** Names of the definitions in shared/feature-groups, sorted. */
export function definitionNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts') && !NO_DEFINITIONS.has(file))
    .map((file) => basename(file, '.ts'))
    .sort();
}

/**
 * Loads the definition that a person named, by name or by the path of its file.
 *
 * @throws Error naming the definitions there are, and the one that was probably meant, when there is no such one.
 */
export async function loadDefinition(nameOrPath: string): Promise<FeatureGroup> {
  if (isPath(nameOrPath)) {
    if (existsSync(nameOrPath)) return loadFeatureGroup(nameOrPath);
    throw new Error(`Feature group "${nameOrPath}": there is no such file. Give the path of a definition, or a name.`);
  }
  const names = definitionNames();
  if (names.includes(nameOrPath)) return loadFeatureGroup(nameOrPath);
  const name = basename(nameOrPath, '.ts');
  const near = nearMatch(name, names);
  const meant = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new Error(
    `Feature group "${nameOrPath}": there is no such definition.${meant} There are: ${names.join(', ')}. A file elsewhere is named by its path, such as ./${name}.ts.`,
  );
}

/** Where it is remembered what of a definition is deployed: beside it, in version control. */
export const lockFile = (featureGroup: string): string => join('shared/feature-groups', `${featureGroup}.lock.json`);
