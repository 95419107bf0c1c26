import { describe, expect, test } from 'vitest';
import { trinoToDuckDb } from '../../../infra/local/athena/sql/trino-to-duckdb.ts';

const sqlOf = (trino: string) => trinoToDuckDb(trino).sql;

describe('queries', () => {
  test('that both understand are left as they are, but for comments', () => {
    const sql = `WITH t (a, b) AS (VALUES (1, 'it''s; -- no comment')) SELECT "a", count(*) FROM t AS u (c, d) WHERE a <> 1.5e3`;
    expect(sqlOf(`${sql} -- comment\n`)).toBe(sql);
    expect(sqlOf('SELECT /* ; */ 1;')).toBe('SELECT 1');
  });

  test('lose the name of the one catalog', () => {
    expect(sqlOf('SELECT * FROM AwsDataCatalog.db.t')).toBe('SELECT * FROM db.t');
    expect(sqlOf('SELECT * FROM "awsdatacatalog"."db"."t"')).toBe('SELECT * FROM "db"."t"');
    expect(sqlOf("SELECT 'awsdatacatalog.db'")).toBe("SELECT 'awsdatacatalog.db'");
  });

  test('have names quoted that only DuckDB reserves', () => {
    expect(sqlOf('SELECT default, t.default FROM t')).toBe('SELECT "default", t."default" FROM t');
  });

  test('have functions renamed, in any case and quoted or not', () => {
    expect(sqlOf('SELECT FROM_BASE(substr(to_hex(md5(to_utf8(id))), 1, 4), 16)')).toBe(
      'SELECT trino_from_base(substr(trino_to_hex(trino_md5(encode(id))), 1, 4), 16)',
    );
    expect(sqlOf('SELECT "Rand"()')).toBe('SELECT random()');
  });

  test('may have keywords, types and aliases before parentheses', () => {
    const sql = `SELECT row_number() OVER (PARTITION BY a ORDER BY b), CAST(a AS DECIMAL(10, 2)), sum(a) FILTER (WHERE a IN (1, 2))
      FROM (SELECT 1) t (a) JOIN (VALUES (1)) u (a) USING (a) WHERE EXISTS (SELECT 1) AND NOT (a = 1)`;
    expect(sqlOf(sql).replace(/\s+/g, ' ')).toBe(sql.replace(/\s+/g, ' '));
  });

  test.each([
    ['SELECT concat(a, b) FROM t', 'the function concat is not translated'],
    ["SELECT * FROM read_csv('/etc/passwd')", 'the function read_csv is not translated'],
    ['SELECT a::int FROM t', "mismatched input '::int FROM t'"],
    ['SELECT `a` FROM t', "mismatched input '`a`"],
    ['SELECT 1; SELECT 2', 'Only one sql statement is allowed'],
    ['DROP TABLE t', 'the statement DROP is not translated'],
    ['FROM t', 'the statement FROM is not translated'],
    ['SELECT a[1] FROM t', 'arrays are not translated'],
    ['', 'is not translated'],
    ['SELECT count(1', 'a parenthesis is not closed'],
  ])('that are not translated are refused: %s', (sql, reason) => {
    expect(() => trinoToDuckDb(sql)).toThrow(reason);
  });
});

describe('UNLOAD', () => {
  const to = "TO 's3://b/p/'";

  test('gives its query, its target and its format', () => {
    const unload = `UNLOAD (SELECT rand() AS r FROM t ORDER BY 1) ${to} WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE')`;
    expect(trinoToDuckDb(unload)).toEqual({
      kind: 'unload',
      sql: 'SELECT random() AS r FROM t ORDER BY 1',
      to: 's3://b/p/',
      fieldDelimiter: ',',
      compression: 'NONE',
      partitionedBy: undefined,
    });
  });

  test('may be partitioned by a column, among other properties', () => {
    const partitioned = (columns: string) =>
      trinoToDuckDb(`UNLOAD (SELECT 1 AS a) ${to} WITH (partitioned_by = ${columns}, format = 'TEXTFILE')`);
    expect(partitioned("array['a']")).toMatchObject({ partitionedBy: 'a', compression: 'GZIP' });
    for (const wrong of ["ARRAY['a', 'b']", 'ARRAY[a]', 'ARRAY[]', "ARRAY['a'", "['a']", "'a'"]) {
      expect(() => partitioned(wrong), wrong).toThrow('the properties of UNLOAD must be');
    }
  });

  test('is delimited by U+0001 and compressed when nothing else is said', () => {
    expect(trinoToDuckDb(`unload (SELECT 1) ${to} with (format = 'textfile')`)).toMatchObject({
      fieldDelimiter: '\u0001',
      compression: 'GZIP',
    });
  });

  test.each([
    [`UNLOAD (SELECT 1) ${to} WITH (format = 'PARQUET')`, 'the format PARQUET'],
    [`UNLOAD (SELECT 1) ${to} WITH (format = 'TEXTFILE', bucketed_by = 'a')`, 'the property bucketed_by'],
    [`UNLOAD (SELECT 1) ${to} WITH (format = 'TEXTFILE', compression = 'ZSTD')`, 'the compression ZSTD'],
    [`UNLOAD (SELECT 1) ${to}`, 'UNLOAD needs WITH'],
    ['UNLOAD (SELECT 1) WITH ()', 'must be followed by TO'],
    [`UNLOAD (DELETE FROM t) ${to} WITH (format = 'TEXTFILE')`, 'the statement DELETE'],
  ])('of another kind is refused: %s', (sql, reason) => {
    expect(() => trinoToDuckDb(sql)).toThrow(reason);
  });
});
