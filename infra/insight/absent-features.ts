import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { listObjects } from '../../shared/calls/list-keys.ts';
import { changeLogColumns } from '../../shared/change-log/row.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';

/** Newest changes that are looked at, objects of the change log at most, and fewest changes that say anything. */
const CHANGES_MAX = 1_000;
const OBJECTS_MAX = 5;
const CHANGES_MIN = 20;

const DAY_MS = 86_400_000;

/** Features that none of the newest changes has. */
export interface AbsentFeatures {
  /** Changes that were looked at: of items that were there afterwards. */
  readonly changes: number;
  readonly absent: readonly string[];
}

/**
 * Looks at the newest changes of today and yesterday for features that none of them has: a misspelt attribute or path
 * looks like that, as well as one that applications no longer write. No value leaves this function.
 */
export async function absentFeatures(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  group: FeatureGroup,
  nowMs: number,
): Promise<AbsentFeatures> {
  const objects: { key: string; modifiedMs: number }[] = [];
  for (const at of [nowMs, nowMs - DAY_MS]) {
    const prefix = `change-log/dt=${new Date(at).toISOString().slice(0, 10)}/`;
    for await (const object of listObjects(s3, bucket, prefix)) objects.push(object);
    if (objects.length >= OBJECTS_MAX) break;
  }
  const newest = objects.sort((a, b) => b.modifiedMs - a.modifiedMs).slice(0, OBJECTS_MAX);
  const columns = changeLogColumns(group);
  const absent = new Set(group.features.map(({ name }) => name));
  let changes = 0;
  for (const { key } of newest) {
    if (changes >= CHANGES_MAX) break;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const rows = ((await Body?.transformToString()) ?? '').split('\n').filter((row) => row !== '');
    for (const row of rows.slice(changes - CHANGES_MAX)) {
      // Fields are parted by commas that no backslash escapes.
      const fields = row.match(/(?<=^|,)(?:[^,\\]|\\.)*/g) ?? [];
      if (/REMOVE$/.test(fields[1] ?? '')) continue;
      changes += 1;
      for (const name of absent) {
        const field = fields[columns.indexOf(name)];
        // A row of before the feature came has no such field, and says nothing of it.
        if (field !== undefined && field !== '\\N') absent.delete(name);
      }
    }
  }
  return { changes, absent: changes < CHANGES_MIN ? [] : [...absent] };
}
