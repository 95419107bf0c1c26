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
