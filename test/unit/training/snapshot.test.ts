import { expect, test } from 'vitest';
import { integral, string } from '../../../shared/feature-groups/define.ts';
import {
  firstDayToRead,
  isUsable,
  SNAPSHOT_AGE_DAYS_MAX,
  snapshotColumns,
  snapshotFormat,
  snapshotQuery,
} from '../../../shared/training/snapshot.ts';
import { accounts } from '../../given/builders.ts';
import { things } from '../../given/table-world.ts';

const NOW = Date.UTC(2026, 0, 15, 12);
const DAY_MS = 86_400_000;

test('a snapshot has the columns that tell a change, the record, the features that train, and the label', () => {
  expect(snapshotColumns(things()).map(({ name }) => name)).toEqual([
    ...['sequence_number', 'event_name', 'event_time', 'dt', 'id', 'v', 'y'],
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

test('the format is the same where only what does not train differs', () => {
  expect(snapshotFormat(things({ features: { v: integral(), other: string({ optional: true }) } }))).toBe(
    snapshotFormat(things()),
  );
});

test('a snapshot is built upon if it is of the same format, and young', () => {
  const base = (ageMs: number, format = snapshotFormat(things())) => ({
    ...{ name: 'n', format, watermark: new Date(NOW - ageMs).toISOString() },
  });
  expect(isUsable(base(0), things(), NOW)).toBe(true);
  expect(isUsable(base(SNAPSHOT_AGE_DAYS_MAX * DAY_MS - 1), things(), NOW)).toBe(true);
  expect(isUsable(base(SNAPSHOT_AGE_DAYS_MAX * DAY_MS), things(), NOW)).toBe(false);
  expect(isUsable(base(0, 'another'), things(), NOW)).toBe(false);
});

test('after a snapshot partitions are read from 26 hours before its watermark on', () => {
  const since = (watermark: string) => firstDayToRead({ name: 'n', format: 'f', watermark });
  expect(since('2026-01-15T12:00:00.000Z')).toBe('2026-01-14');
  expect(since('2026-01-15T01:59:59.000Z')).toBe('2026-01-13');
});

test('texts that anybody may write are escaped in a snapshot, and no other column is', () => {
  const query = snapshotQuery(accounts, { database: 'd', nowMs: NOW }, 's3://data/snapshots/n/');
  const escaped = [...query.matchAll(/replace\(replace\("(\w+)"/g)].map(([, name]) => name);
  expect(escaped).toEqual(['account_id', 'plan']);
});
