import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { SHOWN_SNAPSHOT_KEY, SNAPSHOT_ITEM_KEY } from './keys.ts';
import { readItem, type StateTable, unlessConditionFails } from './table.ts';

/** What is known of a finished snapshot. */
export const snapshotSchema = z.object({
  name: z.string(),
  /** Hash of the columns and rules that it was made by. */
  format: z.string(),
  watermark: z.iso.datetime(),
  /** The one that it was built upon; none if it was made from all of history. */
  base: z.string().nullish(),
});

/** A finished snapshot. Every row that had reached S3 by the watermark is in it; some later ones may be. */
export type Snapshot = Readonly<z.output<typeof snapshotSchema>>;

/** The newest finished snapshot (consistent read); undefined before the first. */
export function readSnapshot(table: StateTable): Promise<Snapshot | undefined> {
  return readItem(table, SNAPSHOT_ITEM_KEY, snapshotSchema);
}

/** The snapshot that the views read (consistent read); undefined while they read all of history. */
export function readShownSnapshot(table: StateTable): Promise<Snapshot | undefined> {
  return readItem(table, SHOWN_SNAPSHOT_KEY, snapshotSchema);
}

/** Records that the views read a snapshot: as {@link recordSnapshot}. */
export const recordShownSnapshot = (table: StateTable, snapshot: Snapshot): Promise<boolean> =>
  record(table, SHOWN_SNAPSHOT_KEY, snapshot);

/**
 * Records a finished snapshot. Idempotent: one condition on the watermark, so that of any number of calls the newest
 * snapshot stays.
 *
 * @returns whether it is the newest now, and was not before.
 */
export const recordSnapshot = (table: StateTable, snapshot: Snapshot): Promise<boolean> =>
  record(table, SNAPSHOT_ITEM_KEY, snapshot);

function record(table: StateTable, key: string, snapshot: Snapshot): Promise<boolean> {
  return unlessConditionFails(() =>
    table.dynamodb.send(
      new PutItemCommand({
        TableName: table.name,
        Item: marshall({ pk: key, ...snapshot }, { removeUndefinedValues: true }),
        ConditionExpression: 'attribute_not_exists(pk) OR watermark < :watermark',
        ExpressionAttributeValues: marshall({ ':watermark': snapshot.watermark }),
      }),
    ),
  );
}
