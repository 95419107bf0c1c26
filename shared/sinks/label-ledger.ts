import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describeError, errorCode, isThrottling } from '../calls/failure.ts';
import { retryUntilDeadline, withAdaptiveConcurrency } from '../calls/pace.ts';
import { paddedSequenceNumber, type TimedChange } from '../changes/change.ts';
import { labelKey } from '../state/keys.ts';
import { currentEpoch, epochLabelShard } from '../state/label-ledger.ts';
import type { Sink } from './sink.ts';

/** Writes to the state table in flight at once. */
const CONCURRENCY_MAX = 16;

/**
 * The label ledger: the set of records labelled in the current epoch.
 *
 * Idempotent by being a set: one item per labelled record, written only if its sequence number is newer than the
 * stored one, so that a label event delivered again, or overtaken by a newer one, changes nothing and is counted once.
 */
export function labelLedgerSink(stateTable: string, dynamodb: Pick<DynamoDBClient, 'send'>): Sink {
  return {
    name: 'label-ledger',
    async write(changes, pace) {
      const labelled = lastLabelPerRecord(changes);
      // A change is a failure until it is known to be in the ledger.
      const failures = new Map(labelled.map(({ sequenceNumber }) => [sequenceNumber, 'no time left']));
      await retryUntilDeadline(labelled, pace, async (pending) => {
        const left: TimedChange[] = [];
        const fail = (change: TimedChange, message: string) => {
          failures.set(change.sequenceNumber, message);
          left.push(change);
        };
        let epoch: number;
        try {
          epoch = await currentEpoch(dynamodb, stateTable);
        } catch (error) {
          for (const change of pending) fail(change, describeError(error));
          return left;
        }
        await withAdaptiveConcurrency(pending, CONCURRENCY_MAX, async (change) => {
          if (pace.now() >= pace.deadline) {
            fail(change, 'no time left');
            return 'ok';
          }
          try {
            await put(change, epoch);
          } catch (error) {
            if (errorCode(error) !== 'ConditionalCheckFailedException') {
              fail(change, describeError(error));
              return isThrottling(errorCode(error)) ? 'throttled' : 'ok';
            }
          }
          failures.delete(change.sequenceNumber);
          return 'ok';
        });
        return left;
      });
      return {
        failures: [...failures].map(([sequenceNumber, message]) => ({
          sequenceNumber,
          message: `label-ledger: ${message}`,
        })),
        rejections: [],
      };
    },
  };

  /** @throws ConditionalCheckFailedException when the ledger already has this label event or a newer one. */
  async function put(change: TimedChange, epoch: number): Promise<void> {
    const label = change.newLabel as '0' | '1';
    await dynamodb.send(
      new PutItemCommand({
        TableName: stateTable,
        Item: {
          pk: { S: labelKey(change.recordIdentifier) },
          label: { S: label },
          sequenceNumber: { S: paddedSequenceNumber(change.sequenceNumber) },
          epoch: { N: String(epoch) },
          epochLabelShard: { S: epochLabelShard(epoch, label, change.recordIdentifier) },
        },
        ConditionExpression: 'attribute_not_exists(pk) OR sequenceNumber < :sequenceNumber',
        ExpressionAttributeValues: { ':sequenceNumber': { S: paddedSequenceNumber(change.sequenceNumber) } },
      }),
    );
  }
}

function lastLabelPerRecord(changes: readonly TimedChange[]): TimedChange[] {
  const last = new Map<string, TimedChange>();
  for (const change of changes) if (change.newLabel !== undefined) last.set(change.recordIdentifier, change);
  return [...last.values()];
}
