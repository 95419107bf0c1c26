import type { FeatureGroup } from './feature-group.ts';

/** Imports a definition by its name. The bundler puts the definitions themselves in this module's place. */
export function importDefinition(name: string): Promise<{ default?: FeatureGroup }> {
  return import(`../feature-groups/${name}.ts`);
}
