import { labelOf } from '../../shared/definition/feature-group.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption } from '../terminal/options.ts';
import { EXAMPLE, invokeFunction, STAGE, targetOf } from './target.ts';

/** What the function retrain answers. */
interface Answer {
  readonly decision: string;
  readonly reason: string;
}

export const command = newCommand(
  'retrain',
  'Trains now, whatever the labels, and once only while the loop is paused. The exit code is 1 when no training was started.',
)
  .option('--dry-run', 'say what would be trained and what the gate would ask for, and change nothing')
  .option('--reason <TEXT>', 'why, as the status will show it', 'no reason given')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting(async ({ dryRun = false, reason, json, ...options }) => {
      const { group, names, settings } = await targetOf(options);
      labelOf(group);
      const request = { action: 'train', reason, dryRun };
      const answer = await invokeFunction<Answer>(`${names.stack}-retrain`, settings, request);
      console.log(json ? JSON.stringify(answer, undefined, 2) : `${answer.decision}: ${answer.reason}`);
      return ['train', 'resume', 'dry-run'].includes(answer.decision) ? 0 : 1;
    }),
  );

if (import.meta.main) await runCommand(command);
