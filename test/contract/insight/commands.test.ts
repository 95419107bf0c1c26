import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ORDERS, type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';

/** The commands of people who work with data, as they run them, over a table with every type and two key attributes. */

/** Orders that are written before the only training. */
const COUNT = 300;
const TABLE = 'shop.orders';

let orders: OrdersCloud;
let folder: string;

beforeAll(async () => {
  orders = await ordersCloud();
  folder = await mkdtemp(join(tmpdir(), 'tributary-insight-'));
  await orders.write(0, COUNT);
  expect((await orders.ended(1)).status).toBe('SUCCEEDED');
  const { cloud } = orders;
  const put = (Item: object) => cloud.call('dynamodb', 'PutItem', { TableName: TABLE, Item });
  const item = { pk: { S: 'a|b' }, sk: { S: "o'1" }, size: { S: 'small' }, note: { S: '' } };
  await put({ ...item, updatedAt: { N: '1795100000' }, unitPrice: { N: '1.50' }, channel: { S: "clerk's" } });
  await put({ ...item, updatedAt: { N: '1795100060' }, unitPrice: { N: '2.25' } });
  await put({ ...item, sk: { S: 'wrong' }, updatedAt: { N: '1795100000' }, unitPrice: { S: 'dear' } });
  await put({ ...item, sk: { S: 'worse' }, updatedAt: { N: '1795100000' }, unitPrice: { S: 'cheap' } });
  await cloud.idle();
  await cloud.flushDeliveryStreams();
});
afterAll(async () => {
  await orders?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with nothing set but the endpoint. */
function run(file: string, ...args: string[]): Promise<Ran> {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, ...environment } = process.env;
  const env = { ...environment, AWS_ENDPOINT_URL: orders.cloud.endpoint };
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      [`infra/commands/${file}.ts`, ...args, '--definition', ORDERS],
      { env },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    ),
  );
}

const json = async (file: string, ...args: string[]) => {
  const { stdout, stderr } = await run(file, ...args, '--json');
  expect(stderr).not.toContain('Error:');
  return JSON.parse(stdout);
};

/** What a Parquet or CSV file holds, by another reader. */
async function rowsOf(query: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  return (await connection.runAndReadAll(query)).getRowObjectsJson() as Record<string, unknown>[];
}

describe('npm run sql', () => {
  test('prints the rows below their names', async () => {
    const { code, stdout } = await run('data/sql', 'SELECT size, count(*) AS orders FROM latest GROUP BY size');
    expect([code, stdout]).toEqual([0, `size   orders\nsmall     ${COUNT + 1}\n`]);
  });

  test('prints as JSON numbers that are exact, NULL as null, and greater integers as text', async () => {
    const sql = 'SELECT CAST(9007199254740993 AS BIGINT) AS big, 0.5e0 AS half, NULL AS nothing, true AS yes';
    const answer = await json('data/sql', sql);
    expect(answer.rows).toEqual([['9007199254740993', 0.5, null, true]]);
    expect(answer.columns.map(({ name }: { name: string }) => name)).toEqual(['big', 'half', 'nothing', 'yes']);
  });

  test('reads every page up to its limit, and says when there is more', async () => {
    const sql = 'SELECT x FROM (VALUES 1) CROSS JOIN UNNEST(sequence(1, 2500)) AS t (x)';
    const all = await json('data/sql', sql, '--rows', '5000');
    expect([all.rows.length, all.more]).toEqual([2_500, false]);
    const some = await json('data/sql', sql, '--rows', '1500');
    expect([some.rows.length, some.more]).toEqual([1_500, true]);
  });

  test("ends with Athena's own reason when a query fails", async () => {
    const { code, stderr } = await run('data/sql', 'SELECT nothing FROM latest');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Error: The query is FAILED: COLUMN_NOT_FOUND.*nothing/)]);
  });
});

describe('npm run features', () => {
  const ID = "a\\|b|o'1";

  test('shows the online record, exact text and names in the letters of the definition', async () => {
    const { record } = await json('data/features', 'get', ID);
    expect(record.eventTime).toMatch(/^2026-11-.*Z$/);
    expect(record.features).toMatchObject({ 'unit-price': '2.25', giftWrapped: null, note: '', channel: null });
  });

  test('shows the record as of a moment, whose second counts', async () => {
    const asOf = (ms: number) => json('data/features', 'get', ID, '--as-of', new Date(ms).toISOString());
    expect((await asOf(1_795_100_059_999)).record.features).toMatchObject({ 'unit-price': '1.5', channel: "clerk's" });
    expect((await asOf(1_795_100_060_000)).record.features).toMatchObject({ 'unit-price': '2.25', channel: null });
    expect((await asOf(1_795_099_999_000)).record).toBeNull();
  });

  test('tells the history in its order, and what each change changed', async () => {
    const { changes } = await json('data/features', 'get', ID, '--history');
    expect(changes.map((it: { eventName: string }) => it.eventName)).toEqual(['INSERT', 'MODIFY']);
    const { stdout } = await run('data/features', 'get', ID, '--history');
    expect(stdout.trim().split('\n')[1]).toMatch(/MODIFY +unit-price 1.5 → 2.25, channel clerk's → NULL$/);
  });

  test('sets the three places side by side, and finds them the same', async () => {
    const answer = await json('data/features', 'get', ID, '--places');
    expect(answer.item.features['unit-price']).toBe('2.25');
    expect([answer.online.features['unit-price'], answer.changeLog.features['unit-price']]).toEqual(['2.25', '2.25']);
    expect((await run('data/features', 'get', ID, '--places')).stdout).not.toContain('differs');
  });

  test('says why the definition does not take an item', async () => {
    const { stdout } = await run('data/features', 'get', 'a\\|b|wrong', '--places');
    expect(stdout).toContain('The item is not taken: wrong-type at dynamodb.NewImage.unitPrice: Expected N, found S.');
  });

  test('ends with 1 for a record that is not there, and for what is no identifier or time', async () => {
    expect(await run('data/features', 'get', 'nobody|1')).toMatchObject({
      code: 1,
      stdout: 'nobody|1 is not in Orders_v2.\n',
    });
    expect((await run('data/features', 'get', 'half', '--places')).stderr).toContain('give pk and sk, joined by "|"');
    expect((await run('data/features', 'get', ID, '--as-of', 'noon')).stderr).toContain('expected a time in ISO 8601');
  });
});

interface Spread {
  readonly missing: number;
  readonly shares: readonly number[];
  readonly byClass: Readonly<Record<string, Omit<Spread, 'byClass'>>>;
}

interface Summary {
  readonly name: string;
  readonly bins: readonly string[];
  readonly now: Spread;
  readonly baseline: Spread | null;
  readonly stability: number | null;
  readonly weights: readonly { column: string; weight: number | null; perDeviation: number | null }[] | null;
  readonly dead: string | null;
}

describe('npm run features -- summary', () => {
  let features: Readonly<Record<string, Summary>>;
  let answer: { rows: Record<string, number>; baseline: { model: string; rows: Record<string, number> } };

  beforeAll(async () => {
    answer = await json('data/features', 'summary');
    const { features: all } = answer as unknown as { features: Summary[] };
    features = Object.fromEntries(all.map((it) => [it.name, it]));
  });

  test('deals the values of every feature into bins whose shares and the missing ones add up to 1, by class', () => {
    const [numbers, flags, categories] = [features['unit-price'], features.giftWrapped, features.size];
    expect(numbers?.bins.length).toBeGreaterThan(5);
    expect([flags?.bins, categories?.bins]).toEqual([
      ['false', 'true'],
      ['small', 'medium', 'large'],
    ]);
    for (const it of [numbers, flags, categories]) {
      for (const spread of [it?.now, it?.baseline, ...Object.values(it?.now.byClass ?? {})]) {
        const sum = [spread?.missing ?? 0, ...(spread?.shares ?? [])].reduce((total, share) => total + share, 0);
        expect(sum).toBeCloseTo(1, 9);
      }
    }
  });

  test('counts what SQL counts', async () => {
    const { rows } = await json(
      'data/sql',
      'SELECT returned, count(*), count_if(giftWrapped = 1) FROM latest GROUP BY 1',
    );
    expect(answer.rows).toEqual(Object.fromEntries(rows.map(([label, n]: unknown[]) => [label ?? '', n])));
    for (const [label, count, wrapped] of rows) {
      expect(features.giftWrapped?.now.byClass[label ?? '']?.shares[1]).toBeCloseTo(wrapped / count, 9);
    }
  });

  test('sets now against what the newest model has learned from', async () => {
    const sql = `SELECT part, count(*) AS n FROM '${join(folder, 'baseline.parquet')}' WHERE part = 'train' GROUP BY part`;
    await json(
      'data/export',
      '--training-set',
      'last',
      '--format',
      'parquet',
      '--out',
      join(folder, 'baseline.parquet'),
    );
    const [train] = await rowsOf(sql);
    const { 0: zeros = 0, 1: ones = 0 } = answer.baseline.rows;
    expect(zeros + ones).toBe(Number(train?.n));
    expect(features['unit-price']?.stability).toBeGreaterThanOrEqual(0);
    expect(features['unit-price']?.stability).toBeLessThan(0.1);
    expect([features.note?.baseline, features.internal_score?.stability]).toEqual([null, null]);
  });

  test('has the weights of the model that learned from them, of columns that change', () => {
    const [price] = features['unit-price']?.weights ?? [];
    expect(price).toMatchObject({ column: 'unit-price' });
    expect(price?.perDeviation, 'dear orders come back').toBeGreaterThan(0.5);
    expect(features.size?.weights).toEqual([{ column: 'size', weight: null, perDeviation: null }]);
    expect(features.note?.weights).toBeNull();
  });

  test('names what has one value, or none', () => {
    const { size, discount, note, quantity } = features;
    expect([size?.dead, discount?.dead, note?.dead, quantity?.dead]).toEqual(['one value', 'no values', null, null]);
  });

  test('shows all of it as a table, and refuses what is of one record', async () => {
    const { stdout } = await run('data/features', 'summary');
    expect(stdout).toMatch(/^discount +fractional +100\.0 % +100\.0 % +0\.000 +no values$/m);
    expect(stdout).toMatch(/^unit-price +fractional .* \d\.\d\d$/m);
    expect(stdout).toMatch(/^Records: \d+ of class 0, \d+ of class 1, 1 without a label$/m);
    expect((await run('data/features', 'summary', 'o-1|1')).stderr).toContain('leave the identifier');
    expect((await run('data/features', 'get')).stderr).toContain('name a record identifier');
  });
});

describe('npm run predict', () => {
  test('answers a known record and a list', async () => {
    const one = await json('data/predict', '{"order_id": "o-1|1"}');
    expect(one).toMatchObject({ score: expect.any(Number), recordIdentifier: 'o-1|1' });
    const two = await json('data/predict', '{"records": [{"order_id": "o-1|1"}, {"order_id": "o-2|1"}]}');
    expect(two.predictions).toHaveLength(2);
    expect((await run('data/predict', '{"order_id": "o-1|1"}')).stdout.split('\n')[1]).toContain(String(one.score));
  });

  test('refuses in the words of predict, and what is no JSON with an example', async () => {
    expect((await run('data/predict', '{"order_id": "nobody|1"}')).stderr).toContain(
      'Error: Not in feature group Orders_v2: nobody|1.',
    );
    expect((await run('data/predict', 'o-1|1')).stderr).toContain(`such as '{"order_id": "…"}'`);
  });
});

describe('npm run export', () => {
  test.each(['csv', 'parquet'])('writes all records as %s, with identifiers, label and part', async (format) => {
    const file = join(folder, `all.${format}`);
    const answer = await json('data/export', '--format', format, '--out', file);
    expect(answer).toMatchObject({ rows: COUNT + 1, file, format });
    const columns = ['order_id', 'event_time', 'unit-price', 'quantity', 'giftWrapped', 'note', 'size', 'channel'];
    expect(answer.columns).toEqual([...columns, 'discount', 'internal_score', 'returned', 'part']);
    const [row] = await rowsOf(`SELECT * FROM '${file}' WHERE order_id LIKE 'a%'`);
    expect(Object.keys(row ?? {})).toEqual(answer.columns);
    expect(row).toMatchObject({ 'unit-price': 2.25, size: 'small', channel: null, returned: null });
    const parts = await rowsOf(`SELECT part, count(*) AS n FROM '${file}' GROUP BY part ORDER BY part`);
    expect(parts.map((it) => it.part)).toEqual(['judge', 'train', 'validation']);
  });

  test('tells an empty text from NULL', async () => {
    const file = join(folder, 'texts.csv');
    await json('data/export', '--out', file);
    const line = (await readFile(file, 'utf8')).split('\n').find((it) => it.startsWith('a'));
    expect(line).toContain(',2.25,,,"",small,,');
  });

  test('deals records into the parts that the training dealt them into', async () => {
    const [all, trained] = [join(folder, 'parts.parquet'), join(folder, 'trained.parquet')];
    await json('data/export', '--labels', '--format', 'parquet', '--out', all);
    const set = await json('data/export', '--training-set', 'last', '--format', 'parquet', '--out', trained);
    expect(set.columns.slice(0, 4)).toEqual(['returned', 'unit-price', 'quantity', 'quantity__missing']);
    const counts = (file: string) => rowsOf(`SELECT part, count(*) AS n FROM '${file}' GROUP BY part ORDER BY part`);
    expect(await counts(trained)).toEqual(await counts(all));
  });

  test('writes the records as of a moment', async () => {
    const file = join(folder, 'then.csv');
    await json('data/export', '--as-of', new Date(1_795_100_000_000).toISOString(), '--out', file);
    const rows = await rowsOf(`SELECT "unit-price" AS price FROM '${file}' WHERE order_id LIKE 'a%'`);
    expect(rows).toEqual([{ price: 1.5 }]);
  });

  test('leaves nothing behind when it fails, and what was there as it was', async () => {
    const before = await readdir(folder);
    const failed = await run('data/export', '--training-set', 'lasst', '--out', join(folder, 'all.csv'));
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('there is no training set lasst')]);
    expect((await run('data/export', '--out', join(folder, 'no/where.csv'))).stderr).toContain('--out: found');
    expect(await readdir(folder)).toEqual(before);
  });
});

describe('npm run redrive -- --list', () => {
  test('groups what waits by reason and place, with the items and without their values', async () => {
    const { groups, waiting } = await json('redrive', '--list');
    expect(groups).toEqual([
      expect.objectContaining({ reason: 'wrong-type', place: 'dynamodb.NewImage.unitPrice', records: 2 }),
    ]);
    expect(groups[0].items.map((it: { item: string }) => it.item)).toEqual(['a\\|b|wrong', 'a\\|b|worse']);
    expect(waiting[0]).toMatchObject({ records: expect.any(Number), reason: expect.stringContaining('wrong-type at') });
    expect(JSON.stringify(groups)).not.toContain('dear');
    expect((await run('redrive', '--list')).stdout).toContain(
      '2 × wrong-type at dynamodb.NewImage.unitPrice: Expected N, found S.',
    );
  });

  test('shows the values when asked to', async () => {
    expect((await run('redrive', '--list', '--show')).stdout).toContain('a\\|b|wrong  {"S":"dear"}');
  });
});

/** How long until a record has settled, on a busy machine, and how often to ask, in milliseconds. */
const SETTLED = { timeout: 60_000, interval: 2_000 };

describe('npm run redrive', () => {
  const mended = (sk: string, unitPrice: string) =>
    orders.cloud.call('dynamodb', 'PutItem', {
      TableName: TABLE,
      Item: {
        ...{ pk: { S: 'a|b' }, sk: { S: sk }, size: { S: 'small' }, unitPrice: { N: unitPrice } },
        updatedAt: { N: '1795200000' },
      },
    });
  const items = async () => {
    const { groups } = (await json('redrive', '--list')) as { groups: { items: { item: string }[] }[] };
    return groups.flatMap((group) => group.items.map(({ item }) => item));
  };

  test('puts one item right and leaves the others, and then a group, by reason and place', async () => {
    await mended('wrong', '5');
    await mended('worse', '6');
    await orders.cloud.idle();
    const redriven = async (...args: string[]) => {
      const answer = await run('redrive', ...args, '--json');
      return JSON.parse(answer.stdout) as { redriven: string[]; waiting: { reason: string }[] };
    };
    // A repair waits until the record has settled.
    await expect.poll(async () => (await redriven('--item', 'a\\|b|wrong')).waiting, SETTLED).toEqual([]);
    expect(await items()).toEqual(['a\\|b|worse']);
    expect(await redriven('--reason', 'too-big')).toEqual({ redriven: [], waiting: [] });
    expect(await items()).toEqual(['a\\|b|worse']);
    const group = ['--reason', 'wrong-type', '--place', 'dynamodb.NewImage.unitPrice'];
    await expect.poll(async () => (await redriven(...group)).waiting, SETTLED).toEqual([]);
    expect(await items()).toEqual([]);
    const { record } = await json('data/features', 'get', 'a\\|b|worse');
    expect(record.features['unit-price']).toBe('6');
  });

  test('refuses a selection beside --list', async () => {
    expect((await run('redrive', '--list', '--item', 'x')).stderr).toContain('--list shows all that waits');
  });
});
