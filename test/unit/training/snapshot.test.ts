import { expect, test } from 'vitest';
import { integral, string } from '../../../shared/feature-groups/define.ts';
import {
  firstDayToRead,
  isUsable,
  snapshotColumns,
  snapshotFormat,
  snapshotQuery,
} from '../../../shared/training/snapshot.ts';
import { accounts } from '../../given/builders.ts';
import { things } from '../../given/table-world.ts';

const NOW = Date.UTC(2026, 0, 15, 12);

test('a snapshot has the columns that tell a change, the record, all features, the label, and its first day', () => {
  expect(snapshotColumns(things()).map(({ name }) => name)).toEqual([
    ...['sequence_number', 'event_name', 'event_time', 'dt', 'id', 'v', 'note', 'y', '_labeled_day'],
  ]);
});

test('the format is another for other columns, other types, another time of training, and other removals', () => {
  const formats = [
    things(),
    things({ features: { v: integral(), w: integral({ optional: true }), note: string({ optional: true }) } }),
    things({ label: { name: 'z' } }),
    things({ trainingTime: 'as-of-label' }),
    things({ onDelete: 'keep' }),
    things({ onTtlExpiry: 'keep' }),
  ].map(snapshotFormat);
  expect(new Set(formats).size).toBe(formats.length);
  for (const format of formats) expect(format).toMatch(/^[0-9a-f]{16}$/);
});

test('a snapshot is built upon if it is of the same format', () => {
  const base = (format: string) => ({ name: 'n', format, watermark: new Date(NOW).toISOString() });
  expect(isUsable(base(snapshotFormat(things())), things())).toBe(true);
  expect(isUsable(base('another'), things())).toBe(false);
});

test('after a snapshot partitions are read from 26 hours before its watermark on', () => {
  const since = (watermark: string) => firstDayToRead({ name: 'n', format: 'f', watermark });
  expect(since('2026-01-15T12:00:00.000Z')).toBe('2026-01-14');
  expect(since('2026-01-15T01:59:59.000Z')).toBe('2026-01-13');
});

test('a snapshot is written as compressed Parquet, labeled records in a folder of their own', () => {
  const query = snapshotQuery(accounts, { database: 'd', nowMs: NOW }, 's3://data/snapshots/n/');
  expect(query).toMatch(/^UNLOAD \(\nSELECT .* AS "snapshot_part"\nFROM/);
  expect(query).toContain(
    "TO 's3://data/snapshots/n/'\nWITH (format = 'PARQUET', compression = 'ZSTD', partitioned_by = ARRAY['snapshot_part'])",
  );
});
