import { resumeLoop } from '../../shared/state/intervention.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, regionOption, stageOption } from '../terminal/options.ts';
import { withTrainingStack } from './stack.ts';
import { EXAMPLE, STAGE } from './target.ts';

export const command = newCommand('resume', 'Lets the loop go on after it was paused, by a person or by a rollback.')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .action(
    exiting((options) =>
      withTrainingStack(options, async ({ table }) => {
        const wasPaused = await resumeLoop(table);
        console.log(
          wasPaused
            ? 'The loop goes on: labels, or a changed definition, start the next training within five minutes.'
            : 'The loop was not paused.',
        );
        return 0;
      }),
    ),
  );

if (import.meta.main) await runCommand(command);
