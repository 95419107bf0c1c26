import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { CAUSES, type Cause, causeOf, type Known } from '../../../shared/history/reconcile/cause.ts';
import type { Reconciled } from '../../../shared/history/reconcile/reconcile.ts';
import type { Difference } from '../../../shared/history/reconcile/suspects.ts';
import type { Style } from '../../terminal/style.ts';

/** Differences that are named in text; --json names them all. */
const SHOWN = 100;

/** One in so many is what a sample of so many rules out with 95 % confidence: the rule of three. */
const RULE_OF_THREE = 3;

/** What a comparison is told as. */
export interface Told {
  readonly equal: boolean;
  readonly records: number;
  readonly comparedOnline: number;
  readonly changeLog: boolean;
  readonly changing: number;
  readonly late: number;
  readonly nameless: number;
  readonly more: boolean;
  readonly repaired: number;
  readonly unrepaired: readonly { readonly id: string; readonly reason: string }[];
  readonly differences: readonly ToldDifference[];
}

interface ToldDifference {
  readonly store: string;
  readonly id: string;
  /** Which of both is not there. */
  readonly missing?: 'item' | 'record';
  readonly rejection?: string | undefined;
  readonly fields: readonly {
    readonly name: string;
    readonly expected?: string | null;
    readonly found?: string | null;
  }[];
  readonly cause: Cause;
}

/** @param show whether values are told, too: they may be personal data. */
export function toldDifference(
  group: FeatureGroup,
  { side, id, fields = [], known }: Difference,
  waiting: ReadonlySet<string>,
  show: boolean,
): ToldDifference {
  const missing = missingOf(known, fields.length);
  return {
    ...{ store: known.item?.rejection === undefined ? side : 'table', id },
    ...(missing && { missing }),
    ...(known.item?.rejection !== undefined && { rejection: known.item.rejection }),
    fields: show ? fields : fields.map(({ name }) => ({ name })),
    cause: causeOf(group, side, known, waiting.has(id)),
  };
}

function missingOf({ item }: Known, fields: number): 'item' | 'record' | undefined {
  if (item === undefined) return 'item';
  return item.rejection === undefined && fields === 0 ? 'record' : undefined;
}

/** Whether nothing is left that would have to be put right, or looked at again. */
export const isWholeEqual = ({
  differences,
  late,
  nameless,
  more,
}: Omit<Reconciled, 'differences'> & { differences: readonly unknown[] }) =>
  differences.length === 0 && late === 0 && nameless === 0 && !more;

const count = (number: number): string => number.toLocaleString('en-US');

/** The comparison as a person reads it. The last line says whether all is equal. */
export function reconciledText(told: Told, { paint }: Style): string {
  const { differences, records, comparedOnline, changing, late, nameless, more, repaired, unrepaired } = told;
  const lines = [
    ...differences.slice(0, SHOWN).map((it) => `${paint('bad', it.store)}: ${it.id}: ${differenceText(it)}`),
    ...(differences.length > SHOWN ? [`and ${count(differences.length - SHOWN)} more: --json names them all`] : []),
    ...(repaired > 0 ? [`Repaired: ${count(repaired)} records.`] : []),
    ...unrepaired.map(({ id, reason }) => `${paint('bad', 'not repaired')}: ${id}: ${reason}`),
    ...(nameless > 0 ? [`Items whose keys make no record identifier: ${count(nameless)}.`] : []),
    ...(late > 0
      ? [`Changes of ${count(late)} records may still be on their way: ingest is behind. Try again later.`]
      : []),
    ...(changing > 0 ? [`${count(changing)} records went on changing and were let be.`] : []),
    ...(more ? ['More differ than can be looked into at once: backfill the table, or try at a quieter hour.'] : []),
    comparedText(told, comparedOnline, records),
  ];
  if (told.equal) return [...lines, `equal: ${count(records)} records`].join('\n');
  const differ = new Set(differences.map(({ id }) => id)).size + nameless;
  return [
    ...lines,
    differ > 0 ? `different: ${count(differ)} of ${count(records)} records` : 'not known to be equal',
  ].join('\n');
}

function comparedText({ changeLog, equal }: Told, comparedOnline: number, records: number): string {
  const log = changeLog ? 'The change log was compared whole.' : 'The change log was not compared.';
  if (comparedOnline >= records) return `${log} The online store was compared whole.`;
  const sample = `${log} Of the online store, ${count(comparedOnline)} records were compared`;
  if (!equal || comparedOnline < RULE_OF_THREE) return `${sample}.`;
  const oneIn = Math.floor(comparedOnline / RULE_OF_THREE);
  return `${sample}: with 95% confidence fewer than 1 in ${count(oneIn)} differ.`;
}

function differenceText({ missing, rejection, fields, cause }: ToldDifference): string {
  const names = fields.map(({ name, expected, found }) =>
    expected === undefined ? name : `${name} (${JSON.stringify(found)}, expected ${JSON.stringify(expected)})`,
  );
  const isVerb = fields.length === 1 ? 'differs' : 'differ';
  if (rejection !== undefined) return `${CAUSES[cause]} (${rejection})`;
  if (missing === 'item') return `there, without an item; ${CAUSES[cause]}`;
  return `${missing === 'record' ? 'not there' : `${names.join(', ')} ${isVerb}`}; ${CAUSES[cause]}`;
}
