import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Metafile } from 'esbuild';
import { isPath } from '../../../shared/definition/load.ts';
import { checkedDefinitions } from './checked-definitions.ts';
import type { Serverless, Zipper } from './osls.ts';

/** Where bundles wait to be zipped, in the project's folder. */
const OUTPUT_FOLDER = '.esbuild';

/** Modules of CommonJS ask for `require`, which a module of ECMAScript does not have. */
const REQUIRE_BANNER =
  "import { createRequire as createRequireOfBundle } from 'node:module';const require = createRequireOfBundle(import.meta.url);";

/**
 * Bundles functions' modules into a folder: the modules themselves, and beside them what they share or may load later,
 * in files of their own, which a start that does not need them does not read.
 */
export function bundle(
  projectFolder: string,
  modules: readonly string[],
  outputFolder: string,
  options: Pick<BuildOptions, 'minify' | 'sourcemap' | 'sourcesContent'> & { definitions?: readonly string[] } = {},
): Promise<BuildResult<{ metafile: true }>> {
  const { definitions, ...rest } = options;
  return build({
    absWorkingDir: projectFolder,
    entryPoints: modules.map((module) => ({ in: `${module}.ts`, out: module })),
    outdir: outputFolder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    metafile: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Half the size: without `module`, packages are taken whole, as CommonJS.
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE_BANNER },
    plugins: [checkedDefinitions(definitions)],
    logLevel: 'error',
    ...rest,
  });
}

/** Files of a bundle that a start loads: the module, and what it imports by a statement. */
export function loadedAtStart(outputs: Metafile['outputs'], module: string): string[] {
  const loaded = new Set(Object.keys(outputs).filter((file) => outputs[file]?.entryPoint === `${module}.ts`));
  for (const file of loaded) {
    for (const { path, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && path in outputs) loaded.add(path);
    }
  }
  return [...loaded];
}

export const bytesOf = (outputs: Metafile['outputs'], files: readonly string[]): number =>
  files.reduce((sum, file) => sum + (outputs[file]?.bytes ?? 0), 0);

/**
 * Bundles each function with esbuild into one zip, tells osls to upload that, and says how big each is. Without it osls
 * would zip the whole folder, node_modules and TypeScript included.
 *
 * @throws Error when the feature group is a path: a function in AWS would not find the file.
 */
export async function bundleFunctions(serverless: Serverless, say: (line: string) => void): Promise<void> {
  const { functions, custom } = serverless.service;
  const { featureGroup } = custom;
  if (isPath(featureGroup)) {
    throw new serverless.classes.Error(
      `featureGroup is the path ${featureGroup}, which only the local cloud takes: to deploy it, put the definition into shared/feature-groups and give its name.`,
    );
  }
  const zipper = serverless.pluginManager.plugins.find((plugin): plugin is Zipper => 'zipFiles' in plugin);
  if (!zipper)
    throw new serverless.classes.Error(
      'osls no longer zips by its plugin Package: see zipFiles in infra/aws/packaging/bundle.ts.',
    );
  for (const [name, definition] of Object.entries(functions)) {
    const module = definition.handler.replace(/\.[^./]+$/, '');
    const folder = join(OUTPUT_FOLDER, name);
    // Files of an earlier bundle may have other names.
    rmSync(join(serverless.serviceDir, folder), { recursive: true, force: true });
    const { outputs } = (await bundle(serverless.serviceDir, [module], folder)).metafile;
    const files = Object.keys(outputs).sort();
    const artifact = await zipper.zipFiles(files, `${name}.zip`, folder);
    definition.package = { artifact };
    const [all, start] = [files, loadedAtStart(outputs, module)].map((it) => kilobytes(bytesOf(outputs, it)));
    say(`${name}: ${all} bundled, ${start} of it for the start, ${kilobytes(statSync(artifact).size)} zipped`);
  }
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`;
