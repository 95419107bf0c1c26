import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { SNAPSHOT_ITEM_KEY } from './keys.ts';
import { readItem, type StateTable, unlessConditionFails } from './table.ts';

const snapshotSchema = z.object({
  name: z.string(),
  /** Hash of the columns and rules that it was made by. */
  format: z.string(),
  watermark: z.iso.datetime(),
});

/** A finished snapshot. Every row that had reached S3 by the watermark is in it; some later ones may be. */
export type Snapshot = Readonly<z.output<typeof snapshotSchema>>;

/** The newest finished snapshot (consistent read); undefined before the first. */
export function readSnapshot(table: StateTable): Promise<Snapshot | undefined> {
  return readItem(table, SNAPSHOT_ITEM_KEY, snapshotSchema);
}

/**
 * Records a finished snapshot. Idempotent: one condition on the watermark, so that of any number of calls the newest
 * snapshot stays.
 *
 * @returns whether it is the newest now, and was not before.
 */
export function recordSnapshot(table: StateTable, snapshot: Snapshot): Promise<boolean> {
  return unlessConditionFails(() =>
    table.dynamodb.send(
      new PutItemCommand({
        TableName: table.name,
        Item: marshall({ pk: SNAPSHOT_ITEM_KEY, ...snapshot }),
        ConditionExpression: 'attribute_not_exists(pk) OR watermark < :watermark',
        ExpressionAttributeValues: marshall({ ':watermark': snapshot.watermark }),
      }),
    ),
  );
}
