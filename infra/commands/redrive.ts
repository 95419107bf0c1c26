import type { RedriveAnswer } from '../../shared/delivery/redrive.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption, wholeNumber } from '../terminal/options.ts';
import { type Style, styleOf } from '../terminal/style.ts';
import { listWaiting } from './data/waiting.ts';
import { EXAMPLE, invokeFunction, STAGE, targetOf } from './target.ts';

const LIMIT = 1_000;
const LIMIT_MAX = 100_000;
/** Objects that the function is asked to look at in one invocation. */
const LIMIT_PER_CALL = 1_000;

export const command = newCommand(
  'redrive',
  'Puts right what ingest could not deliver. The exit code is 1 while anything still waits.',
)
  .option('--list', 'show what waits by reason and place, with the items, and change nothing')
  .option('--show', 'with --list: the values, too, which may be personal data')
  .option('--reason <REASON>', 'only records that wait for this reason, such as wrong-type')
  .option('--place <PLACE>', 'only records that are wrong there, such as dynamodb.NewImage.age')
  .option('--item <ID>', 'only records of this item, by its record identifier')
  .option('--object <KEY>', 'only this object of the quarantine bucket')
  .option('--limit <N>', 'objects of the quarantine bucket to look at', wholeNumber('limit', 1, LIMIT_MAX), LIMIT)
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting(async ({ list = false, show = false, limit, json, reason, place, item, object, ...options }) => {
      const selection = given({ reason, place, item, object });
      if (show && !list) throw new Error('--show is an option of --list: give both.');
      if (list && Object.keys(selection).length > 0) {
        throw new Error('--list shows all that waits: leave --reason, --place, --item and --object out.');
      }
      if (list) return listWaiting(options, { limit, show, json });
      const { names, settings } = await targetOf(options);
      const ask = (request: object) =>
        invokeFunction<RedriveAnswer>(`${names.stack}-redrive`, settings, {
          action: 'redrive',
          ...selection,
          ...request,
        });
      const answer = await askFor(limit, Object.keys(selection).length > 0, ask);
      console.log(json ? JSON.stringify(answer, undefined, 2) : render(answer, styleOf(process.stdout)).join('\n'));
      return answer.waiting.length === 0 ? 0 : 1;
    }),
  );

/** The options that were given. */
const given = <O extends Readonly<Record<string, string | undefined>>>(options: O) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/**
 * Asks as often as there is more, until so many objects have been looked at, or an answer goes on nowhere.
 *
 * @param isPart whether only some records are asked for: then an answer names fewer objects than were looked at.
 */
async function askFor(
  limit: number,
  isPart: boolean,
  ask: (request: { limit: number; after?: string }) => Promise<RedriveAnswer>,
): Promise<RedriveAnswer> {
  const redriven: string[] = [];
  const waiting: RedriveAnswer['waiting'][number][] = [];
  let after: string | undefined;
  for (let left = limit; left > 0; ) {
    const asked = Math.min(left, LIMIT_PER_CALL);
    const answer = await ask({ limit: asked, ...(after !== undefined && { after }) });
    left -= isPart ? asked : answer.redriven.length + answer.waiting.length;
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
