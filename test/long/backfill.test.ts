import { join } from 'node:path';
import { test } from 'vitest';
import group from '../../shared/feature-groups/bank-marketing.ts';
import { tellBackfill } from '../given/history/backfill-story.ts';
import { itemLine, writeExport } from '../given/history/exports.ts';

test('a backfill of 20,000 items that is killed five times while an application writes ends equal', () =>
  tellBackfill({ items: 20_000, kills: 5, rate: 600, lifeMs: 5_000, pauseMs: 20 }, async (items, dir) => {
    const lines = items.map(itemLine);
    const files = [lines.slice(0, 7_000), lines.slice(7_000, 9_000), lines.slice(9_000)];
    const folder = await writeExport(dir, { table: group.table, asOf: new Date().toISOString(), files });
    return ['--export', join(dir, folder)];
  }));

test('so does one of 3,000 that scans the table, with its pages read again where it was killed', () =>
  tellBackfill({ items: 3_000, kills: 3, rate: 250, lifeMs: 2_500, pauseMs: 20 }, async () => {
    return ['--scan', '--segments', '3', '--read-units', '40'];
  }));
