import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestSums, digestOf, digestSumsSql, recordText } from '../../../shared/change-log/digests.ts';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import { type Cause, causeOf, fieldsOf, type Known, type Side } from '../../../shared/history/reconcile/cause.ts';
import { type Plan, reconcile } from '../../../shared/history/reconcile/reconcile.ts';
import { Sample } from '../../../shared/history/reconcile/sample.ts';
import type { TableRecord } from '../../../shared/history/reconcile/stores.ts';
import { anyPlaces, group, heldOf, item, loggedOf, onlineOf } from '../../given/history/places.ts';
import { storesOf } from '../../given/history/stores-in-memory.ts';

const columns = columnsOf(group).length;

/** Texts that are hard for rows: separators, escapes, what stands for null, line breaks. */
const anyText = fc.oneof(
  fc.constantFrom('', '\\N', '\\', ',', '\\,', 'a,b', "clerk's", 'ä€😀', ' '),
  fc.string({ maxLength: 6 }),
);
const anyTexts = fc.array(fc.option(anyText), { minLength: columns, maxLength: columns });
const anySet = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'a,b', 'a\\'), anyTexts), {
  selector: ([id]) => id,
});

describe('digests of records', () => {
  const sumsOf = (set: readonly (readonly [string, readonly (string | null)[]])[]) => {
    const sums = new DigestSums();
    for (const [id, texts] of set) sums.add(digestOf(id, texts));
    return sums;
  };

  it('add up to the same if and only if the sets of records are the same', () => {
    const textsOf = (set: readonly (readonly [string, readonly (string | null)[]])[]) =>
      set.map(([id, texts]) => recordText(id, texts)).sort();
    fc.assert(
      fc.property(anySet, anySet, (one, other) => {
        const isSame = JSON.stringify(textsOf(one)) === JSON.stringify(textsOf(other));
        expect(sumsOf(one).differing(sumsOf(other)).length === 0).toBe(isSame);
        expect(sumsOf(one).differing(sumsOf(one.toReversed()))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('have another text for each record: nothing is hidden by separators, escapes and nulls', () => {
    fc.assert(
      fc.property(anyTexts, anyTexts, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        const isSameRow = fieldsOf(group, 'change log', one, other)?.length === 0;
        expect(recordText('id', one) === recordText('id', other)).toBe(isSameRow);
        if (isSame) expect(isSameRow).toBe(true);
      }),
    );
  });

  it('do not cancel each other out: two equal records are another sum than none', () => {
    const twice = sumsOf([
      ['a', ['1']],
      ['a', ['1']],
    ]);
    expect(twice.differing(new DigestSums())).toHaveLength(1);
  });

  it('are asked for by SQL of the texts, not of the numbers', () => {
    expect(digestSumsSql(group, 'db')).toContain('"db"."change_log_texts"');
  });
});

describe('a sample', () => {
  const drawn = (count: number, size: number, salt: string) => {
    const sample = new Sample<{ id: string }>(size, salt);
    for (let id = 0; id < count; id += 1) sample.offer({ id: String(id) });
    return sample.records().map(({ id }) => Number(id));
  };

  it('has its size, or all there are, and is the same of the same salt', () => {
    expect(drawn(10_000, 50, 'x')).toHaveLength(50);
    expect(drawn(7, 50, 'x')).toHaveLength(7);
    expect(drawn(10_000, 50, 'x')).toEqual(drawn(10_000, 50, 'x'));
    expect(drawn(10_000, 50, 'y')).not.toEqual(drawn(10_000, 50, 'x'));
    expect(drawn(10, 0, 'x')).toEqual([]);
  });

  it('prefers no part of the table', () => {
    const halves = Array.from({ length: 40 }, (_, salt) => drawn(1_000, 50, String(salt))).flat();
    const first = halves.filter((id) => id < 500).length;
    expect(first / halves.length).toBeGreaterThan(0.45);
    expect(first / halves.length).toBeLessThan(0.55);
  });
});

describe('the cause of a difference', () => {
  const wrong: TableRecord = { id: 'a', texts: undefined, rejection: 'wrong-type at dynamodb.NewImage.note' };
  const younger = { ...item('a', 1), texts: columnsOf(group).map(({ name }) => `${name} 1`) };
  const cases: [cause: Cause, side: Side, known: Known, isWaiting?: boolean][] = [
    ['wrong item', 'online store', { item: wrong, online: onlineOf(1), logged: loggedOf(1) }, true],
    ['waits in quarantine', 'online store', { item: item('a', 2), online: onlineOf(1), logged: loggedOf(1) }, true],
    ['never seen', 'online store', { item: item('a', 1), online: undefined, logged: undefined }],
    ['missed delete', 'online store', { item: undefined, online: onlineOf(1), logged: loggedOf(2, 'REMOVE') }],
    ['missed delete', 'change log', { item: undefined, online: undefined, logged: loggedOf(1) }],
    ['lost change', 'online store', { item: item('a', 2), online: onlineOf(1), logged: loggedOf(1) }],
    ['lost change', 'change log', { item: item('a', 2), online: undefined, logged: loggedOf(1) }],
    ['not online', 'online store', { item: item('a', 2), online: onlineOf(1), logged: loggedOf(2) }],
    ['not online', 'online store', { item: item('a', 2), online: undefined, logged: loggedOf(2) }],
    ['not in the change log', 'change log', { item: item('a', 2), online: onlineOf(2), logged: loggedOf(1) }],
    ['written by another', 'online store', { item: item('a', 2), online: onlineOf(3, 9), logged: loggedOf(2) }],
    ['new feature', 'online store', { item: younger, online: onlineOf(1), logged: loggedOf(1) }],
  ];
  it('is the first that the places themselves tell of', () => {
    for (const [cause, side, known, isWaiting = false] of cases) {
      expect(causeOf(group, side, known, isWaiting)).toBe(cause);
    }
  });
});

const planOf = (around: Partial<Plan> = {}): Plan => ({
  ...{ online: 'all', salt: '', settleMs: 60_000, lagMs: async () => 0, time: { sleep: async () => undefined } },
  onProgress() {},
  ...around,
});

describe('a comparison of everything', () => {
  it('finds each record that differs in a store, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlaces, async (places) => {
        const found = await reconcile(group, storesOf(heldOf(places)), planOf());
        const expected = Object.entries(places).flatMap(([id, { table, online, logged }]) => [
          ...(table === online ? [] : [`online store ${id}`]),
          ...(table === (logged === -1 ? null : logged) ? [] : [`change log ${id}`]),
        ]);
        expect(found.differences.map(({ side, id }) => `${side} ${id}`).sort()).toEqual(expected.sort());
        expect([found.changing, found.late, found.more]).toEqual([0, 0, false]);
        expect(found.records).toBe(Object.values(places).filter(({ table }) => table !== null).length);
      }),
      { numRuns: 50 },
    );
  });

  it('holds what the definition keeps of items that are gone for no difference', async () => {
    const places = { a: { table: null, online: 1, logged: 1 }, b: { table: 1, online: null, logged: 1 } };
    const found = await reconcile({ ...group, onDelete: 'keep' }, storesOf(heldOf(places)), planOf());
    expect(found.differences.map(({ id }) => id)).toEqual(['b']);
  });

  it('does not take changes that are on their way for differences', async () => {
    const before = heldOf({ a: { table: 2, online: 1, logged: 1 }, b: { table: 1, online: 1, logged: 1 } });
    const after = heldOf({ a: { table: 2, online: 2, logged: 2 }, b: { table: 1, online: 1, logged: 1 } });
    let now = before;
    const stores = storesOf({ table: () => now.table(), online: () => now.online(), logged: () => now.logged() });
    const sleep = async () => {
      now = after;
    };
    const found = await reconcile(group, stores, planOf({ time: { sleep } }));
    expect([found.differences, found.changing, found.late]).toEqual([[], 0, 0]);
  });

  it('lets a record be that goes on changing', async () => {
    let version = 0;
    const table = () => {
      version += 1;
      return new Map([['a', item('a', version)]]);
    };
    const { online, logged } = heldOf({ a: { table: null, online: 0, logged: 0 } });
    const found = await reconcile(group, storesOf({ table, online, logged }), planOf());
    expect([found.differences, found.changing, found.late]).toEqual([[], 1, 0]);
  });

  it('calls nothing different while delivery is further behind than a change takes', async () => {
    const held = heldOf({ a: { table: 2, online: 1, logged: 1 } });
    const behind = planOf({ lagMs: async () => 3_600_000 });
    expect(await reconcile(group, storesOf(held), behind)).toMatchObject({ differences: [], changing: 0, late: 1 });
  });

  it('says of an item that the definition does not take why, once', async () => {
    const wrong: TableRecord = { id: 'a', texts: undefined, rejection: 'wrong-type at dynamodb.NewImage.note' };
    const { online, logged } = heldOf({ a: { table: null, online: 1, logged: 1 } });
    const found = await reconcile(group, storesOf({ table: () => new Map([['a', wrong]]), online, logged }), planOf());
    expect(found.differences.map(({ id, known }) => [id, known.item?.rejection])).toEqual([['a', wrong.rejection]]);
  });

  it('counts items whose keys make no record identifier', async () => {
    const nameless: TableRecord = { id: undefined, texts: undefined, rejection: 'record-too-large at dynamodb.Keys' };
    const { online, logged } = heldOf({});
    const table = () => new Map([['', nameless]]);
    expect(await reconcile(group, storesOf({ table, online, logged }), planOf())).toMatchObject({ nameless: 1 });
  });
});
