import { beforeAll, describe, expect, test } from 'vitest';
import { GlueCatalog } from '../../../../infra/local/athena/catalog.ts';
import { type Parse, trinoGrammar } from '../../../../infra/local/athena/sql/grammar.ts';
import { withParameters } from '../../../../infra/local/athena/statements/parameters.ts';
import { readStatement } from '../../../../infra/local/athena/statements/statements.ts';

const catalog = new GlueCatalog();
const text = { SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' };
const StorageDescriptor = {
  Columns: [{ Name: 'id', Type: 'string', Comment: 'of an order' }],
  Location: 's3://data/t/',
  SerdeInfo: text,
};
for (const Name of ['orders', 'order_lines', 'customers']) catalog.registerTable('shop', { Name, StorageDescriptor });
catalog.registerView('shop', 'latest', 'SELECT id, 1 AS n FROM orders');

let parse: Parse;
beforeAll(async () => {
  parse = await trinoGrammar();
});
const read = (sql: string) => readStatement(sql, { database: 'shop', catalog, parse });
const lines = (sql: string) => {
  const statement = read(sql);
  return 'lines' in statement ? statement.lines : undefined;
};

describe('UNLOAD', () => {
  const to = "TO 's3://b/p/'";

  test('gives its target and its format', () => {
    const unload = `UNLOAD (SELECT 1 AS r) ${to} WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE')`;
    expect(read(unload)).toMatchObject({
      kind: 'UNLOAD',
      to: 's3://b/p/',
      options: { format: 'TEXTFILE', fieldDelimiter: ',', compression: 'NONE', partitionedBy: [] },
    });
  });

  test('may be Parquet, partitioned by columns, among other properties', () => {
    const partitioned = (columns: string) =>
      read(
        `unload (SELECT 1 AS a, 2 AS b) ${to} with (partitioned_by = ${columns}, format = 'parquet', compression = 'SNAPPY')`,
      );
    expect(partitioned("array['a', 'b']")).toMatchObject({
      options: { format: 'PARQUET', compression: 'SNAPPY', partitionedBy: ['a', 'b'] },
    });
    for (const wrong of ['ARRAY[a]', 'ARRAY[]', "ARRAY['a'", "['a']", "'a'", "ARRAY['a' 'b']"]) {
      expect(() => partitioned(wrong), wrong).toThrow(/the properties must be|is not closed/);
    }
  });

  test('is delimited by U+0001 and compressed when nothing else is said', () => {
    expect(read(`UNLOAD (SELECT 1 AS a) ${to} WITH (format = 'textfile')`)).toMatchObject({
      options: { fieldDelimiter: '\u0001', compression: 'GZIP' },
    });
  });

  test('names places of the whole statement', () => {
    expect(() => read(`UNLOAD (\nSELECT nothing FROM orders\n) ${to} WITH (format = 'TEXTFILE')`)).toThrow(
      "line 2:8: Column 'nothing' cannot be resolved",
    );
  });

  test.each([
    [`UNLOAD (SELECT 1) ${to} WITH (format = 'ORC')`, 'the format ORC'],
    [`UNLOAD (SELECT 1) ${to} WITH (format = 'TEXTFILE', bucketed_by = 'a')`, 'the property bucketed_by'],
    [`UNLOAD (SELECT 1) ${to} WITH (format = 'TEXTFILE', compression = 'ZSTD')`, 'the compression ZSTD'],
    [`UNLOAD (SELECT 1) ${to}`, 'UNLOAD needs WITH'],
    ['UNLOAD (SELECT 1) WITH ()', 'must be followed by TO'],
    [`UNLOAD (DELETE FROM t) ${to} WITH (format = 'TEXTFILE')`, 'the statement DELETE'],
    [`UNLOAD (SELECT 1) ${to} WITH (format = 'TEXTFILE') x`, 'something follows'],
  ])('of another kind is refused: %s', (sql, reason) => {
    expect(() => read(sql)).toThrow(reason);
  });
});

describe('SHOW and DESCRIBE', () => {
  test.each([
    ['SHOW TABLES', ['customers', 'latest', 'order_lines', 'orders']],
    ['show tables in shop', ['customers', 'latest', 'order_lines', 'orders']],
    ["SHOW TABLES 'order*'", ['order_lines', 'orders']],
    ["SHOW TABLES IN `shop` '*lines|cust*s'", ['customers', 'order_lines']],
    ['SHOW TABLES IN default;', []],
    ['SHOW VIEWS', ['latest']],
    ['SHOW DATABASES', ['default', 'shop']],
    ["SHOW SCHEMAS LIKE 's*'", ['shop']],
    ['SHOW COLUMNS IN orders', ['id                  ']],
    ['SHOW COLUMNS FROM latest FROM shop', ['id                  ', 'n                   ']],
    [
      'DESCRIBE shop.latest',
      [
        'id                  \tstring              \t                    ',
        'n                   \tint                 \t                    ',
      ],
    ],
    ['DESCRIBE orders', ['id                  \tstring              \tof an order         ']],
    ['SHOW CREATE VIEW latest', ['CREATE VIEW shop.latest AS', 'SELECT id, 1 AS n FROM orders']],
  ])('%s', (sql, answer) => {
    expect(lines(sql)).toEqual(answer);
  });

  test('SHOW CREATE TABLE gives a statement of Hive', () => {
    expect(lines('SHOW CREATE TABLE orders')?.slice(0, 2)).toEqual([
      'CREATE EXTERNAL TABLE `shop.orders`(',
      "  `id` string COMMENT 'of an order')",
    ]);
  });

  test.each([
    ['SHOW TABLES IN nowhere', 'Database does not exist: nowhere'],
    ['DESCRIBE nothing', 'Table not found shop.nothing'],
    ['SHOW PARTITIONS orders', 'is not a partitioned table'],
    ['SHOW CREATE VIEW orders', 'write SHOW CREATE TABLE'],
    ['SHOW STATS FOR orders', 'Instead, write SHOW TABLES'],
    ['EXPLAIN SELECT 1', 'Instead, run the statement'],
  ])('that cannot be answered says why: %s', (sql, reason) => {
    expect(() => read(sql)).toThrow(reason);
  });
});

describe('parameters', () => {
  const filled = (sql: string, ...values: string[]) => withParameters(sql, values, parse);

  test('take the places of question marks that are no text', () => {
    expect(filled("SELECT ? FROM t WHERE a = ? AND b = '?'", '-1', "'it''s'")).toBe(
      "SELECT - 1 FROM t WHERE a = 'it''s' AND b = '?'",
    );
    expect(filled('SELECT ?', "DATE '2026-01-01'")).toBe("SELECT DATE '2026-01-01'");
    expect(filled('SELECT ? FROM t', "'a' --")).toBe("SELECT 'a' FROM t");
  });

  test.each([
    [[], 'expected 1 but found 0'],
    [['1', '2'], 'expected 1 but found 2'],
    [['1 OR true'], 'is not a literal'],
    [['1) OR (1 = 1'], 'is not a literal'],
    [['x'], 'is not a literal'],
  ])('that are not as many literals are refused: %j', (values, reason) => {
    expect(() => filled('SELECT 1 WHERE a = ?', ...values)).toThrow(reason);
  });
});
