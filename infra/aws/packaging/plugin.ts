import { bundleFunctions } from './bundle.ts';
import { checkLock } from './lock.ts';
import type { Options, Serverless } from './osls.ts';
import { checkAccount, checkBeforePackaging } from './preconditions.ts';
import { aimAtAliases, finishTemplate, withoutExports } from './template.ts';

/** What this project does beside osls: it checks what is asked for, bundles the functions, finishes the template. */
export class Plugin {
  /** By the moments of osls's commands. */
  readonly hooks: Readonly<Record<string, () => void | Promise<void>>>;

  constructor(serverless: Serverless, options: Options, { log }: { readonly log: { notice(line: string): void } }) {
    const say = (line: string) => log.notice(line);
    const { service } = serverless;
    this.hooks = {
      'before:package:initialize': async () => {
        await checkBeforePackaging(serverless, options);
        await bundleFunctions(serverless, say);
        // Last, as it writes: a definition that could not be bundled is not to be remembered as deployed.
        await checkLock(serverless, say);
      },
      'before:deploy:deploy': () => checkAccount(serverless, options),
      'before:package:compileFunctions': () => aimAtAliases(service),
      'after:aws:package:finalize:addExportNameForOutputs': () => withoutExports(service),
      'after:aws:package:finalize:mergeCustomProviderResources': () => finishTemplate(service),
    };
  }
}
