import type { RedriveAnswer } from '../../shared/delivery/redrive.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption, wholeNumber } from '../terminal/options.ts';
import { type Style, styleOf } from '../terminal/style.ts';
import { EXAMPLE, invokeFunction, STAGE, targetOf } from './stack.ts';

const LIMIT = 1_000;
const LIMIT_MAX = 100_000;
/** Objects that the function is asked to look at in one invocation. */
const LIMIT_PER_CALL = 1_000;

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
      const ask = (request: object) =>
        invokeFunction<RedriveAnswer>(`${names.stack}-redrive`, settings, {
          action: list ? 'list' : 'redrive',
          ...request,
        });
      const answer = await askFor(limit, ask);
      console.log(json ? JSON.stringify(answer, undefined, 2) : render(answer, styleOf(process.stdout)).join('\n'));
      return list || answer.waiting.length === 0 ? 0 : 1;
    }),
  );

/** Asks as often as there is more, until so many objects have been looked at, or an answer goes on nowhere. */
async function askFor(
  limit: number,
  ask: (request: { limit: number; after?: string }) => Promise<RedriveAnswer>,
): Promise<RedriveAnswer> {
  const redriven: string[] = [];
  const waiting: RedriveAnswer['waiting'][number][] = [];
  let after: string | undefined;
  for (let left = limit; left > 0; left = limit - redriven.length - waiting.length) {
    const answer = await ask({ limit: Math.min(left, LIMIT_PER_CALL), ...(after !== undefined && { after }) });
    redriven.push(...answer.redriven);
    waiting.push(...answer.waiting);
    if (answer.next === undefined) return { redriven, waiting };
    if (answer.next === after && answer.redriven.length === 0) break;
    after = answer.next;
  }
  return { redriven, waiting, ...(after !== undefined && { next: after }) };
}

function render({ redriven, waiting, next }: RedriveAnswer, { paint }: Style): string[] {
  return [
    ...redriven.map((key) => `${paint('good', 'put right')}  ${key}`),
    ...waiting.map(
      ({ key, records, reason }) => `${paint('bad', 'waiting')}    ${key} (${records} of its records): ${reason}`,
    ),
    `${redriven.length} put right, ${waiting.length} waiting`,
    ...(next === undefined ? [] : ['There may be more: the limit was reached. Give a greater --limit.']),
  ];
}

if (import.meta.main) await runCommand(command);
