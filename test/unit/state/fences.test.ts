import {
  BatchExecuteStatementCommand,
  type DynamoDBClient,
  type PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TimedChange } from '../../../shared/changes/change.ts';
import type { Fences } from '../../../shared/state/fences/fences.ts';
import { fencesIn } from '../../../shared/state/fences/forms.ts';
import { fenceItems } from '../../../shared/state/fences/items.ts';
import { fencePages } from '../../../shared/state/fences/pages.ts';
import { FIRST_SECOND, timedChange } from '../../given/builders.ts';
import { pace } from '../../given/pace.ts';
import { stateTableInProcess } from '../../given/state-table.ts';

/** Fences in each form, in the embedded DynamoDB. */

let table: Awaited<ReturnType<typeof stateTableInProcess>>;
beforeAll(async () => {
  table = await stateTableInProcess();
});
afterAll(() => table.close());

const patient = pace({ now: Date.now, deadline: Date.now() + 60_000 });
let second = FIRST_SECOND;

/** A change of a second that no other test has. */
const at = (recordIdentifier: string, sequence: number, ms: number): TimedChange =>
  timedChange({
    ...{ recordIdentifier, second, sequenceNumber: String(sequence), eventTimeMs: second * 1_000 + ms },
  });
const leave = (fences: Fences, changes: readonly TimedChange[]) =>
  fences.write(
    changes.map((change) => ({ change })),
    new Map(),
    patient,
  );
const find = (fences: Fences, ids: readonly string[]) =>
  fences.read(
    ids.map((recordIdentifier) => ({ recordIdentifier, from: second, to: second + 3 })),
    patient,
  );

async function itemsOf(prefix: string) {
  const { Items = [] } = await table.dynamodb.send(new ScanCommand({ TableName: table.name }));
  return Items.filter(({ pk }) => pk?.S?.startsWith(prefix));
}

test('what a batch leaves in pages is found, and no page is larger than a unit of a read', async () => {
  second += 60;
  const pages = fencePages(table);
  const changes = Array.from({ length: 2_000 }, (_, n) => ({
    ...at(`r${n}`, 0, n % 1_000),
    sequenceNumber: `9${String(n).padStart(39, '0')}`,
  }));
  expect(await leave(pages, changes)).toEqual([]);
  const found = await find(
    pages,
    changes.map((it) => it.recordIdentifier),
  );
  expect(found.size).toBe(2_000);
  for (const { recordIdentifier, sequenceNumber, eventTimeMs } of changes)
    expect(found.get(recordIdentifier)).toMatchObject({ sequenceNumber, eventTimeMs, streamSecond: second });
  const sizes = (await itemsOf(`fences#${second}#`)).map((item) => JSON.stringify(item).length);
  expect(sizes.length).toBeGreaterThan(20);
  expect(Math.max(...sizes)).toBeLessThan(4_200);
});

test('pages that were written twice, or late, take nothing back', async () => {
  second += 60;
  const pages = fencePages(table);
  const [older, newer] = [[at('a', 1, 0)], [at('a', 2, 1), at('b', 3, 0)]];
  await leave(pages, older);
  await leave(pages, newer);
  await leave(pages, older);
  const found = await find(pages, ['a', 'b', 'c']);
  expect([...found.keys()].sort()).toEqual(['a', 'b']);
  expect(found.get('a')).toMatchObject({ sequenceNumber: '2', earlier: [{ sequenceNumber: '1' }] });
});

test('a version that knows both forms finds what one of either kind has left, and is found by both', async () => {
  second += 60;
  const both = fencesIn('both', table, false);
  const [items, pages] = [fencesIn('items', table, false), fencesIn('pages', table, false)];
  await leave(items, [at('x', 1, 0)]);
  await leave(pages, [at('y', 2, 0)]);
  expect([...(await find(both, ['x', 'y'])).keys()].sort()).toEqual(['x', 'y']);
  await leave(both, [at('z', 3, 0)]);
  expect([(await find(items, ['z'])).size, (await find(pages, ['z'])).size]).toEqual([1, 1]);
});

test('fences of one record go forward only, and each has the one before it as version 0.1.0 reads it', async () => {
  second += 60;
  const items = fenceItems(table, false);
  await leave(items, [at('one', 5, 5)]);
  const found = await find(items, ['one']);
  await items.write([{ change: at('one', 7, 7) }], found, patient);
  await items.write([{ change: at('one', 6, 6) }], found, patient);
  expect((await find(items, ['one'])).get('one')).toMatchObject({
    sequenceNumber: '7',
    earlier: [{ sequenceNumber: '5' }],
  });
  for (const item of await itemsOf('fence#one')) expect(item.beforeSequenceNumber?.S).toMatch(/^\d{40}$/);
});

test('a fence that was there when it was read, and has expired since, is left all the same', async () => {
  second += 60;
  const items = fenceItems(table, false);
  const found = new Map([['gone', { sequenceNumber: '1', eventTimeMs: second * 1_000, earlier: [] }]]);
  expect(await items.write([{ change: at('gone', 2, 1) }], found, patient)).toEqual([]);
  expect((await find(items, ['gone'])).get('gone')).toMatchObject({ sequenceNumber: '2' });
});

const refusals = {
  'each statement': (count: number) => ({
    Responses: Array.from({ length: count }, () => ({ Error: { Code: 'ValidationError' } })),
  }),
  'the whole call': () => {
    throw Object.assign(new Error('refused'), { name: 'ValidationException' });
  },
};
test.each(Object.entries(refusals))(
  'where a batch refuses conditions, %s, items are put one by one, each under its condition',
  async (_, refuse) => {
    second += 60;
    const calls: string[] = [];
    const send = async (command: PutItemCommand, options: object) => {
      calls.push(command.constructor.name);
      const input = command.input as unknown as { Statements?: { Statement: string }[] };
      if (!(command instanceof BatchExecuteStatementCommand) || input.Statements?.[0]?.Statement.startsWith('INSERT'))
        return table.dynamodb.send(command, options);
      return refuse(input.Statements?.length ?? 0);
    };
    const items = fenceItems({ name: table.name, dynamodb: { send } as unknown as DynamoDBClient }, false);
    const id = `p${second}`;
    await leave(items, [at(id, 1, 1)]);
    expect(await leave(items, [at(id, 3, 3)])).toEqual([]);
    expect(await leave(items, [at(id, 2, 2)])).toEqual([]);
    expect((await find(items, [id])).get(id)).toMatchObject({ sequenceNumber: '3' });
    expect(calls.filter((it) => it === 'PutItemCommand')).toHaveLength(2);
  },
);

/** A client that notes its calls, and answers what a test says. */
function tableThat(answer: (name: string, input: never) => unknown) {
  const calls: { name: string; input: Record<string, never> }[] = [];
  const send = async (command: { constructor: { name: string }; input: never }) => {
    calls.push({ name: command.constructor.name, input: command.input });
    return (await answer(command.constructor.name, command.input)) ?? {};
  };
  return { calls, table: { name: 'state', dynamodb: { send } as never } };
}
const NOW_SECONDS = FIRST_SECOND + 3_600;
const soon = pace({ now: () => NOW_SECONDS * 1_000 });

test('a fence expires after the stream’s 24 hours and one to spare, in either form; one that is kept for ever does not', async () => {
  const { table: noting, calls } = tableThat((_, { Statements = [] }: { Statements: object[] }) => ({
    Responses: Statements.map(() => ({})),
  }));
  await fenceItems(noting, false).write([{ change: at('a', 1, 0) }], new Map(), soon);
  await fencePages(noting).write([{ change: at('a', 1, 0) }], new Map(), soon);
  await fencePages(noting).write([{ change: at('a', 1, 0) }, { change: at('b', 2, 0) }], new Map(), soon);
  const expiry = JSON.stringify({ N: String(NOW_SECONDS + 25 * 3_600) });
  expect(calls.map(({ input }) => JSON.stringify(input).includes(expiry))).toEqual([true, true, true, true]);
  calls.length = 0;
  await fenceItems(noting, true).write([{ change: at('a', 1, 0) }], new Map(), soon);
  expect(JSON.stringify(calls[0]?.input)).not.toContain(String(NOW_SECONDS + 25 * 3_600));
});

test('fences are read consistently, at most 100 in a call, and what a call left is asked for again', async () => {
  const asked: { keys: number; consistent: boolean }[] = [];
  const { table: noting } = tableThat(
    (_, input: { RequestItems: Record<string, { Keys: object[]; ConsistentRead: boolean }> }) => {
      const { Keys = [], ConsistentRead = false } = input.RequestItems.state ?? {};
      asked.push({ keys: Keys.length, consistent: ConsistentRead });
      return asked.length === 1 ? { UnprocessedKeys: { state: { Keys: Keys.slice(0, 3) } } } : {};
    },
  );
  const sought = Array.from({ length: 250 }, (_, n) => ({ recordIdentifier: `r${n}`, from: second, to: second }));
  await fenceItems(noting, true).read(sought, pace());
  expect(asked.map(({ keys }) => keys).sort((a, b) => b - a)).toEqual([100, 100, 50, 3]);
  expect(asked.every(({ consistent }) => consistent)).toBe(true);
});

test.each([
  ['items', (table: Parameters<typeof fencePages>[0]) => fenceItems(table, false)],
  ['pages', fencePages],
])('a fence that could not be left is a failure of its change (%s)', async (_, make) => {
  const { table: failing } = tableThat(() => {
    throw Object.assign(new Error('m'), { name: 'InternalServerError' });
  });
  let looks = 0;
  const short = pace({ deadline: 1, now: () => (looks++ < 3 ? 0 : 1) });
  const fences = [{ change: at('a', 7, 0) }, { change: at('b', 8, 0) }];
  const failed = (await make(failing).write(fences, new Map(), short)).map(({ sequenceNumber }) => sequenceNumber);
  expect([...new Set(failed)].sort()).toEqual(['7', '8']);
  await expect(
    make(failing).read([{ recordIdentifier: 'a', from: second, to: second }], pace({ deadline: -1 })),
  ).rejects.toThrow(/could not be read/);
});

test('what is sought from one second on is looked for to the last second that anybody names', async () => {
  const keys: string[] = [];
  const { table: noting } = tableThat(
    (_, input: { RequestItems: Record<string, { Keys: { pk: { S: string } }[] }> }) => {
      keys.push(...(input.RequestItems.state?.Keys ?? []).map(({ pk }) => pk.S));
    },
  );
  const sought = [3, 1, 2].map((seconds, n) => ({ recordIdentifier: `r${n}`, from: 100, to: 100 + seconds }));
  await fencePages(noting).read(sought, pace());
  expect(keys.sort()).toEqual(['fences#100', 'fences#101', 'fences#102', 'fences#103']);
});

test('a fence alone in its second is one write; several are pages and one entry that names them', async () => {
  const { table: noting, calls } = tableThat(() => ({}));
  await fencePages(noting).write([{ change: at('a', 1, 0) }], new Map(), pace());
  expect(calls.map(({ name }) => name)).toEqual(['UpdateItemCommand']);
  calls.length = 0;
  await fencePages(noting).write(
    [at('a', 1, 0), at('b', 2, 0)].map((it) => ({ change: it })),
    new Map(),
    pace(),
  );
  expect(calls.map(({ name }) => name).sort()).toEqual(['PutItemCommand', 'UpdateItemCommand']);
});

test('a fence is of a removal or it is not, and knows what is in force, in items', async () => {
  second += 60;
  const items = fenceItems(table, true);
  const effective = { sequenceNumber: '4', eventTimeMs: second * 1_000 - 5, streamSecond: second - 1, removed: false };
  await items.write([{ change: { ...at('gone', 5, 0), values: undefined }, effective }], new Map(), patient);
  expect((await find(items, ['gone'])).get('gone')).toMatchObject({ removed: true, effective });
  await leave(items, [at('there', 5, 0)]);
  expect((await find(items, ['there'])).get('there')).toMatchObject({ removed: false, effective: undefined });
});

test('the fence of a change that is written again does not become its own predecessor', async () => {
  second += 60;
  const items = fenceItems(table, false);
  await leave(items, [at('again', 5, 5)]);
  const found = await find(items, ['again']);
  await items.write([{ change: at('again', 5, 5) }], found, patient);
  await items.write([{ change: at('again', 4, 6) }], found, patient);
  expect((await find(items, ['again'])).get('again')).toMatchObject({
    sequenceNumber: '4',
    earlier: [{ sequenceNumber: '5', eventTimeMs: second * 1_000 + 5 }],
  });
});
