import { describe, expect, test } from 'vitest';
import { fractional } from '../../../shared/feature-groups/define.ts';
import { TableWorld, thing, thingRecord, things } from '../../given/table-world.ts';

describe('what the definition keeps', () => {
  test('an old record in quarantine does not delete an item that expired since, and is kept', async () => {
    const world = new TableWorld(things({ onTtlExpiry: 'keep' }));
    const wrong = thingRecord('MODIFY', 2, 1, { after: thing('A', 'oops'), before: thing('A', 1) });
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    await world.ingest(wrong, thingRecord('MODIFY', 3, 5, { after: thing('A', 3), before: thing('A', 'oops') }));
    await world.ingest(thingRecord('REMOVE', 4, 100, { before: thing('A', 3), ttl: true }));
    world.second = 1_000;
    expect((await world.redrive()).waiting).toEqual([]);
    expect([world.online('A'), world.latest('A')]).toEqual(['3', '3']);
  });

  test('what was given up on is made true when its item expired since, unless the record has gone past it', async () => {
    const world = new TableWorld(things({ onTtlExpiry: 'keep' }));
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.discard('1', thingRecord('MODIFY', 2, 1, { after: thing('A', 2), before: thing('A', 1) }));
    await world.ingest(thingRecord('REMOVE', 3, 100, { before: thing('A', 2), ttl: true }));
    world.second = 1_000;
    await world.redrive();
    expect([world.online('A'), world.latest('A')]).toEqual(['2', '2']);
  });

  test('records that an object holds out of order are made true in the order of the stream', async () => {
    const world = new TableWorld(things({ onTtlExpiry: 'keep' }));
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    const earlier = thingRecord('MODIFY', 2, 1, { after: thing('A', 2), before: thing('A', 1) });
    const later = thingRecord('MODIFY', 3, 100, { after: thing('A', 3), before: thing('A', 2) });
    world.discard('1', later, earlier);
    await world.ingest(thingRecord('REMOVE', 4, 200, { before: thing('A', 3), ttl: true }));
    world.second = 1_000;
    await world.redrive();
    expect([world.online('A'), world.latest('A')]).toEqual(['3', '3']);
  });

  test('what was made true again is not undone by an older change of a later second that turns up afterwards', async () => {
    const world = new TableWorld(things({ onTtlExpiry: 'keep' }));
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.discard('1', thingRecord('MODIFY', 3, 10, { after: thing('A', 3), before: thing('A', 2) }));
    await world.ingest(thingRecord('REMOVE', 4, 100, { before: thing('A', 3), ttl: true }));
    world.second = 1_000;
    await world.redrive();
    world.discard('2', thingRecord('MODIFY', 2, 11, { after: thing('A', 2), before: thing('A', 1) }));
    await world.redrive();
    expect([world.online('A'), world.latest('A')]).toEqual(['3', '3']);
  });

  test.each(['the stream', 'the item'])(
    'by the times of %s, a deletion that was delivered is not undone',
    async (from) => {
      const own = from === 'the item';
      const at = (v: number, ms: number) => thing('A', v, own ? { at: { N: String(1_760_000_000 + ms) } } : {});
      const world = new TableWorld(things({ onTtlExpiry: 'keep', ...(own && { eventTime: { attribute: 'at' } }) }));
      await world.ingest(thingRecord('INSERT', 1, 0, { after: at(1, 0) }));
      world.discard('1', thingRecord('MODIFY', 2, 1, { after: at(2, 3_600), before: at(1, 0) }));
      await world.ingest(thingRecord('REMOVE', 3, 100, { before: at(2, 3_600) }));
      world.second = 1_000;
      await world.redrive();
      expect([world.online('A'), world.latest('A')]).toEqual(['gone', undefined]);
    },
  );
});

describe('a repair', () => {
  test('is one in both stores, where the clock has stepped back over a batch that was given up on', async () => {
    const world = new TableWorld();
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.discard('1', thingRecord('MODIFY', 2, 61, { after: thing('A', 2), before: thing('A', 1) }));
    await world.ingest(thingRecord('MODIFY', 3, 60, { after: thing('A', 3), before: thing('A', 2) }));
    world.items.set('A', thing('A', 3));
    world.second = 600;
    expect(await world.redrive()).toMatchObject({ waiting: [] });
    expect([world.online('A'), world.latest('A')]).toEqual(['3', '3']);
    expect(world.rows.at(-1)).toMatch(/^3,REPAIR,2025-10-09T09:03:09\.999Z,false,A,3/);
  });

  test('is one in both stores, where items bring times of their own', async () => {
    const at = (v: number, ms: number) => thing('A', v, { at: { N: String(1_760_000_000 + ms) } });
    const world = new TableWorld(things({ eventTime: { attribute: 'at' } }));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: at(1, 3_600) }));
    await world.ingest(thingRecord('MODIFY', 2, 1, { after: at(2, 0), before: at(1, 3_600) }));
    world.items.set('A', at(2, 0));
    world.second = 600;
    await world.redrive();
    expect([world.online('A'), world.latest('A')]).toEqual(['2', '2']);
  });

  test('of an item that is gone takes it out of both', async () => {
    const world = new TableWorld();
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.discard('1', thingRecord('REMOVE', 2, 1, { before: thing('A', 1) }));
    world.second = 600;
    await world.redrive();
    expect([world.online('A'), world.latest('A')]).toEqual(['gone', undefined]);
  });

  test('waits as long as it could not be dated later than what is online', async () => {
    const world = new TableWorld();
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.items.set('A', thing('A', 2));
    world.discard('1', thingRecord('MODIFY', 2, -1, { after: thing('A', 2), before: thing('A', 1) }));
    world.second = 10.2;
    expect((await world.redrive()).waiting[0]?.reason).toMatch(/later event time: try again shortly/);
    world.second = 12.2;
    expect(await world.redrive()).toMatchObject({ redriven: ['aws/lambda/1'], waiting: [] });
    expect(world.online('A')).toBe('2');
  });

  test('is dated after more than a thousand changes of a second', async () => {
    const world = new TableWorld();
    const changes = Array.from({ length: 1_005 }, (_, n) =>
      thingRecord('MODIFY', 10 + n, 0, { after: thing('A', n), before: thing('A', n - 1) }),
    );
    await world.ingest(...changes);
    world.items.set('A', thing('A', 5_000));
    world.discard('1', thingRecord('MODIFY', 2_000, 0, { after: thing('A', 5_000), before: thing('A', 1_004) }));
    world.second = 11.2;
    expect((await world.redrive()).waiting).toHaveLength(1);
    world.second = 12.2;
    await world.redrive();
    expect([world.online('A'), world.latest('A')]).toEqual(['5000', '5000']);
  });
});

describe('what could not be done', () => {
  const labeled = () => thing('A', 7, { y: { N: '1' } });
  test.each([
    ['a fence', 'UpdateItemCommand', /no time left$/],
    ['a label', 'BatchExecuteStatementCommand', /^label-ledger: /],
    ['a row', 'PutRecordBatchCommand', /no time left$/],
    ['a write to the online store', 'BatchWriteRecordCommand', /^feature-store: /],
  ])('is not said to be done, and goes on waiting: %s', async (_, command, reason) => {
    const world = new TableWorld();
    world.items.set('A', labeled());
    world.discard('1', thingRecord('INSERT', 1, 0, { after: labeled() }));
    world.second = 600;
    world.fails.set(command, 'InternalServerError');
    for (const service of ['DynamoDB', 'Feature Store', 'Firehose']) world.callMs[service] = 100;
    expect(await world.redrive({ action: 'redrive' }, 30_000)).toMatchObject({
      redriven: [],
      waiting: [{ key: 'aws/lambda/1', reason: expect.stringMatching(reason) }],
    });
    world.fails.clear();
    world.second += 60;
    expect(await world.redrive()).toMatchObject({ redriven: ['aws/lambda/1'], waiting: [] });
    expect([world.online('A'), world.latest('A')]).toEqual(['7', '7']);
  });

  test('is told of a record that Feature Store refuses', async () => {
    const world = new TableWorld();
    world.items.set('A', thing('A', 7));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: thing('A', 7) }));
    world.second = 600;
    world.fails.set('BatchWriteRecordCommand', 'ValidationException');
    expect(await world.redrive()).toMatchObject({
      redriven: [],
      waiting: [{ reason: 'Feature Store refused the record: ValidationException.' }],
    });
  });

  test('is not begun while the change that mended the item may still be in the stream', async () => {
    const world = new TableWorld();
    await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 'wrong') }));
    world.items.set('A', thing('A', 7));
    world.second = 5;
    expect((await world.redrive()).waiting).toMatchObject([
      { reason: 'it is younger than 10 seconds: try again shortly' },
    ]);
    expect(world.online('A')).toBeUndefined();
  });

  test('is not written over a change that came between, where items bring times of their own', async () => {
    const at = (v: number, ms: number) => thing('A', v, { at: { N: String(1_760_000_000 + ms) } });
    const world = new TableWorld(things({ eventTime: { attribute: 'at' } }));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: at(1, 0) }));
    world.items.set('A', at(1, 0));
    world.second = 600;
    // The third reading of fences is that of what redrive has moved them to.
    const { handle } = world.dynamodb;
    let readings = 0;
    world.dynamodb.handle = (operation, ...rest) => {
      if (operation !== 'BatchGetItemCommand' || ++readings !== 3) {
        return handle.call(world.dynamodb, operation, ...rest);
      }
      return world
        .ingest(thingRecord('MODIFY', 2, 599, { after: at(2, 599), before: at(1, 0) }))
        .then(() => handle.call(world.dynamodb, operation, ...rest));
    };
    expect((await world.redrive()).waiting).toMatchObject([
      { reason: 'the record is changing just now: try again shortly' },
    ]);
    expect([world.online('A'), world.latest('A')]).toEqual(['2', '2']);
  });
});

describe('what was redriven', () => {
  test('leaves a fence, behind which a later change of the same second is dated', async () => {
    const world = new TableWorld();
    world.items.set('A', thing('A', 2));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: thing('A', 1) }));
    world.second = 600;
    await world.redrive();
    await world.ingest(thingRecord('MODIFY', 2, 0, { after: thing('A', 2), before: thing('A', 1) }));
    expect(world.rows.at(-1)).toMatch(/^2,MODIFY,2025-10-09T08:53:20\.001Z,/);
  });

  test('is online as the stream would have brought it, binary as base64', async () => {
    const world = new TableWorld();
    const note = { B: new Uint8Array([0, 1, 42, 65]) } as never;
    world.items.set('A', thing('A', 7, { note }));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: thing('A', 7) }));
    world.second = 600;
    await world.redrive();
    expect(world.featureStore.records.get('A')?.features?.get('note')).toBe('AAEqQQ==');
  });
});

describe('what waits', () => {
  test('is of this group: what others have in the bucket is left alone', async () => {
    const world = new TableWorld();
    world.items.set('A', thing('A', 7));
    const record = thingRecord('INSERT', 1, 0, { after: thing('A', 7) });
    const kept = JSON.stringify({ reason: 'wrong-type', path: 'p', message: 'm', record });
    world.bucket.put('quarantine/others/1.json', `${kept}\n`);
    world.second = 600;
    expect(await world.redrive()).toEqual({ redriven: [], waiting: [] });
    expect(world.bucket.objects.size).toBe(1);
  });

  test('is begun with batches that were given up on, however many records wait for a person', async () => {
    const world = new TableWorld();
    for (let n = 0; n < 1_000; n += 1) {
      world.items.set(`bad${n}`, thing(`bad${n}`, 'wrong'));
      const record = thingRecord('INSERT', 1_000 + n, 0, { after: thing(`bad${n}`, 'wrong') });
      world.bucket.put(
        `quarantine/things/${1_000 + n}.json`,
        `${JSON.stringify({ reason: 'wrong-type', path: 'p', message: 'm', record })}\n`,
      );
    }
    world.items.set('A', thing('A', 7));
    world.discard('1', thingRecord('INSERT', 9_000, 0, { after: thing('A', 7) }));
    world.second = 600;
    const { redriven, waiting, next } = await world.redrive();
    expect([redriven, waiting.length, world.online('A')]).toEqual([['aws/lambda/1'], 999, '7']);
    expect((await world.redrive({ action: 'redrive', after: next as string })).waiting).toHaveLength(1);
  });

  test('of a large batch is done a part at a time: what is right leaves its object', async () => {
    const world = new TableWorld();
    world.callMs['Feature Store'] = 140;
    world.callMs.DynamoDB = 15;
    const records = Array.from({ length: 6_000 }, (_, n) => {
      world.items.set(`i${n}`, thing(`i${n}`, n));
      return thingRecord('INSERT', 10_000 + n, 0, { after: thing(`i${n}`, n) });
    });
    world.discard('1', ...records);
    world.second = 5_000;
    const first = await world.redrive({ action: 'redrive' }, 20_000);
    expect(first.redriven).toEqual([]);
    expect(first.waiting[0]?.records).toBeLessThan(6_000);
    for (let round = 0; round < 10 && world.bucket.objects.size > 0; round += 1) {
      await world.redrive({ action: 'redrive' }, 60_000);
    }
    expect([world.bucket.objects.size, world.featureStore.records.size]).toEqual([0, 6_000]);
  });

  test('is not held up by one of its batch that is still wrong, which alone goes on waiting', async () => {
    const world = new TableWorld();
    world.items.set('A', thing('A', 'wrong'));
    world.items.set('B', thing('B', 2));
    world.discard(
      '1',
      thingRecord('INSERT', 1, 0, { after: thing('A', 'wrong') }),
      thingRecord('INSERT', 2, 0, { after: thing('B', 2) }),
    );
    world.second = 600;
    expect((await world.redrive()).waiting).toMatchObject([{ key: 'aws/lambda/1', records: 1 }]);
    expect(world.online('B')).toBe('2');
    const { payload } = JSON.parse(world.bucket.objects.get('aws/lambda/1') as string);
    expect(
      JSON.parse(payload).Records.map((it: { dynamodb: { SequenceNumber: string } }) => it.dynamodb.SequenceNumber),
    ).toEqual(['1']);
  });

  test('is left as it is where another redrive was at the object meanwhile', async () => {
    const world = new TableWorld();
    world.items.set('A', thing('A', 'wrong'));
    world.items.set('B', thing('B', 2));
    const records = [
      thingRecord('INSERT', 1, 0, { after: thing('A', 'wrong') }),
      thingRecord('INSERT', 2, 0, { after: thing('B', 2) }),
    ];
    world.discard('1', ...records);
    world.second = 600;
    const { handle } = world.featureStore;
    world.featureStore.handle = (...call) => {
      world.bucket.objects.delete('aws/lambda/1');
      return handle.apply(world.featureStore, call);
    };
    await world.redrive();
    expect(world.bucket.objects.size).toBe(0);
  });

  test('is not touched by an action that redrive does not know, or a limit that is none', async () => {
    const world = new TableWorld();
    world.items.set('A', thing('A', 7));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: thing('A', 7) }));
    world.second = 600;
    for (const request of [
      { action: 'dry-run' },
      { action: 'LIST' },
      { action: null },
      { action: 'redrive', limit: 0 },
    ]) {
      await expect(world.redrive(request as never)).rejects.toThrow(/nothing was done$/);
    }
    expect(world.bucket.objects.size).toBe(1);
    expect((await world.redrive({})).waiting).toMatchObject([
      { records: 1, reason: 'Lambda gave up: RetryAttemptsExhausted' },
    ]);
  });

  test('is not quoted where it cannot be read', async () => {
    const world = new TableWorld();
    world.bucket.put('aws/lambda/1', JSON.stringify({ payload: '{"Records":[{"name": Jane Roe' }));
    const { waiting } = await world.redrive();
    expect(JSON.stringify(waiting)).not.toContain('Jane');
  });
});

describe('a wrong label', () => {
  const labeled = (v: number, y: string) => thing('A', v, { y: { S: y } });

  test('is quarantined apart from its features, which are delivered, and is one fate of the record', async () => {
    const world = new TableWorld();
    const { counts, rejections } = await world.ingest(
      thingRecord('INSERT', 1, 0, { after: labeled(1, 'yes') }),
      thingRecord('INSERT', 2, 0, { after: thing('B', 2) }),
    );
    expect(counts).toMatchObject({ recordsIn: 2, delivered: 1, quarantined: 1, labelEvents: 0, failed: 0 });
    expect(rejections).toMatchObject([{ reason: 'invalid-label', path: 'dynamodb.NewImage.y' }]);
    expect([world.online('A'), world.latest('A'), world.bucket.objects.size]).toEqual(['1', '1', 1]);
  });

  test('waits until the item has a right one, and the item that a batch took with it is repaired meanwhile', async () => {
    const world = new TableWorld();
    world.discard('1', thingRecord('INSERT', 1, 0, { after: labeled(1, 'yes') }));
    world.items.set('A', labeled(1, 'yes'));
    world.second = 600;
    const { waiting } = await world.redrive();
    expect(waiting).toMatchObject([{ reason: expect.stringContaining('its label is still wrong') }]);
    expect([world.online('A'), world.latest('A')]).toEqual(['1', '1']);
    world.items.set('A', thing('A', 1, { y: { N: '1' } }));
    await world.ingest(
      thingRecord('MODIFY', 2, 601, { after: thing('A', 1, { y: { N: '1' } }), before: labeled(1, 'yes') }),
    );
    world.second = 1_200;
    expect((await world.redrive()).waiting).toEqual([]);
    expect([...world.dynamodb.state.keys()].filter((pk) => pk.startsWith('label#'))).toHaveLength(1);
  });

  test('that the definition takes now is counted by a redrive', async () => {
    const world = new TableWorld(things({ label: { name: 'y', values: { 0: ['no'], 1: ['yes'] } } }));
    world.discard('1', thingRecord('INSERT', 1, 0, { after: labeled(1, 'yes') }));
    world.items.set('A', labeled(1, 'yes'));
    world.second = 600;
    expect((await world.redrive()).waiting).toEqual([]);
    expect([...world.dynamodb.state.keys()].filter((pk) => pk.startsWith('label#'))).toHaveLength(1);
  });
});

test.each([
  ['one of several classes', { classes: ['low', 'middle', 'high'] }, { S: 'high' }, '2'],
  ['a number', fractional(), { N: '12.5' }, '12.5'],
] as const)('a label that is %s is counted of a record that is wrong elsewhere', async (_, label, y, counted) => {
  const world = new TableWorld(things({ label: { name: 'y', ...label } }));
  await world.ingest(thingRecord('INSERT', 1, 0, { after: thing('A', 'oops', { y }) }));
  world.items.set('A', thing('A', 1, { y }));
  world.second = 600;
  expect((await world.redrive()).waiting).toEqual([]);
  const found = [...world.dynamodb.state].filter(([pk]) => pk.startsWith('label#'));
  expect(found.map(([, item]) => item.label)).toEqual([{ S: counted }]);
});
