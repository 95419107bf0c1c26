import { createHash, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { isPath } from '../../../shared/definition/load.ts';
import { definitionsModule, FUNCTIONS_OF } from '../../aws/packaging/checked-definitions.ts';
import { cacheFolder, INSTALLED, PROJECT_FOLDER, stateOf } from '../storage/project.ts';

const MODULES_FOLDER = 'functions';

/** Bundles, each in a folder that never changes; and for each kind of bundle a file that names its newest. */
const CACHE = cacheFolder('functions');

/** A bundle that nobody has asked for in this time is removed, in milliseconds. */
const KEPT_MILLIS = 30 * 24 * 3_600_000;

/** The newest bundle of a kind: its folder, and the state of each file that it was made of. */
interface Newest {
  readonly folder: string;
  readonly inputs: Readonly<Record<string, string>>;
}

/** One at a time: esbuild's process is ended with the last. */
const oneAtATime = pLimit(1);

/**
 * The folder of the functions as a deployment bundles them, but not minified, and with source maps for stack traces.
 * From it a function starts in half the time, and in less memory. They are bundled again when a file of theirs has
 * changed. Several processes may do so at once: a bundle is named once it is whole.
 *
 * @param featureGroup name of a definition, which is bundled too, or a path, which functions load from there
 * @throws Error when a function cannot be bundled, or the definition is not valid
 */
export function bundledFunctions(featureGroup: string): Promise<string> {
  return oneAtATime(async () => {
    const definitions = isPath(featureGroup) ? [] : [featureGroup];
    const modules = (await readdir(join(PROJECT_FOLDER, MODULES_FOLDER)))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${MODULES_FOLDER}/${file.replace(/\.ts$/, '')}`)
      .sort();
    const parts = [PROJECT_FOLDER, process.version, modules, await definitionsModule(definitions)];
    const kind = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
    return (await newestOf(kind)) ?? bundleAgain(kind, modules, definitions);
  });
}

/** The folder of the newest bundle of a kind, if there is one and all that it was made of is as it was. */
async function newestOf(kind: string): Promise<string | undefined> {
  try {
    const { folder, inputs }: Newest = JSON.parse(await readFile(pointerOf(kind), 'utf8'));
    if (!Object.entries(inputs).every(([file, state]) => stateOf(file) === state)) return undefined;
    const now = new Date();
    await utimes(folder, now, now);
    return folder;
  } catch {
    // None was made yet, or it is gone, or something that it was made of.
    return undefined;
  }
}

async function bundleAgain(kind: string, modules: string[], definitions: string[]): Promise<string> {
  const { bundle } = await import('../../aws/packaging/bundle.ts');
  const { stop } = await import('esbuild');
  const folder = join(CACHE, randomUUID());
  const startedMs = Date.now();
  const options = { minify: false, sourcemap: 'linked', sourcesContent: false, definitions } as const;
  const { metafile } = await bundle(PROJECT_FOLDER, modules, folder, options).finally(stop);
  const sources = Object.keys(metafile.inputs)
    .filter((input) => !input.includes('node_modules/'))
    .map((input) => resolve(PROJECT_FOLDER, input.replace(FUNCTIONS_OF, '')));
  const inputs = Object.fromEntries([...sources, INSTALLED].map((file) => [file, stateOf(file)]));
  // Of what is written while it is bundled nobody knows whether it is in the bundle: the next start bundles again.
  if (sources.every((file) => statSync(file).mtimeMs < startedMs)) {
    await writeFile(`${folder}.json`, JSON.stringify({ folder, inputs } satisfies Newest));
    await rename(`${folder}.json`, pointerOf(kind));
  }
  await removeUnused();
  return folder;
}

const pointerOf = (kind: string): string => join(CACHE, `${kind}.json`);

async function removeUnused(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    // Another process may remove it, or name it, at the same time.
    const found = await stat(path).catch(() => undefined);
    if (found && found.mtimeMs < Date.now() - KEPT_MILLIS) await rm(path, { recursive: true, force: true });
  }
}
