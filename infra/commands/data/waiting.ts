import { readWaiting, type Waiting, type WaitingGroup } from '../../insight/quarantine.ts';
import { type Style, styleOf } from '../../terminal/style.ts';
import type { TargetOptions } from '../target.ts';
import { withSources } from './sources.ts';

/** Items of a group that are named; --json has them all. */
const ITEMS_SHOWN = 10;

/** Shows what waits in the quarantine bucket. @returns the exit code: waiting is no failure of a list. */
export function listWaiting(
  options: TargetOptions,
  { limit, show, json }: { readonly limit: number; readonly show: boolean; readonly json: true | undefined },
): Promise<number> {
  return withSources(options, async (sources) => {
    const waiting = await readWaiting(sources, limit);
    console.log(
      json
        ? JSON.stringify(answerOf(waiting, show), undefined, 2)
        : render(waiting, show, styleOf(process.stdout)).join('\n'),
    );
    return 0;
  });
}

/** With what an answer of redrive has, so that whoever reads one reads the other. */
function answerOf({ groups, objects, more }: Waiting, show: boolean): object {
  const items = ({ items }: WaitingGroup) => (show ? items : items.map(({ value: _, ...item }) => item));
  return { redriven: [], waiting: objects, groups: groups.map((it) => ({ ...it, items: items(it) })), more };
}

function render({ groups, objects, more }: Waiting, show: boolean, { paint }: Style): string[] {
  const unreadable = objects.filter(({ records }) => records === 0);
  const records = groups.reduce((sum, group) => sum + group.records, 0);
  return [
    ...groups.flatMap(({ reason, place, message, records, items }) => [
      `${paint('bad', `${records} × ${reason}`)}${place === '' ? '' : ` at ${place}`}: ${message}`,
      ...items.slice(0, ITEMS_SHOWN).map(({ item, value }) => `    ${item}${show ? `  ${JSON.stringify(value)}` : ''}`),
      ...(items.length > ITEMS_SHOWN ? [`    and ${items.length - ITEMS_SHOWN} more: --json names them all`] : []),
    ]),
    ...unreadable.map(({ key, reason }) => `${paint('bad', 'unreadable')}  ${key}: ${reason}`),
    `Records that wait: ${records}, in objects: ${objects.length}`,
    ...(more ? ['There are more: give a greater --limit.'] : []),
  ];
}
