import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { isPath, loadFeatureGroup } from '../../../shared/definition/load.ts';
import type { Service } from '../../aws/packaging/osls.ts';
import { withoutTraining } from '../../aws/packaging/without-training.ts';
import { REGION } from '../protocol/arn.ts';
import { PROJECT_FOLDER } from '../storage/project.ts';

const require = createRequire(import.meta.url);

/** A part of osls that it has no types for. */
const osls = (file: string) => require(`osls/lib/configuration/${file}.js`);

const STAGE = 'dev';

export interface StackOptions {
  /** Name of a definition, or path to one. */
  readonly featureGroup: string;
  /** Values for `params` of serverless.yml, in place of its defaults. */
  readonly params?: Readonly<Record<string, string | number>>;
}

/**
 * serverless.yml with its variables resolved by osls's own resolver, as `osls print` shows it. osls's command is not
 * run: nine tenths of its three seconds of CPU go to commands and checks that only a deployment needs. Packaging makes
 * them.
 *
 * @throws Error with the sentence of whoever refuses: osls, the stack's params, or the definition.
 */
export async function resolvedConfiguration({ featureGroup, params = {} }: StackOptions): Promise<unknown> {
  // A path is meant from where the caller is, and osls resolves from the project's folder.
  const definition = isPath(featureGroup) ? resolve(featureGroup) : featureGroup;
  // Loaded here first, as its errors come out of osls wrapped in osls's own.
  await loadFeatureGroup(definition);
  const param = Object.entries({ ...params, featureGroup: definition }).map(([name, value]) => `${name}=${value}`);
  try {
    const configuration = await osls('read')(join(PROJECT_FOLDER, 'serverless.yml'));
    await osls('variables/index')({
      ...{ serviceDir: PROJECT_FOLDER, configuration },
      options: { stage: STAGE, region: REGION, param },
      sources: {
        env: osls('variables/sources/env'),
        file: osls('variables/sources/file'),
        opt: osls('variables/sources/opt'),
        self: osls('variables/sources/self'),
        strToBool: osls('variables/sources/str-to-bool'),
        sls: osls('variables/sources/instance-dependent/get-sls')(),
        // Of an instance of osls it reads these two members.
        param: osls('variables/sources/instance-dependent/param')({
          ...{ configurationInput: configuration, processedInput: { options: { param } } },
        }),
      },
    });
    withoutTraining(configuration as Service);
    return configuration;
  } catch (cause) {
    throw new Error(`serverless.yml cannot be resolved: ${(cause as Error).message.trim()}`, { cause });
  }
}
