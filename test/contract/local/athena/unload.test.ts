import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { athenaOfShop } from '../../../given/local/athena-of-shop.ts';

let shop: Awaited<ReturnType<typeof athenaOfShop>>;

beforeAll(async () => {
  shop = await athenaOfShop();
});
afterAll(() => shop.close());

describe('UNLOAD', () => {
  const unload = (sql: string, prefix: string, more = `, compression = 'NONE'`) =>
    `UNLOAD (${sql}) TO 's3://data/${prefix}' WITH (format = 'TEXTFILE', field_delimiter = ','${more})`;
  const contents = async (prefix: string) => {
    const files = await shop.objects.list('data', prefix);
    return Promise.all(files.map((file) => shop.objects.get('data', file.key)));
  };

  test('writes text without header or quotes, null as \\N', async () => {
    await shop.query(
      unload(`SELECT flag, rate, id FROM change_log WHERE id = 'a' ORDER BY sequence_number`, 'sets/1/'),
    );
    expect((await contents('sets/1/')).join('')).toBe('0,\\N,a\n1,1.0,a\n');
  });

  test('writes several files when there are many rows', async () => {
    const many = Array.from({ length: 5 }, (_, i) => `(SELECT DISTINCT sequence_number FROM change_log) AS t${i}`).join(
      ', ',
    );
    const twenty = `(VALUES ${Array.from({ length: 20 }, (_, i) => `(${i})`).join(', ')}) AS v (n)`;
    await shop.query(unload(`SELECT v.n FROM ${many}, ${twenty}`, 'sets/many/'));
    const files = await contents('sets/many/');
    expect(files.length).toBeGreaterThan(1);
    expect(files.join('').split('\n').length - 1).toBe(5 ** 5 * 20);
  });

  test('writes the last columns as folders, if it is partitioned by them', async () => {
    const by = (columns: string) => `, compression = 'NONE', partitioned_by = ARRAY[${columns}]`;
    const rows = "SELECT n, lpad('', n, 'x') AS x, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END AS part";
    const from = 'FROM (VALUES (3), (1), (2), (4)) AS v (n) ORDER BY n';
    await shop.query(unload(`${rows} ${from}`, 'sets/parts/', by("'part'")));
    expect((await contents('sets/parts/part=odd/')).join('')).toBe('1,x\n3,xxx\n');
    expect((await contents('sets/parts/part=even/')).join('')).toBe('2,xx\n4,xxxx\n');
    expect(await contents('sets/parts/')).toHaveLength(2);
    expect(await shop.failure(unload(`${rows} ${from}`, 'sets/not-last/', by("'x'")))).toMatch(
      /must be the last columns/,
    );
  });

  test('compresses unless it is told not to', async () => {
    await shop.query(unload('SELECT 1 AS n', 'sets/gz/', ''));
    const [file] = await contents('sets/gz/');
    expect(file && gunzipSync(file).toString()).toBe('1\n');
  });

  test('writes no file when there are no rows', async () => {
    await shop.query(unload('SELECT id FROM change_log WHERE false', 'sets/empty/'));
    expect(await contents('sets/empty/')).toEqual([]);
  });

  test('refuses a target that is not empty', async () => {
    await shop.query(unload('SELECT 1 AS n', 'sets/twice/'));
    expect(await shop.failure(unload('SELECT 1 AS n', 'sets/twice'))).toMatch(
      /^HIVE_PATH_ALREADY_EXISTS: .*sets\/twice\//,
    );
  });
});
