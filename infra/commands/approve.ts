import { readEpochState } from '../../shared/state/epochs.ts';
import { answerApproval } from '../../shared/state/intervention.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, regionOption, stageOption } from '../terminal/options.ts';
import { withTrainingStack } from './stack.ts';
import { EXAMPLE, STAGE } from './target.ts';

export const command = newCommand('approve', 'Lets a challenger that waits for a person be promoted, or refuses it.')
  .option('--reject', 'refuse it in place of promoting it')
  .option('--reason <TEXT>', 'why, as the status will show it', 'no reason given')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .action(
    exiting(({ reject = false, reason, ...options }) =>
      withTrainingStack(options, async ({ table }) => {
        const { training } = await readEpochState(table);
        if (!training?.approval || training.approval.answer) throw new Error('No challenger waits for a person.');
        const answer = { approved: !reject, reason, at: new Date().toISOString() };
        if (!(await answerApproval(table, training, answer))) throw new Error('No challenger waits any more.');
        const { modelName } = training.approval;
        console.log(reject ? `${modelName} is refused.` : `${modelName} is approved, and will be deployed in minutes.`);
        return 0;
      }),
    ),
  );

if (import.meta.main) await runCommand(command);
