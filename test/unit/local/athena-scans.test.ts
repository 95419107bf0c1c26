import { describe, expect, test } from 'vitest';
import { GlueCatalog, type TableInput } from '../../../infra/local/athena/catalog.ts';
import { isScanned, scansOf } from '../../../infra/local/athena/scans.ts';

const input = (Name: string, key: string, type: string): TableInput => ({
  Name,
  PartitionKeys: [{ Name: key, Type: 'string' }],
  Parameters: {
    'projection.enabled': 'true',
    [`projection.${key}.type`]: type,
    'storage.location.template': `s3://data/${Name}/$\{${key}}/`,
  },
  StorageDescriptor: {
    Columns: [{ Name: 'id', Type: 'string' }],
    Location: `s3://data/${Name}/`,
    SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' },
  },
});

const catalog = new GlueCatalog();
catalog.registerTable('shop', input('log', 'dt', 'date'));
catalog.registerTable('shop', input('parts', 'part', 'injected'));
catalog.registerView('shop', 'recent', "SELECT id FROM log WHERE dt >= '2026-02-01'");

const DAYS = ['2026-01-01', '2026-02-01', '2026-03-01'];

/** Days of `log` that a query reads, one list for each reading. */
const daysRead = (sql: string) =>
  scansOf(sql, 'shop', catalog).map((scan) => DAYS.filter((dt) => isScanned(scan, { dt })));

describe('what a query reads', () => {
  test.each([
    ["SELECT id FROM log WHERE dt = '2026-02-01'", [['2026-02-01']]],
    [`SELECT id FROM "Shop"."LOG" WHERE "dt" > '2026-01-15' AND id <> 'x' AND dt < '2026-02-15'`, [['2026-02-01']]],
    ["SELECT (SELECT max(dt) FROM log WHERE dt <= '2026-01-01') FROM recent", [['2026-01-01'], DAYS.slice(1)]],
    [
      "SELECT id FROM (SELECT id FROM log WHERE dt >= '2026-03-01' UNION ALL SELECT id FROM log) WHERE id = 'a'",
      [['2026-03-01'], DAYS],
    ],
    [
      "UNLOAD (SELECT id FROM log WHERE dt = '2026-02-01' ORDER BY id) TO 's3://data/a/' WITH (format = 'TEXTFILE')",
      [['2026-02-01']],
    ],
  ])('is what conditions on the partition key allow: %s', (sql, days) => {
    expect(daysRead(sql)).toEqual(days);
  });

  test.each([
    "SELECT id FROM log WHERE dt = '2026-02-01' OR id = 'a'",
    "SELECT id FROM log WHERE NOT (dt = '2026-02-01')",
    "SELECT id FROM log WHERE (dt = '2026-02-01' OR dt = '2026-03-01')",
    "SELECT id FROM log WHERE substr(dt, 1, 4) = '2026'",
    "SELECT id FROM log WHERE dt BETWEEN '2026-02-01' AND '2026-02-01'",
    "SELECT a.id FROM log AS a WHERE a.dt = '2026-02-01'",
    "SELECT id FROM log WHERE id = '2026-02-01'",
    'SELECT 1 FROM (log)',
  ])('is everything where a condition is not understood: %s', (sql) => {
    expect(daysRead(sql)).toEqual([DAYS]);
  });

  test('is every table of a join or a list, and no column or function of a table name', () => {
    expect(
      daysRead('SELECT log, count(log) FROM log a, log b JOIN recent ON a.log = b.log, recent ORDER BY a.id, log'),
    ).toEqual([...[DAYS, DAYS, DAYS.slice(1), DAYS.slice(1)]]);
  });

  test('needs the value of an injected partition key', () => {
    expect(scansOf("SELECT id FROM parts WHERE part = 'a'", 'shop', catalog)).toHaveLength(1);
    for (const where of ['', "WHERE part > 'a'", "WHERE part = 'a' OR id = 'b'", "WHERE id = 'a'"]) {
      expect(() => scansOf(`SELECT id FROM parts ${where}`, 'shop', catalog)).toThrow(
        /^CONSTRAINT_VIOLATION: For the injected projected partition column part, the WHERE clause must contain only static equality/,
      );
    }
  });
});
