import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';

/** What is used of osls 4 here: its plugin API, and the zip of its own package plugin (the same bytes for the same files). */
interface Serverless {
  readonly serviceDir: string;
  readonly service: {
    readonly functions: Readonly<Record<string, { readonly handler: string; package?: { artifact: string } }>>;
    readonly custom: { readonly featureGroup: string };
  };
  readonly pluginManager: { readonly plugins: readonly object[] };
  /** Its own class of errors, which it shows without their stack. */
  readonly classes: { readonly Error: new (message: string) => Error };
}
interface Zipper {
  zipFiles(files: readonly string[], zipFileName: string, prefix: string): Promise<string>;
}

/** Where bundles wait to be zipped, in the project's folder. */
const OUTPUT_FOLDER = '.esbuild';

/** Modules of CommonJS ask for `require`, which a module of ECMAScript does not have. */
const REQUIRE_BANNER =
  "import { createRequire as createRequireOfBundle } from 'node:module';const require = createRequireOfBundle(import.meta.url);";

/** How a function's module becomes one file. */
export function bundleOptions(projectFolder: string, module: string, outputFolder: string): BuildOptions {
  return {
    absWorkingDir: projectFolder,
    entryPoints: [`${module}.ts`],
    outfile: join(outputFolder, `${module}.mjs`),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Half the size: without `module`, packages are taken whole, as CommonJS.
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE_BANNER },
    logLevel: 'error',
  };
}

/**
 * Bundles each function with esbuild into one module and one zip, tells osls to upload that, and says
 * how big each is. Without it osls would
 * zip the whole folder, node_modules and TypeScript included.
 *
 * @throws Error when the feature group is a path: a function in AWS would not find the file.
 */
export async function bundleFunctions(serverless: Serverless, say: (line: string) => void): Promise<void> {
  const { functions, custom } = serverless.service;
  const { featureGroup } = custom;
  if (/[\\/]/.test(featureGroup)) {
    throw new serverless.classes.Error(
      `featureGroup is the path ${featureGroup}, which only the local cloud takes: to deploy it, put the definition into shared/feature-groups and give its name.`,
    );
  }
  const zipper = serverless.pluginManager.plugins.find((plugin): plugin is Zipper => 'zipFiles' in plugin);
  if (!zipper)
    throw new serverless.classes.Error(
      'osls no longer zips by its plugin Package: see zipFiles in infra/aws/bundle.ts.',
    );
  for (const [name, definition] of Object.entries(functions)) {
    const module = definition.handler.replace(/\.[^./]+$/, '');
    const folder = join(OUTPUT_FOLDER, name);
    await build(bundleOptions(serverless.serviceDir, module, folder));
    const artifact = await zipper.zipFiles([join(folder, `${module}.mjs`)], `${name}.zip`, folder);
    definition.package = { artifact };
    const bundled = statSync(join(serverless.serviceDir, folder, `${module}.mjs`)).size;
    say(`${name}: ${kilobytes(bundled)} bundled, ${kilobytes(statSync(artifact).size)} zipped`);
  }
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`;
