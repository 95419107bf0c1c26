import { describe, expect, test } from 'vitest';
import { replayEvents } from '../../../infra/replay/replay-events.ts';
import { streamOf } from '../../../infra/replay/stream-records.ts';
import { oneOf } from '../../../shared/feature-groups/define.ts';
import { things } from '../../given/table-world.ts';

const group = things();
const thing = (v: number | string, more: object = {}) => ({ id: 'A', v, ...more });

describe('events that are replayed', () => {
  test('leave the last state of each record online, all of its changes in the change log, and its label', async () => {
    const stream = streamOf(group);
    const { counts, online, rows, labels, rejections } = await replayEvents(group, [
      [stream.insert(thing(1)), stream.modify(thing(1), thing(2, { y: 1 }))],
      stream.insert({ id: 'B', v: 9 }),
    ]);
    expect(counts).toMatchObject({ recordsIn: 3, delivered: 2, superseded: 1, quarantined: 0, labelEvents: 1 });
    expect(Object.fromEntries(online)).toEqual({
      A: { id: 'A', event_time: '2026-01-01T00:00:01.000Z', v: '2', y: '1' },
      B: { id: 'B', event_time: '2026-01-01T00:00:02.000Z', v: '9' },
    });
    expect(rows.map((row) => row.split(',').slice(1, 6).join())).toEqual([
      'INSERT,2026-01-01T00:00:00.000Z,false,A,1',
      'MODIFY,2026-01-01T00:00:01.000Z,false,A,2',
      'INSERT,2026-01-01T00:00:02.000Z,false,B,9',
    ]);
    expect(labels).toEqual([{ recordIdentifier: 'A', label: '1', epoch: 1 }]);
    expect(rejections).toEqual([]);
  });

  test('lead to the same when they are replayed again, and when one of them is delivered twice', async () => {
    const stream = streamOf(group);
    const events = [[stream.insert(thing(1)), stream.modify(thing(1), thing(2))], [stream.modify(thing(2), thing(3))]];
    const once = await replayEvents(group, events);
    expect(await replayEvents(group, events)).toEqual(once);
    const twice = await replayEvents(group, [events[0], events[1], events[1]]);
    expect(twice.online).toEqual(once.online);
    expect(new Set(twice.rows)).toEqual(new Set(once.rows));
  });

  test('take a removed record away, and by what the definition says an expired one', async () => {
    const keeping = things({ onTtlExpiry: 'keep' });
    const stream = streamOf(keeping);
    const { counts, online } = await replayEvents(keeping, [
      [stream.insert(thing(1)), stream.insert({ id: 'B', v: 2 })],
      [stream.remove(thing(1)), stream.expire({ id: 'B', v: 2 })],
    ]);
    expect([...online.keys()]).toEqual(['B']);
    expect(counts).toMatchObject({ recordsIn: 4, delivered: 3, deleted: 1 });
  });

  test('of a definition without a label have no label, whatever their items have', async () => {
    const unlabeled = things({ label: undefined });
    const stream = streamOf(unlabeled);
    const { counts, online, rows, labels } = await replayEvents(unlabeled, [stream.insert(thing(1, { y: 1 }))]);
    expect(Object.fromEntries(online)).toEqual({ A: { id: 'A', event_time: '2026-01-01T00:00:00.000Z', v: '1' } });
    expect(rows.map((row) => row.split(',').slice(4).join())).toEqual(['A,1,\\N']);
    expect({ labels, events: counts.labelEvents }).toEqual({ labels: [], events: 0 });
  });

  test('keep a wrong record aside, whole, with its reason, and skip items of others', async () => {
    const some = things({ items: { kind: oneOf(['thing']) } });
    const stream = streamOf(some);
    const wrong = stream.insert(thing('many', { kind: 'thing' }));
    const { counts, rejections } = await replayEvents(some, [wrong, stream.insert(thing(1, { kind: 'other' }))]);
    expect(counts).toMatchObject({ recordsIn: 2, quarantined: 1, skipped: 1 });
    expect(rejections).toEqual([
      expect.objectContaining({ reason: 'wrong-type', path: 'dynamodb.NewImage.v', record: wrong }),
    ]);
  });

  test('are refused by their place when they are none', async () => {
    await expect(replayEvents(group, [streamOf(group).insert(thing(1)), { Records: [5] }])).rejects.toThrow(
      'event 1: found 5, expected a Lambda event',
    );
  });
});

describe('a stream for tests', () => {
  test('numbers its records and dates them a second apart, from a fixed day, unless it is told when', () => {
    const stream = streamOf(group);
    const of = (record: object) => {
      const { SequenceNumber, ApproximateCreationDateTime } = (record as { dynamodb: Record<string, unknown> })
        .dynamodb;
      return [SequenceNumber, ApproximateCreationDateTime];
    };
    const at = new Date('2026-05-01T12:00:00.900Z');
    expect([stream.insert(thing(1)), stream.remove(thing(1), { at }), stream.insert(thing(2))].map(of)).toEqual([
      ['100000000000000000001', 1_767_225_600],
      ['100000000000000000002', 1_777_636_800],
      ['100000000000000000003', 1_777_636_801],
    ]);
  });

  test('writes items as the stream has them: absent is no attribute, bytes are base64', () => {
    const item = thing(1.5, { note: undefined, raw: new Uint8Array([0, 1, 42, 65]), tags: new Set(['a']) });
    expect(streamOf(group).insert(item)).toMatchObject({
      eventName: 'INSERT',
      dynamodb: {
        Keys: { id: { S: 'A' } },
        NewImage: { id: { S: 'A' }, v: { N: '1.5' }, raw: { B: 'AAEqQQ==' }, tags: { SS: ['a'] } },
      },
    });
  });

  test('refuses an item without its key, and a change of it', () => {
    const stream = streamOf(group);
    expect(() => stream.insert({ v: 1 })).toThrow('The item lacks id, which is a key attribute of things.');
    expect(() => stream.modify(thing(1), { id: 'B', v: 1 })).toThrow("An item's key cannot be modified");
  });
});
