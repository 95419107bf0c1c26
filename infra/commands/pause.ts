import { pauseLoop } from '../../shared/state/intervention.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, regionOption, stageOption } from '../terminal/options.ts';
import { withTrainingStack } from './stack.ts';
import { EXAMPLE, STAGE } from './target.ts';

export const command = newCommand(
  'pause',
  'Pauses the loop: no training starts by itself, and one in flight does not deploy its model.',
)
  .option('--reason <TEXT>', 'why, as the status will show it', 'no reason given')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .action(
    exiting(({ reason, ...options }) =>
      withTrainingStack(options, async ({ table }) => {
        await pauseLoop(table, reason, Date.now());
        console.log('The loop is paused. npm run resume lets it go on; npm run retrain trains once.');
        return 0;
      }),
    ),
  );

if (import.meta.main) await runCommand(command);
