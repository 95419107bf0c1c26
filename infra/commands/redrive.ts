import type { RedriveAnswer } from '../../shared/delivery/redrive.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption, wholeNumber } from '../terminal/options.ts';
import { type Style, styleOf } from '../terminal/style.ts';
import { EXAMPLE, invokeFunction, STAGE, targetOf } from './stack.ts';

const LIMIT = 1_000;
const LIMIT_MAX = 100_000;

export const command = newCommand(
  'redrive',
  'Puts right what ingest could not deliver. The exit code is 1 while anything still waits.',
)
  .option('--list', 'show what waits and why, and change nothing')
  .option('--limit <N>', 'objects of the quarantine bucket to look at', wholeNumber('limit', 1, LIMIT_MAX), LIMIT)
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting(async ({ list, limit, json, ...options }) => {
      const { names, settings } = await targetOf(options);
      const answer = await invokeFunction<RedriveAnswer>(`${names.stack}-redrive`, settings, {
        action: list ? 'list' : 'redrive',
        limit,
      });
      console.log(json ? JSON.stringify(answer, undefined, 2) : render(answer, styleOf(process.stdout)).join('\n'));
      return list || answer.waiting.length === 0 ? 0 : 1;
    }),
  );

function render({ redriven, waiting }: RedriveAnswer, { paint }: Style): string[] {
  return [
    ...redriven.map((key) => `${paint('good', 'put right')}  ${key}`),
    ...waiting.map(
      ({ key, records, reason }) => `${paint('bad', 'waiting')}    ${key} (${records} of its records): ${reason}`,
    ),
    `${redriven.length} put right, ${waiting.length} waiting`,
  ];
}

if (import.meta.main) await runCommand(command);
