import { join } from 'node:path';
import { test } from 'vitest';
import group from '../../shared/feature-groups/bank-marketing.ts';
import { tellBackfill } from '../given/history/backfill-story.ts';
import { itemLine, writeExport } from '../given/history/exports.ts';

/** `npm run test:long` tells it of 20,000 items and five kills, and of a scan. */
const STORY = { items: 600, kills: 2, rate: 100, lifeMs: 1_500, pauseMs: 100 };

test('a backfill that is killed twice while an application writes ends equal, with labels counted and one training', () =>
  tellBackfill(STORY, async (items, dir) => {
    const lines = items.map(itemLine);
    const files = [lines.slice(0, 200), lines.slice(200), []];
    const folder = await writeExport(dir, { table: group.table, asOf: new Date().toISOString(), files });
    return ['--export', join(dir, folder)];
  }));
