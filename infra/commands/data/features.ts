import { Argument } from '@commander-js/extra-typings';
import { secondOf } from '../../insight/moment.ts';
import {
  type Features,
  type LoggedChange,
  readAsOf,
  readHistory,
  readItem,
  readOnline,
  type SourceItem,
  type StoredRecord,
} from '../../insight/record.ts';
import type { Sources } from '../../insight/sources.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption } from '../../terminal/options.ts';
import { type Style, styleOf } from '../../terminal/style.ts';
import { tableOf } from '../../terminal/table.ts';
import { EXAMPLE, STAGE } from '../target.ts';
import { showSummary } from './feature-summary.ts';
import { withSources } from './sources.ts';

export const command = newCommand(
  'features',
  'Shows the features of one record: in the online store, as of a moment, with its history, or in every place. The exit code is 1 when it is not there. Or shows how all features stand.',
)
  .addArgument(
    new Argument(
      '<action>',
      'get: the features of a record; summary: of all records, against the last training',
    ).choices(['get', 'summary']),
  )
  .argument('[identifier]', 'of get: record identifier; two key attributes are joined by "|"')
  .option('--as-of <TIME>', 'what the change log knew at the end of a second, such as 2026-11-26T12:00:00Z')
  .option('--history', 'every change of the record in order, up to --as-of')
  .option('--places', 'the item, the online store and the change log side by side, differences marked')
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting((action, identifier, { asOf, history = false, places = false, json, ...options }) => {
      if (action === 'summary') {
        if (identifier !== undefined || asOf !== undefined || history || places) {
          throw new Error('features summary is of all records, now: leave the identifier and the options of get out.');
        }
        return withSources(options, (sources) => showSummary(sources, json));
      }
      if (identifier === undefined) throw new Error('features get: name a record identifier, such as features get ID.');
      const second = asOf === undefined ? undefined : secondOf(asOf);
      if (places && (history || asOf !== undefined)) {
        throw new Error('--places shows what is so now: leave --history and --as-of out.');
      }
      return withSources(options, async (sources) => {
        const show = places ? inPlaces : history ? withHistory : inOneStore;
        const { found, answer, text } = await show(sources, identifier, second);
        if (json) console.log(JSON.stringify({ recordIdentifier: identifier, ...answer }, undefined, 2));
        else console.log(found ? text(styleOf(process.stdout)) : absent(sources, identifier, second));
        return found ? 0 : 1;
      });
    }),
  );

/** What is shown of a record, as JSON and as text. */
interface Shown {
  readonly found: boolean;
  readonly answer: object;
  text(style: Style): string;
}

const absent = ({ group }: Sources, identifier: string, second: string | undefined): string =>
  `${identifier} is not in ${group.name}${second === undefined ? '' : ` as of ${second}Z`}.`;

async function inOneStore(sources: Sources, id: string, second: string | undefined): Promise<Shown> {
  const record = second === undefined ? await readOnline(sources, id) : await readAsOf(sources, id, second);
  const place = second === undefined ? 'online-store' : 'change-log';
  return {
    found: record !== undefined,
    answer: { place, ...(second !== undefined && { asOf: `${second}Z` }), record: record ?? null },
    text: (style) =>
      tableOf(
        ['feature', 'value'],
        record ? [['event_time', record.eventTime], ...Object.entries(record.features)] : [],
        style,
      ),
  };
}

async function withHistory(sources: Sources, id: string, second: string | undefined): Promise<Shown> {
  const changes = await readHistory(sources, id, second);
  return {
    found: changes.length > 0,
    answer: { place: 'change-log', ...(second !== undefined && { asOf: `${second}Z` }), changes },
    text: ({ paint }) =>
      changes
        .map((change, index) => {
          const { eventTime, eventName } = change;
          return `${paint('faint', eventTime)}  ${paint('strong', eventName.padEnd(13))}  ${told(change, changes[index - 1])}`;
        })
        .join('\n'),
  };
}

/** A change in words: of the first row its features, of the others what differs from the row before. */
function told({ eventName, features, ttlExpired }: LoggedChange, before: LoggedChange | undefined): string {
  if (/REMOVE$/.test(eventName)) return ttlExpired ? 'expired' : 'removed';
  const isNew = before === undefined || /REMOVE$/.test(before.eventName);
  const named = Object.entries(features).flatMap(([name, value]) => {
    const former = isNew ? null : (before.features[name] ?? null);
    if (value === former) return [];
    return isNew ? `${name} ${value}` : `${name} ${former ?? 'NULL'} → ${value ?? 'NULL'}`;
  });
  return named.join(', ') || 'nothing that the definition names';
}

async function inPlaces(sources: Sources, id: string): Promise<Shown> {
  const [item, online, changes] = await Promise.all([
    readItem(sources, id),
    readOnline(sources, id),
    readHistory(sources, id),
  ]);
  const last = changes.at(-1);
  const logged = last && !/REMOVE$/.test(last.eventName) ? last : undefined;
  return {
    found: item !== undefined || online !== undefined || logged !== undefined,
    answer: { item: item ?? null, online: online ?? null, changeLog: logged ?? null },
    text: (style) => sideBySide(sources, { item, online, logged }, style),
  };
}

interface Places {
  readonly item: SourceItem | undefined;
  readonly online: StoredRecord | undefined;
  readonly logged: StoredRecord | undefined;
}

function sideBySide({ group }: Sources, { item, online, logged }: Places, style: Style): string {
  const names = [...group.features, ...(group.label ? [group.label] : [])].map(({ name }) => name);
  const rows = names.map((name) => {
    const values = [item?.features, online?.features, logged?.features].map((it) => textOf(it, name));
    return [name, ...values, same(values) ? '' : 'differs'];
  });
  const times = ['event_time', item ? '' : null, online?.eventTime ?? null, logged?.eventTime ?? null, ''];
  const table = tableOf(['feature', 'item', 'online store', 'change log', ''], [times, ...rows], style);
  return item?.rejection ? `${table}\n${style.paint('bad', 'The item is not taken:')} ${item.rejection}` : table;
}

const textOf = (features: Features | undefined, name: string): string | null => features?.[name] ?? null;

/** Whether all are the same text, or the same number: Athena writes a fractional as a double. */
function same(values: readonly (string | null)[]): boolean {
  return values.every(
    (it) => it === values[0] || (it !== null && values[0] !== null && Number(it) === Number(values[0])),
  );
}

if (import.meta.main) await runCommand(command);
