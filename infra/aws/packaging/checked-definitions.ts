import type { Plugin } from 'esbuild';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { definitionNames } from '../definitions/definitions.ts';

/**
 * Puts the definitions into the bundle as they are once they are checked, in place of what would check them at every
 * cold start. A definition that is not valid fails the bundle.
 */
export const checkedDefinitions: Plugin = {
  name: 'checked definitions',
  setup(build) {
    build.onLoad({ filter: /[\\/]definition[\\/]import-definition\.ts$/ }, async () => {
      const definitions = await Promise.all(
        definitionNames().map(async (name) => [name, await loadFeatureGroup(name)]),
      );
      const contents = `
        const definitions = new Map(${literal(definitions)});
        export async function importDefinition(name) {
          if (!definitions.has(name)) throw new Error('it was not there when the function was bundled');
          return { default: definitions.get(name) };
        }`;
      return { contents, loader: 'js' };
    });
  },
};

/** A value in JavaScript's own notation: JSON has no bigint, which bounds of features may be. */
export function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(literal).join()}]`;
  if (typeof value !== 'object' || value === null) return String(JSON.stringify(value));
  return `{${Object.entries(value).map(([name, it]) => `[${JSON.stringify(name)}]:${literal(it)}`)}}`;
}
