import { beforeAll, describe, expect, test } from 'vitest';
import { GlueCatalog, type TableInput } from '../../../../infra/local/athena/catalog.ts';
import { type Parse, trinoGrammar } from '../../../../infra/local/athena/sql/grammar.ts';
import { isScanned } from '../../../../infra/local/athena/sql/queries/partition-conditions.ts';
import { readStatement } from '../../../../infra/local/athena/statements/statements.ts';

const input = (Name: string, key: string, type: string): TableInput => ({
  Name,
  PartitionKeys: [{ Name: key, Type: 'string' }],
  Parameters: {
    'projection.enabled': 'true',
    [`projection.${key}.type`]: type,
    'storage.location.template': `s3://data/${Name}/$\{${key}}/`,
  },
  StorageDescriptor: {
    Columns: ['id', 'log', 'count'].map((Column) => ({ Name: Column, Type: 'string' })),
    Location: `s3://data/${Name}/`,
    SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' },
  },
});

const catalog = new GlueCatalog();
catalog.registerTable('shop', input('log', 'dt', 'date'));
catalog.registerTable('shop', input('parts', 'part', 'injected'));
catalog.registerView('shop', 'recent', "SELECT id, log FROM log WHERE dt >= '2026-02-01'");

const DAYS = ['2026-01-01', '2026-02-01', '2026-03-01'];

let parse: Parse;
beforeAll(async () => {
  parse = await trinoGrammar();
});

function scansOf(sql: string) {
  const statement = readStatement(sql, { database: 'shop', catalog, parse });
  return 'scans' in statement ? statement.scans : [];
}

/** Days of `log` that a query reads, one list for each reading. */
const daysRead = (sql: string) => scansOf(sql).map((scan) => DAYS.filter((dt) => isScanned(scan, { dt })));

describe('what a query reads', () => {
  test.each([
    ["SELECT id FROM log WHERE dt = '2026-02-01'", [['2026-02-01']]],
    [`SELECT id FROM "Shop"."LOG" WHERE "dt" > '2026-01-15' AND id <> 'x' AND dt < '2026-02-15'`, [['2026-02-01']]],
    ["SELECT a.id FROM log AS a WHERE (a.dt = '2026-02-01') AND a.id = 'x'", [['2026-02-01']]],
    ["SELECT id FROM log WHERE dt IN ('2026-02-01', '2026-03-01')", [DAYS.slice(1)]],
    ["SELECT (SELECT max(dt) FROM log WHERE dt <= '2026-01-01') FROM recent", [DAYS.slice(1), ['2026-01-01']]],
    [
      "SELECT id FROM (SELECT id FROM log WHERE dt >= '2026-03-01' UNION ALL SELECT id FROM log) WHERE id = 'a'",
      [['2026-03-01'], DAYS],
    ],
    [
      "UNLOAD (SELECT id FROM log WHERE dt = '2026-02-01' ORDER BY id) TO 's3://data/a/' WITH (format = 'TEXTFILE')",
      [['2026-02-01']],
    ],
    ["WITH w AS (SELECT id FROM log WHERE dt = '2026-02-01') SELECT 1 FROM w a, w b", [['2026-02-01'], ['2026-02-01']]],
    ['WITH w AS (SELECT id FROM log) SELECT 1', []],
    ['WITH log AS (SELECT 1 AS id) SELECT id FROM log', []],
  ])('is what conditions on the partition key allow: %s', (sql, days) => {
    expect(daysRead(sql)).toEqual(days);
  });

  test.each([
    "SELECT id FROM log WHERE dt = '2026-02-01' OR id = 'a'",
    "SELECT id FROM log WHERE NOT (dt = '2026-02-01')",
    "SELECT id FROM log WHERE dt NOT IN ('2026-02-01')",
    "SELECT id FROM log WHERE (dt = '2026-02-01' OR dt = '2026-03-01')",
    "SELECT id FROM log WHERE substr(dt, 1, 4) = '2026'",
    "SELECT id FROM log WHERE dt BETWEEN '2026-02-01' AND '2026-02-01'",
    "SELECT id FROM log WHERE id = '2026-02-01'",
    'SELECT 1 FROM (log)',
  ])('is everything where a condition is not understood: %s', (sql) => {
    expect(daysRead(sql)).toEqual([DAYS]);
  });

  test('is every table of a join or a list, and no column or function of a table name', () => {
    expect(
      daysRead(
        'SELECT a.log, count(b.log) FROM log a, log b JOIN recent ON b.log = recent.log, recent AS r GROUP BY a.log ORDER BY a.log',
      ),
    ).toEqual([DAYS, DAYS, DAYS.slice(1), DAYS.slice(1)]);
  });

  test('is, of columns, those that it names', () => {
    const columns = (sql: string) => scansOf(sql).map((scan) => [...scan.columns].sort());
    expect(columns("SELECT id FROM log WHERE dt = 'x'")).toEqual([['dt', 'id']]);
    expect(columns('SELECT count(*) FROM log')).toEqual([[]]);
    expect(columns('SELECT * FROM log')).toEqual([['count', 'dt', 'id', 'log']]);
    expect(columns('SELECT l.id FROM log AS l ORDER BY l.log')).toEqual([['id', 'log']]);
  });

  test('needs the value of an injected partition key', () => {
    expect(scansOf("SELECT id FROM parts WHERE part = 'a'")).toHaveLength(1);
    for (const where of ['', "WHERE part > 'a'", "WHERE part = 'a' OR id = 'b'", "WHERE id = 'a'"]) {
      expect(() => scansOf(`SELECT id FROM parts ${where}`)).toThrow(
        expect.objectContaining({
          code: 'CONSTRAINT_VIOLATION',
          message: expect.stringContaining('For the injected projected partition column part'),
        }),
      );
    }
  });
});
