import { GetObjectCommand, type ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { absentFeatures } from '../../../infra/insight/absent-features.ts';
import { replayEvents } from '../../../infra/replay/replay-events.ts';
import { streamOf } from '../../../infra/replay/stream-records.ts';
import { defineFeatureGroup, fractional, integral, string } from '../../../shared/feature-groups/define.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const group = defineFeatureGroup({
  name: 'readings',
  recordIdentifier: 'id',
  features: {
    note: string({ optional: true }),
    value: fractional(),
    misspelt: integral({ attribute: 'Kount', optional: true }),
    later: integral({ optional: true, since: 2 }),
  },
});

/** A bucket that holds these texts. */
const bucketOf = (objects: Readonly<Record<string, string>>) => {
  const send = async (command: ListObjectsV2Command | GetObjectCommand) => {
    if (command instanceof GetObjectCommand) {
      return { Body: { transformToString: async () => objects[command.input.Key ?? ''] } };
    }
    const keys = Object.keys(objects).filter((key) => key.startsWith(command.input.Prefix ?? ''));
    return { Contents: keys.map((Key) => ({ Key, LastModified: new Date(NOW) })) };
  };
  return { send } as unknown as Pick<S3Client, 'send'>;
};

/** Rows of the change log as ingest writes them. */
async function rowsOf(items: readonly Readonly<Record<string, unknown>>[]): Promise<string> {
  const stream = streamOf(group);
  const { rows } = await replayEvents(group, [items.map((item) => stream.insert(item))]);
  return rows.map((row) => `${row.replace(/\n$/, '')}\n`).join('');
}

test('features that none of the newest changes has are named, whatever commas and backslashes their texts have', async () => {
  const items = Array.from({ length: 30 }, (_, n) => ({ id: `r-${n}`, value: n, note: 'a,\\N,b', count: 1 }));
  const bucket = bucketOf({ 'change-log/dt=2026-01-02/1': await rowsOf(items), 'change-log/dt=2025-12-01/1': 'old\n' });
  expect(await absentFeatures(bucket, 'data', group, NOW)).toEqual({ changes: 30, absent: ['misspelt', 'later'] });
});

test('a feature that one change of yesterday has is not named, and a few changes say nothing', async () => {
  const items = Array.from({ length: 30 }, (_, n) => ({
    id: `r-${n}`,
    value: n,
    ...(n === 7 && { Kount: 1, later: 2 }),
  }));
  const yesterday = bucketOf({ 'change-log/dt=2026-01-01/1': await rowsOf(items) });
  expect(await absentFeatures(yesterday, 'data', group, NOW)).toEqual({ changes: 30, absent: ['note'] });
  const few = bucketOf({ 'change-log/dt=2026-01-02/1': await rowsOf(items.slice(0, 5)) });
  expect(await absentFeatures(few, 'data', group, NOW)).toEqual({ changes: 5, absent: [] });
});
