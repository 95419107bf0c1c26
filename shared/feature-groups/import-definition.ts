import type { FeatureGroup } from './define.ts';

/** Imports a definition of this folder. The bundler puts the definitions themselves in this module's place. */
export function importDefinition(name: string): Promise<{ default?: FeatureGroup }> {
  return import(`./${name}.ts`);
}
