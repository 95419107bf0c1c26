import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterPatterns } from '../../../infra/aws/functions/event-filter.ts';
import { filterOf } from '../../../infra/local/event-source-mapping/filter-pattern.ts';
import { equals, startsWith } from '../../../shared/feature-groups/define.ts';
import { TableWorld, thing, thingRecord, things } from '../../given/table-world.ts';
import type { Item } from '../../simulation/aws/expression.ts';

const items = { kind: equals('order') };
const order = (id: string, v: number | string, more: Item = {}) => thing(id, v, { kind: { S: 'order' }, ...more });
const profile = (id: string) => thing(id, 'Jane', { kind: { S: 'profile' } });

describe('items that are no records', () => {
  test('are counted as skipped, have no effect, and move the watermark on', async () => {
    const world = new TableWorld(things({ items }));
    const outcome = await world.ingest(
      thingRecord('INSERT', 1, 0, { after: order('A', 1) }),
      thingRecord('INSERT', 2, 1, { after: profile('B') }),
      thingRecord('REMOVE', 3, 9, { before: profile('B') }),
    );
    expect(outcome.counts).toMatchObject({ recordsIn: 3, delivered: 1, skipped: 2, quarantined: 0, failed: 0 });
    expect(outcome.completeThrough).toBe(1_760_000_009 - 2);
    expect([world.online('A'), world.online('B'), world.rows.length]).toEqual(['1', undefined, 1]);
  });

  test('that were one go, and come again, in one batch and when it is delivered again', async () => {
    const world = new TableWorld(things({ items }));
    const batch = [
      thingRecord('INSERT', 1, 0, { after: order('A', 1) }),
      thingRecord('MODIFY', 2, 0, { after: profile('A'), before: order('A', 1) }),
      thingRecord('MODIFY', 3, 0, { after: order('A', 3), before: profile('A') }),
      thingRecord('MODIFY', 4, 0, { after: profile('A'), before: order('A', 3) }),
    ];
    const { counts } = await world.ingest(...batch);
    expect(counts).toMatchObject({ recordsIn: 4, superseded: 3, deleted: 1, skipped: 0 });
    await world.ingest(...batch.slice(0, 3));
    expect([world.online('A'), world.latest('A')]).toEqual(['gone', undefined]);
    await world.ingest(thingRecord('MODIFY', 5, 0, { after: order('A', 5), before: profile('A') }));
    expect([world.online('A'), world.latest('A')]).toEqual(['5', '5']);
  });

  test('keep their record where the definition keeps what is deleted', async () => {
    const world = new TableWorld(things({ items, onDelete: 'keep' }));
    await world.ingest(thingRecord('INSERT', 1, 0, { after: order('A', 1) }));
    await world.ingest(thingRecord('MODIFY', 2, 1, { after: profile('A'), before: order('A', 1) }));
    expect([world.online('A'), world.latest('A')]).toEqual(['1', '1']);
  });
});

describe('redrive', () => {
  test('takes away what waits of items that are no records, and owes them nothing', async () => {
    const world = new TableWorld(things({ items }));
    world.items.set('B', profile('B'));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: profile('B') }));
    world.second = 600;
    expect(await world.redrive()).toMatchObject({ redriven: ['aws/lambda/1'], waiting: [] });
    expect([world.online('B'), world.rows]).toEqual([undefined, []]);
  });

  test.each([false, true])('of an item that is no record any more takes it out of both stores', async (isThere) => {
    const world = new TableWorld(things({ items }));
    await world.ingest(thingRecord('INSERT', 1, 0, { after: order('A', 1) }));
    world.discard('1', thingRecord('MODIFY', 2, 1, { after: order('A', 2), before: order('A', 1) }));
    if (isThere) world.items.set('A', profile('A'));
    world.second = 600;
    expect(await world.redrive()).toMatchObject({ waiting: [] });
    expect([world.online('A'), world.latest('A')]).toEqual(['gone', undefined]);
    expect(world.rows.at(-1)).toMatch(/^2,REPAIR_REMOVE/);
  });

  test('counts the label of a wrong record that became one with it', async () => {
    const world = new TableWorld(things({ items }));
    const labeled = { y: { N: '1' } };
    const before = { ...profile('A'), ...labeled };
    await world.ingest(thingRecord('MODIFY', 1, 0, { after: order('A', 'oops', labeled), before }));
    world.items.set('A', order('A', 1, labeled));
    world.second = 600;
    await world.redrive();
    expect([...world.dynamodb.state.keys()].filter((pk) => pk.startsWith('label#'))).toHaveLength(1);
  });
});

/** A history of a few items, each an order or not at any time. */
const histories = fc.array(
  fc.record({
    id: fc.constantFrom('A', 'B', 'C'),
    kind: fc.constantFrom('order', 'profile', undefined, 'orders'),
    sk: fc.constantFrom('ORDER#1', 'ORDER', 'PROFILE#1'),
    v: fc.oneof(fc.nat(9), fc.constant('oops')),
    label: fc.constantFrom(undefined, '0', '1'),
    removed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

test('a mapping with the event filter and one without end in the same state', async () => {
  const group = things({ items: { kind: equals('order'), sk: startsWith('ORDER#') } });
  const passes = filterOf(filterPatterns(group));
  let dropped = 0;
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const table = new Map<string, Item>();
      const records = history.map(({ id, kind, sk, v, label, removed }, index) => {
        const before = table.get(id);
        const after = thing(id, v, {
          sk: { S: sk },
          ...(kind !== undefined && { kind: { S: kind } }),
          ...(label !== undefined && { y: { N: label } }),
        });
        const gone = removed && before !== undefined;
        if (gone) table.delete(id);
        else table.set(id, after);
        const images = { ...(!gone && { after }), ...(before && { before }) };
        return thingRecord(gone ? 'REMOVE' : before ? 'MODIFY' : 'INSERT', index + 1, Math.floor(index / 3), images);
      });
      const passed = records.filter(passes);
      dropped += records.length - passed.length;
      const states = await Promise.all([records, passed].map((it) => stateAfter(group, it)));
      expect(states[1]).toEqual(states[0]);
    }),
    { numRuns: 200 },
  );
  expect(dropped).toBeGreaterThan(100);
});

async function stateAfter(group: ReturnType<typeof things>, records: readonly object[]) {
  const world = new TableWorld(group);
  const outcome = records.length > 0 ? await world.ingest(...records) : undefined;
  const { skipped: _, recordsIn: __, ...counts } = outcome?.counts ?? { skipped: 0, recordsIn: 0 };
  const state = [...world.dynamodb.state].filter(([pk]) => pk.startsWith('label#'));
  const fates = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return {
    online: [...world.featureStore.records].map(([id, { features }]) => [id, features && [...features]]),
    ...{ rows: world.rows, labels: state, quarantine: [...world.bucket.objects.values()], fates },
  };
}
