import { pathToFileURL } from 'node:url';
import type { FeatureGroup } from './feature-group.ts';
import { importDefinition } from './import-definition.ts';

/** Whether a definition is given by the path of its file, and not by its name. */
export const isPath = (nameOrPath: string): boolean => /[\\/]/.test(nameOrPath);

/**
 * Loads a definition: by name, the file of that name in this folder (the bundler takes all of them along, so that a
 * new table is a new file and no other change); by path (`./orders.ts`, `/etc/orders.ts`), that file.
 *
 * @throws Error when there is no such file, or when its default export is not a feature group.
 */
export async function loadFeatureGroup(nameOrPath: string): Promise<FeatureGroup> {
  const byPath = isPath(nameOrPath);
  let loaded: { default?: FeatureGroup };
  try {
    loaded = byPath ? await import(pathToFileURL(nameOrPath).href) : await importDefinition(nameOrPath);
  } catch (cause) {
    const place = byPath ? nameOrPath : `shared/feature-groups/${nameOrPath}.ts`;
    throw new Error(`Feature group "${nameOrPath}" cannot be loaded from ${place}: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (!loaded.default?.recordIdentifier) {
    throw new Error(`Feature group "${nameOrPath}": the file must export default defineFeatureGroup({...})`);
  }
  return loaded.default;
}
