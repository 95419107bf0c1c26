import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import { type CheckPlan, checkSample } from '../../../shared/history/reconcile/check.ts';
import type { Stores, TableRecord } from '../../../shared/history/reconcile/stores.ts';
import { driftedOf } from '../../../shared/state/checks.ts';
import { anyPlaces, group, heldOf, item } from '../../given/history/places.ts';
import { storesOf } from '../../given/history/stores-in-memory.ts';

const planOf = (around: Partial<CheckPlan> = {}): CheckPlan => ({
  ...{ records: 100, readUntilMs: 1, listAfter: null, settleMs: 60_000, lagMs: async () => 0 },
  time: { now: () => 0, sleep: async () => undefined },
  ...around,
});

const places = (ids: string, versions: { table: number | null; online: number | null }) =>
  Object.fromEntries([...ids].map((id) => [id, { ...versions, logged: null }]));

describe('a check of the online store', () => {
  it('counts each record that is missing, differs or has no item, whatever the change log says', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlaces, async (given) => {
        const { counts } = await checkSample(group, storesOf(heldOf(given)), planOf());
        const all = Object.values(given);
        const some = (is: (table: number | null, online: number | null) => boolean) =>
          all.filter(({ table, online }) => is(table, online)).length;
        expect(counts).toMatchObject({
          compared: some((table) => table !== null),
          listed: some((_, online) => online !== null),
          missing: some((table, online) => table !== null && online === null),
          extra: some((table, online) => table === null && online !== null),
          differing: some((table, online) => table !== null && online !== null && table !== online),
        });
      }),
      { numRuns: 50 },
    );
  });

  it('compares and lists no more than its sample, and goes on next time with what is online', async () => {
    const stores = storesOf(heldOf(places('abcdefghij', { table: null, online: 1 })));
    const extra: number[] = [];
    let listAfter: string | null = null;
    do {
      const checked = await checkSample(group, stores, planOf({ records: 4, listAfter }));
      extra.push(checked.counts.extra);
      listAfter = checked.listAfter;
    } while (listAfter !== null);
    // Pages have three records.
    expect(extra).toEqual([6, 4]);
    const table = storesOf(heldOf(places('abcdefghij', { table: 1, online: null })));
    expect((await checkSample(group, table, planOf({ records: 4 }))).counts).toMatchObject({ compared: 4, missing: 4 });
  });

  it('begins the list anew where its place is refused, and fails where the list fails', async () => {
    const stores = storesOf(heldOf(places('ab', { table: null, online: 1 })));
    const refusing = (name: string): Pick<Stores, 'table' | 'online'> => ({
      ...stores,
      online: {
        ...stores.online,
        page: async (after) => {
          if (after === undefined) return stores.online.page(undefined);
          throw Object.assign(new Error('no such token'), { name });
        },
      },
    });
    const plan = planOf({ listAfter: 'of yesterday' });
    expect((await checkSample(group, refusing('ValidationError'), plan)).counts.extra).toBe(2);
    await expect(checkSample(group, refusing('AccessForbidden'), plan)).rejects.toThrow('no such token');
  });

  it('stops reading when its time is up, and says of how many records it speaks', async () => {
    const stores = storesOf(heldOf(places('abcdefghij', { table: 1, online: 1 })));
    const { counts } = await checkSample(group, stores, planOf({ readUntilMs: 0 }));
    expect(counts).toMatchObject({ compared: 3, listed: 3 });
  });

  it('says nothing of changes that are on their way', async () => {
    const stores = storesOf(heldOf(places('ab', { table: 2, online: 1 })));
    const { counts } = await checkSample(group, stores, planOf({ lagMs: async () => 3_600_000 }));
    expect([driftedOf(counts), counts.late]).toEqual([0, 2]);
  });

  it('does not take what the definition refuses, or knows only since later, for a difference', async () => {
    const features = columnsOf(group);
    const isYounger = features.map(({ feature }) => feature !== 'label' && (feature.since ?? 1) > 1);
    expect(isYounger).toContain(true);
    const younger = { ...item('a', 1), texts: features.map(({ name }) => `${name} 1`) };
    const wrong: TableRecord = { id: 'b', texts: undefined, rejection: 'wrong-type at dynamodb.NewImage.note' };
    const held = heldOf(places('ab', { table: null, online: 1 }));
    const table = () => new Map([younger, wrong].map((it) => [it.id ?? '', it]));
    const { counts } = await checkSample(group, storesOf({ ...held, table }), planOf());
    expect([driftedOf(counts), counts.younger, counts.wrong]).toEqual([0, 1, 1]);
  });

  it('holds what the definition keeps of items that are gone for no difference', async () => {
    const stores = storesOf(heldOf(places('ab', { table: null, online: 1 })));
    const { counts } = await checkSample({ ...group, onDelete: 'keep' }, stores, planOf());
    expect([driftedOf(counts), counts.listed]).toEqual([0, 0]);
  });
});
