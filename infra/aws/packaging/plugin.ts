import { bundleFunctions } from './bundle.ts';
import { checkLock, rememberDeployed } from './lock.ts';
import type { Options, Serverless } from './osls.ts';
import { checkAccount, checkBeforePackaging } from './preconditions.ts';
import { aimAtAliases, finishTemplate, withoutExports } from './template.ts';
import { withoutTraining } from './without-training.ts';

/** What this project does beside osls: it checks what is asked for, bundles the functions, finishes the template. */
export class Plugin {
  /** By the moments of osls's commands. */
  readonly hooks: Readonly<Record<string, () => void | Promise<void>>>;

  constructor(serverless: Serverless, options: Options, { log }: { readonly log: { notice(line: string): void } }) {
    const say = (line: string) => log.notice(line);
    const { service } = serverless;
    this.hooks = {
      initialize: () => withoutTraining(service),
      'before:package:initialize': async () => {
        await checkBeforePackaging(serverless, options);
        await checkLock(serverless, say);
        await bundleFunctions(serverless, say);
      },
      'before:deploy:deploy': () => checkAccount(serverless, options),
      'after:deploy:deploy': () => rememberDeployed(serverless, say),
      'before:package:compileFunctions': () => aimAtAliases(service),
      'after:aws:package:finalize:addExportNameForOutputs': () => withoutExports(service),
      'after:aws:package:finalize:mergeCustomProviderResources': () => finishTemplate(service),
    };
  }
}
