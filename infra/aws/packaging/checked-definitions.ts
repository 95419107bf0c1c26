import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import * as words from '../../../shared/feature-groups/define.ts';
import { definitionNames } from '../definitions/definitions.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/feature-groups/', import.meta.url));

/** What a definition's file stands behind when only its functions are wanted. */
export const FUNCTIONS_OF = 'functions-of:';

/**
 * Puts definitions (all there are, or those of some names) into the bundle as they are once they are checked, in place
 * of what would check them at every cold start. A definition that is not valid fails the bundle. Functions of derived
 * features have no notation: they are imported from the definition's file, whose words are replaced by such that only
 * hand the functions through.
 */
export const checkedDefinitions = (names: readonly string[] = definitionNames()): Plugin => ({
  name: 'checked definitions',
  setup(build) {
    build.onLoad({ filter: /[\\/]definition[\\/]import-definition\.ts$/ }, async () => ({
      ...{ contents: await definitionsModule(names), loader: 'js', resolveDir: FOLDER },
    }));
    build.onResolve({ filter: new RegExp(`^${FUNCTIONS_OF}`) }, ({ path }) => ({
      ...{ path: `${FOLDER}${path.slice(FUNCTIONS_OF.length)}.ts`, namespace: 'functions-of' },
    }));
    build.onLoad({ filter: /.*/, namespace: 'functions-of' }, ({ path }) => ({
      ...{ contents: readFileSync(path, 'utf8'), loader: 'ts', resolveDir: dirname(path) },
    }));
    build.onResolve({ filter: /[\\/]define\.ts$/, namespace: 'functions-of' }, () => ({
      ...{ path: 'words', namespace: 'words' },
    }));
    build.onLoad({ filter: /.*/, namespace: 'words' }, () => ({ contents: WORDS, loader: 'js' }));
  },
});

/** The module that stands in the bundle for whatever imports definitions. */
export async function definitionsModule(names: readonly string[]): Promise<string> {
  const definitions = await Promise.all(names.map(async (name) => [name, await loadFeatureGroup(name)] as const));
  const deriving = definitions.filter(([, group]) => group.features.some((it) => it.derived));
  const imports = deriving.map(([name], n) => `import given${n} from ${JSON.stringify(FUNCTIONS_OF + name)};`);
  const functions = deriving.map(([name], n) => `[${JSON.stringify(name)}, given${n}]`);
  return `
    ${imports.join('\n')}
    const definitions = new Map(${literal(definitions)});
    for (const [name, given] of [${functions}]) {
      for (const { name: feature, derived } of definitions.get(name).features) {
        if (derived) derived.compute = given.features[feature].derived.compute;
      }
    }
    export async function importDefinition(name) {
      if (!definitions.has(name)) throw new Error('it was not there when the function was bundled');
      return { default: definitions.get(name) };
    }`;
}

/** The words of definitions, without what they check: `derived` keeps its function, the others keep nothing of use. */
const WORDS = `
  const ignored = () => ({});
  export const defineFeatureGroup = (input) => input;
  export const derived = ({ compute }) => ({ derived: { compute } });
  export { ${Object.keys(words)
    .filter((word) => word !== 'defineFeatureGroup' && word !== 'derived')
    .map((word) => `ignored as ${word}`)
    .join(', ')} };
`;

/** A value in JavaScript's own notation: JSON has no bigint, which bounds of features may be. */
export function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(literal).join()}]`;
  if (typeof value !== 'object' || value === null) return String(JSON.stringify(value));
  return `{${Object.entries(value).map(([name, it]) => `[${JSON.stringify(name)}]:${literal(it)}`)}}`;
}
