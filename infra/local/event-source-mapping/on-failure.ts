import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '../storage/object-store.ts';
import { eventText, type HeldRecord } from './stream-record.ts';

/** Why records were given up. Source: "Retaining discarded records", DynamoDB. */
export type DiscardCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

export interface Discarded {
  readonly mapping: string;
  readonly functionArn: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly condition: DiscardCondition;
  readonly records: readonly HeldRecord[];
  readonly invocations: number;
  /** The last invocation with these records; absent when there was none. */
  readonly last: { readonly requestId: string; readonly functionError?: string | undefined } | undefined;
}

/**
 * Writes the invocation record of discarded records to an S3 bucket, whole event included, in the shape and under the
 * key of https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export async function sendToBucket(objects: ObjectStore, bucket: string, discarded: Discarded): Promise<string> {
  const at = new Date();
  const key = objectKey(discarded.mapping, discarded.shardId, at);
  await objects.put(bucket, key, JSON.stringify(invocationRecord(discarded, at)));
  return key;
}

function objectKey(mapping: string, shardId: string, at: Date): string {
  const [day = '', time = ''] = at.toISOString().slice(0, 19).split('T');
  return `aws/lambda/${mapping}/${shardId}/${day.replaceAll('-', '/')}/${day}T${time.replaceAll(':', '.')}-${randomUUID()}`;
}

function invocationRecord(discarded: Discarded, at: Date): object {
  const { records, last } = discarded;
  const arrival = (record: HeldRecord | undefined) =>
    `${new Date((record?.creationSeconds ?? 0) * 1_000).toISOString().slice(0, 19)}Z`;
  return {
    requestContext: {
      requestId: last?.requestId ?? randomUUID(),
      functionArn: discarded.functionArn,
      condition: discarded.condition,
      approximateInvokeCount: discarded.invocations,
    },
    ...(last && {
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        ...(last.functionError !== undefined && { functionError: last.functionError }),
      },
    }),
    version: '1.0',
    timestamp: at.toISOString(),
    DDBStreamBatchInfo: {
      shardId: discarded.shardId,
      startSequenceNumber: records[0]?.sequenceNumber,
      endSequenceNumber: records.at(-1)?.sequenceNumber,
      approximateArrivalOfFirstRecord: arrival(records[0]),
      approximateArrivalOfLastRecord: arrival(records.at(-1)),
      batchSize: records.length,
      streamArn: discarded.streamArn,
    },
    // The event is escaped JSON text within the JSON.
    payload: eventText(records),
  };
}
