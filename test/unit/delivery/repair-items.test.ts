import { describe, expect, test } from 'vitest';
import { fractional } from '../../../shared/feature-groups/define.ts';
import { TableWorld, thing, thingRecord, things } from '../../given/table-world.ts';

/** Records that are other than their items though nothing of them waits. */

const labels = ({ dynamodb }: TableWorld) => [...dynamodb.state.keys()].filter((pk) => pk.startsWith('label#'));
const item = (id: string, more: object = {}) => ({
  ...{ id, keys: { id: { S: id } }, knownMs: 0, sequenceNumber: '0' },
  ...more,
});

describe('a repair of records of which nothing waits', () => {
  test('makes of both stores what the items are, and counts a label that nobody has counted, once', async () => {
    const world = new TableWorld();
    const labeled = thing('B', 5, { y: { N: '1' } });
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.items.set('A', thing('A', 2)).set('B', labeled);
    world.second = 600;
    const knownMs = 1_760_000_000_000;
    expect(await world.repair(item('A', { knownMs, sequenceNumber: '1' }), item('B'))).toEqual({ unrepaired: [] });
    expect(['A', 'B'].map((id) => [world.online(id), world.latest(id)])).toEqual([
      ['2', '2'],
      ['5', '5'],
    ]);
    expect(labels(world)).toHaveLength(1);
    world.second = 700;
    await world.repair(item('B'));
    expect(labels(world)).toHaveLength(1);
  });

  test.each([
    ['one of several classes', { classes: ['low', 'middle', 'high'] }, { S: 'high' }, '2'],
    ['a number', fractional(), { N: '12.5' }, '12.5'],
  ] as const)('counts a label that is %s', async (_, label, y, counted) => {
    const world = new TableWorld(things({ label: { name: 'y', ...label } }));
    world.items.set('A', thing('A', 1, { y }));
    world.second = 600;
    expect(await world.repair(item('A'))).toEqual({ unrepaired: [] });
    expect(labels(world).map((pk) => world.dynamodb.state.get(pk)?.label)).toEqual([{ S: counted }]);
  });

  test('takes a record out of both stores whose item is gone', async () => {
    const world = new TableWorld();
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.second = 600;
    await world.repair(item('A', { knownMs: 1_760_000_000_000, sequenceNumber: '1' }));
    expect([world.online('A'), world.latest('A')]).toEqual(['gone', undefined]);
  });

  test('says of a record whose label could not be counted that it is not repaired', async () => {
    const world = new TableWorld();
    world.items.set('A', thing('A', 1, { y: { N: '0' } }));
    world.second = 600;
    for (const service of ['DynamoDB', 'Feature Store', 'Firehose']) world.callMs[service] = 1_000;
    world.fails.set('BatchExecuteStatementCommand', 'InternalServerError');
    expect(await world.repair(item('A'))).toEqual({
      unrepaired: [{ id: 'A', reason: expect.stringMatching(/InternalServerError/) }],
    });
  });

  test('refuses what is no record to be repaired, and does nothing', async () => {
    const world = new TableWorld();
    await expect(async () => world.repair(item('A', { sequenceNumber: '-1' }))).rejects.toThrow(
      'items are not up to 100 records to be repaired; nothing was done',
    );
    expect(world.calls).toEqual([]);
  });
});
