import { hash } from 'node:crypto';
import { chunksOf } from '../../calls/chunks.ts';
import type { Time } from '../../calls/pace.ts';
import { recordText } from '../../change-log/digests.ts';
import { keepsRemoved } from '../../changes/last-change.ts';
import type { FeatureGroup } from '../../definition/feature-group.ts';
import { type Field, fieldsOf, isEqual, type Known, liveRow, type Side } from './cause.ts';
import type { Stores } from './stores.ts';

/** Records that are looked at together: one query of the change log answers for all of them. */
const RECORDS_PER_LOOK = 500;

/** Looks at a record that goes on changing, until it is let be. */
const LOOKS_MAX = 4;

/** A record that differs from its item: both have been as they are for as long as a change takes to arrive. */
export interface Difference {
  readonly side: Side;
  readonly id: string;
  /** Undefined where one of both is not there at all, or the item is wrong. */
  readonly fields: readonly Field[] | undefined;
  readonly known: Known;
}

/** What became of suspects. */
export interface Judged {
  readonly differences: readonly Difference[];
  /** Records whose items went on changing while they were looked at. Nothing is said of them. */
  readonly changing: number;
  /** Records whose items have not changed, but whose changes may still be on their way. */
  readonly late: number;
}

/** A look, kept in few bytes until the next one. */
interface Look {
  readonly item: string;
  readonly sides: Readonly<Record<Side, string>>;
  readonly differing: readonly Side[];
  /** Undefined after the first look. */
  readonly known: Known;
}

const NOTHING = '';

/**
 * Tells differences from changes that are on their way. A record differs where its item and the other place are as they
 * were at the look before, at least `settleMs` ago. Whoever changes meanwhile is looked at again.
 *
 * @param settleMs how long a change takes to arrive everywhere, in milliseconds.
 * @param lagMs how far delivery is behind now, in milliseconds: what is late by more than that may be on its way.
 */
export async function judgeSuspects(
  group: FeatureGroup,
  stores: Stores,
  suspects: readonly string[],
  { settleMs, lagMs, time }: { settleMs: number; lagMs: () => Promise<number>; time: Pick<Time, 'sleep'> },
): Promise<Judged> {
  const look = looker(group, stores);
  const differences: Difference[] = [];
  let open = new Map<string, Omit<Look, 'known'>>();
  for (const ids of chunksOf(suspects, RECORDS_PER_LOOK)) {
    for (const [id, { known: _, ...seen }] of await look(ids)) if (seen.differing.length > 0) open.set(id, seen);
  }
  let late = 0;
  for (let looks = 1; looks < LOOKS_MAX && open.size > 0; looks += 1) {
    await time.sleep(settleMs);
    const isLate = (await lagMs()) > settleMs;
    const changed = new Map<string, Omit<Look, 'known'>>();
    late = 0;
    for (const ids of chunksOf([...open.keys()], RECORDS_PER_LOOK)) {
      for (const [id, seen] of await look(ids)) {
        const { known, ...kept } = seen;
        const before = open.get(id) as Omit<Look, 'known'>;
        const isSettled = kept.item === before.item;
        const settled = kept.differing.filter(
          (side) => isSettled && kept.sides[side] === before.sides[side] && before.differing.includes(side),
        );
        if (!isLate) for (const side of settled) differences.push(differenceOf(group, side, id, known));
        if (kept.differing.length === (isLate ? 0 : settled.length)) continue;
        changed.set(id, kept);
        if (isSettled) late += 1;
      }
    }
    open = changed;
  }
  return { differences: onceEach(differences), changing: open.size - late, late };
}

/** One of two looks may have settled a side of a record, and the next the same side again. */
function onceEach(differences: readonly Difference[]): Difference[] {
  return [...new Map(differences.map((it) => [`${it.side} ${it.id}`, it])).values()];
}

function differenceOf(group: FeatureGroup, side: Side, id: string, known: Known): Difference {
  const found = foundAt(side, known);
  return { side, id, fields: fieldsOf(group, side, known.item?.texts, found?.texts), known };
}

const foundAt = (side: Side, { online, logged }: Known) => (side === 'online store' ? online : liveRow(logged));

/** Looks at records in all places: the item first, so that what is delivered meanwhile makes no difference. */
function looker(group: FeatureGroup, { table, online, log }: Stores) {
  const sides: Side[] = log ? ['online store', 'change log'] : ['online store'];
  const keeps = keepsRemoved(group);
  const short = (text: string) => hash('md5', text, 'base64url');
  return async (ids: readonly string[]): Promise<Map<string, Look>> => {
    const items = await table.read(ids);
    const [records, rows] = await Promise.all([online.read(ids), log?.latest(ids)]);
    return new Map(
      ids.map((id) => {
        const known: Known = { item: items.get(id), online: records.get(id), logged: rows?.get(id) };
        const { item, logged } = known;
        const wrong = item !== undefined && item.texts === undefined;
        // What the definition keeps of an item that is gone says nothing of whether it is right.
        const differs = (side: Side) =>
          wrong || ((item !== undefined || !keeps) && !isEqual(group, side, item?.texts, foundAt(side, known)?.texts));
        const seen: Look = {
          known,
          item: item ? short(item.texts ? recordText(id, item.texts) : `wrong: ${item.rejection}`) : NOTHING,
          sides: {
            'online store': known.online ? short(recordText(known.online.eventTime, known.online.texts)) : NOTHING,
            'change log': logged
              ? short(recordText(`${logged.eventTime} ${logged.sequenceNumber}`, logged.texts))
              : NOTHING,
          },
          // A wrong item is one difference, wherever one looks.
          differing: wrong ? sides.slice(0, 1) : sides.filter(differs),
        };
        return [id, seen];
      }),
    );
  };
}
