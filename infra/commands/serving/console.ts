import { makeConsole } from '../../console/console.ts';
import { ownServer } from '../../console/own-server.ts';
import { openLiveSources } from '../../insight/live/live-sources.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import { definitionOption, regionOption, stageOption, wholeNumber } from '../../terminal/options.ts';
import { untilInterrupted } from '../../terminal/until-interrupted.ts';
import { EXAMPLE, STAGE, targetOf, unreachable } from '../target.ts';
import { actionsOn } from './actions.ts';

const PORT = 4_567;
const PORT_MAX = 65_535;

/** Milliseconds between two looks at a deployed stack: each is some ten reads. */
const LOOK_MS = 5_000;

export const command = newCommand(
  'console',
  'Serves the web page over a deployed stack, with your own credentials, until Ctrl-C. It only reads, unless told otherwise.',
)
  .option('--allow-actions', 'let the page retrain, pause, resume, approve, roll back and redrive')
  .option('--port <N>', 'port of 127.0.0.1; 0 takes a free one', wholeNumber('port', 0, PORT_MAX), PORT)
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .action(
    exiting(async ({ port, allowActions, ...options }) => {
      const { group, names, settings } = await targetOf(options);
      const sources = await openLiveSources(group, names.stack, settings).catch((cause: Error) => {
        throw unreachable(`The stack of ${group.name}`, cause);
      });
      const { definition, stage, region } = options;
      const commandOptions = [`--definition ${definition} --stage ${stage}`, region && `--region ${region}`];
      const pages = makeConsole({
        sources,
        commandOptions: commandOptions.filter(Boolean).join(' '),
        actions: allowActions ? actionsOn(sources, settings) : undefined,
        ...{ lookMs: LOOK_MS, readsFreely: false },
      });
      try {
        const { server, address } = await ownServer(pages.listener, port);
        console.log(`The console of ${names.stack}: ${address}\nCtrl-C stops it.`);
        await untilInterrupted();
        pages.close();
        server.close();
        server.closeAllConnections();
        return 0;
      } finally {
        pages.close();
        sources.close();
      }
    }),
  );

if (import.meta.main) await runCommand(command);
