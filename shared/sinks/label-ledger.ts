import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { untilDeadline } from '../calls/pace.ts';
import type { TimedChange } from '../changes/change.ts';
import { paddedSequenceNumber } from '../changes/sequence-number.ts';
import { labelKey } from '../state/keys.ts';
import { currentEpoch, epochLabelShard } from '../state/label-ledger.ts';
import { type StateTable, unlessConditionFails } from '../state/table.ts';
import type { Sink } from './sink.ts';

/** Writes to the state table in flight at once. */
const CONCURRENCY_MAX = 16;

/**
 * The label ledger: the set of records labelled in the current epoch.
 *
 * Idempotent by being a set: one item per labelled record, written only if its sequence number is newer than the
 * stored one, so that a label event delivered again, or overtaken by a newer one, changes nothing and is counted once.
 */
export function labelLedgerSink(table: StateTable): Sink {
  return {
    name: 'label-ledger',
    async write(changes, pace) {
      const rounds = { pace, concurrencyMax: CONCURRENCY_MAX, begin: () => currentEpoch(table) };
      const left = await untilDeadline(lastLabelPerRecord(changes), rounds, async (change, epoch) => {
        const put = putLabel(table.name, change, epoch);
        await unlessConditionFails(() => table.dynamodb.send(put));
        return undefined;
      });
      const failures = left.map(({ item, message }) => ({
        sequenceNumber: item.sequenceNumber,
        message: `label-ledger: ${message}`,
      }));
      return { failures, rejections: [] };
    },
  };
}

/** Its condition fails when the ledger already has this label event or a newer one. */
function putLabel(tableName: string, change: TimedChange, epoch: number): PutItemCommand {
  const label = change.newLabel as '0' | '1';
  return new PutItemCommand({
    TableName: tableName,
    Item: {
      pk: { S: labelKey(change.recordIdentifier) },
      label: { S: label },
      sequenceNumber: { S: paddedSequenceNumber(change.sequenceNumber) },
      epoch: { N: String(epoch) },
      epochLabelShard: { S: epochLabelShard(epoch, label, change.recordIdentifier) },
    },
    ConditionExpression: 'attribute_not_exists(pk) OR sequenceNumber < :sequenceNumber',
    ExpressionAttributeValues: { ':sequenceNumber': { S: paddedSequenceNumber(change.sequenceNumber) } },
  });
}

function lastLabelPerRecord(changes: readonly TimedChange[]): TimedChange[] {
  const last = new Map<string, TimedChange>();
  for (const change of changes) if (change.newLabel !== undefined) last.set(change.recordIdentifier, change);
  return [...last.values()];
}
