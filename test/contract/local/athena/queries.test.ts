import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GetQueryResultsCommand } from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { athenaOfShop, changeLog, rows, within } from '../../../given/local/athena-of-shop.ts';

let shop: Awaited<ReturnType<typeof athenaOfShop>>;

beforeAll(async () => {
  shop = await athenaOfShop();
});
afterAll(() => shop.close());

describe('partitions', () => {
  test('that no condition allows are not read, nor what no query has asked for', async () => {
    const [old, recent] = ['1,old\n2,old\n', '3,recent\n'];
    shop.catalog.registerTable('shop', { ...changeLog, Name: 'days', ...within('days') });
    await shop.objects.put('data', 'days/dt=2026-01-01/1', old);
    await shop.objects.put('data', 'days/dt=2026-02-01/1', recent);
    const ids = (where: string) => shop.query(`SELECT id FROM days ${where} ORDER BY sequence_number`);
    expect(await ids("WHERE dt >= '2026-02-01'")).toEqual([['id'], ['recent']]);
    expect(await shop.scanned("SELECT id FROM days WHERE dt >= '2026-02-01'")).toEqual({
      rows: 1,
      bytes: recent.length,
    });
    expect(await ids('')).toEqual([['id'], ['old'], ['old'], ['recent']]);
    expect(await shop.scanned('SELECT id FROM days')).toEqual({ rows: 3, bytes: old.length + recent.length });
    expect(
      await shop.scanned("SELECT id FROM days UNION ALL SELECT id FROM days WHERE dt = '2026-02-01'"),
    ).toMatchObject({
      rows: 4,
    });
  });

  test('of an injected key are read by their name, which every query must give', async () => {
    const projection = { 'projection.dt.type': 'injected', ...changeLog.Parameters, ...within('named').Parameters };
    shop.catalog.registerTable('shop', { ...changeLog, Name: 'named', ...within('named'), Parameters: projection });
    await shop.objects.put('data', 'named/dt=a,b/1', '1,x\n');
    expect(await shop.query("SELECT id, dt FROM named WHERE dt = 'a,b'")).toEqual([
      ['id', 'dt'],
      ['x', 'a,b'],
    ]);
    expect(await shop.query("SELECT id FROM named WHERE dt = 'c'")).toEqual([['id']]);
    expect(await shop.failure('SELECT id FROM named')).toMatch(
      /^CONSTRAINT_VIOLATION: For the injected projected partition/,
    );
  });
});

describe('queries', () => {
  test('answer a header, then rows; integers are exact, doubles as Java writes them, null is no value', async () => {
    expect(
      await shop.query('SELECT id, "count", rate, flag, default, removed, dt FROM change_log ORDER BY sequence_number'),
    ).toEqual([
      ['id', 'count', 'rate', 'flag', 'default', 'removed', 'dt'],
      ['a', '-5', null, '0', '\\N', 'false', '2026-01-01'],
      ['b', '7', '1.0E7', null, '', 'false', '2026-01-01'],
      ['c', '1', '0.5', '1', 'z', 'false', '2026-01-01'],
      ['c', null, null, null, null, 'true', '2026-01-01'],
      ['a', '9223372036854775807', '1.0', '1', 'x,y', 'false', '2026-01-01'],
    ]);
  });

  test('read views, whose unqualified names are of their own database', async () => {
    expect(await shop.query('SELECT * FROM Totals ORDER BY id')).toEqual([
      ['id', 'count'],
      ['a', '-5'],
      ['b', '7'],
    ]);
    const elsewhere = { QueryExecutionContext: { Database: 'default' } };
    expect(await shop.query('SELECT count(*) AS N FROM awsdatacatalog."shop"."totals"', elsewhere)).toEqual([
      ['n'],
      ['2'],
    ]);
  });

  test('see objects as they come, go, and are compressed', async () => {
    const count = async () =>
      (await shop.query(`SELECT count(*) AS n FROM change_log WHERE dt = '2026-01-02'`))?.[1]?.[0];
    expect(await count()).toBe('0');
    await shop.objects.put('data', 'change-log/dt=2026-01-02/2', `${rows}\n`);
    await shop.objects.put('data', 'change-log/dt=2026-01-02/3.gz', gzipSync(`${rows}\n`));
    await shop.objects.put('data', 'change-log/dt=2026-01-02/_not_data', `${rows}\n`);
    expect(await count()).toBe('10');
    await shop.objects.delete('data', 'change-log/dt=2026-01-02/2');
    expect(await count()).toBe('5');
    await shop.objects.put('data', 'change-log/dt=2026-01-02/3.gz', gzipSync('1,a\n'));
    expect(await count()).toBe('1');
    await shop.objects.delete('data', 'change-log/dt=2026-01-02/3.gz');
  });

  test('follow Trino where DuckDB differs', async () => {
    const sql = `SELECT 7 / 2, to_hex(md5(to_utf8('a'))) AS h, from_base('ffff', 16) % 100 AS b, sum(x) AS s, corr(x, y) AS c
      FROM (VALUES (1, 2), (2, 4), (3, 7)) AS t (x, y)`;
    expect(await shop.query(sql)).toEqual([
      ['_col0', 'h', 'b', 's', 'c'],
      ['3', '0CC175B9C0F1B6A831C399E269772661', '35', '6', expect.stringMatching(/^0\.99/)],
    ]);
    expect(await shop.query('SELECT x FROM (VALUES (2), (NULL), (1)) t (x) ORDER BY x DESC')).toEqual([
      ['x'],
      ['2'],
      ['1'],
      [null],
    ]);
  });

  test('leave their result as CSV at the output location', async () => {
    const execution = await shop.finished(await shop.start(`SELECT 'a"b,c' AS x, NULL AS y, '' AS z`));
    const location = execution?.ResultConfiguration?.OutputLocation ?? '';
    expect(location).toBe(`s3://data/athena-results/${execution?.QueryExecutionId}.csv`);
    expect(await readFile(join(shop.objects.root, location.slice('s3://'.length)), 'utf8')).toBe(
      '"x","y","z"\n"a""b,c",,""\n',
    );
  });

  test('are read in pages, the header on the first', async () => {
    const QueryExecutionId = await shop.start('SELECT x FROM (VALUES (1), (2), (3)) t (x) ORDER BY x');
    await shop.finished(QueryExecutionId);
    const first = await shop.send(new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 2 }));
    expect(first.ResultSet?.Rows).toEqual([{ Data: [{ VarCharValue: 'x' }] }, { Data: [{ VarCharValue: '1' }] }]);
    expect(first.ResultSet?.ResultSetMetadata?.ColumnInfo).toMatchObject([{ Name: 'x', Type: 'integer' }]);
    const next = await shop.send(new GetQueryResultsCommand({ QueryExecutionId, NextToken: first.NextToken }));
    expect(next.ResultSet?.Rows).toEqual([{ Data: [{ VarCharValue: '2' }] }, { Data: [{ VarCharValue: '3' }] }]);
    expect(next.NextToken).toBeUndefined();
  });

  test('may be started all at once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, (_, n) => shop.start(`SELECT ${n} AS n, count(*) AS c FROM change_log`)),
    );
    for (const id of ids) expect((await shop.finished(id))?.Status?.State).toBe('SUCCEEDED');
  });
});
