import {
  BatchWriteRecordCommand,
  type BatchWriteRecordCommandOutput,
  DeleteRecordCommand,
  type FeatureValue,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { featureTexts, type TimedChange } from '../changes/change.ts';
import { formatEventTime } from '../changes/event-time.ts';
import { columnsOf, type FeatureGroup } from '../definition/feature-group.ts';

/** What came of a batch write: nothing is written that is listed here. */
export type BatchWriteAnswer = Pick<BatchWriteRecordCommandOutput, 'Errors' | 'UnprocessedEntries'>;

/** The two calls that the feature store sink is made of, each until it is aborted. Errors are those that the SDK throws. */
export interface OnlineStore {
  /** A batch begins: whatever belongs to one invocation alone is asked for again. */
  begin(): void;
  /** BatchWriteRecord of 1 to 25 changes, each of another record. */
  batchWrite(changes: readonly TimedChange[], abortSignal: AbortSignal): Promise<BatchWriteAnswer>;
  /** DeleteRecord, soft. */
  delete(change: TimedChange, abortSignal: AbortSignal): Promise<void>;
}

/** The online store through the SDK's own commands. */
export function sdkOnlineStore(
  group: FeatureGroup,
  featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>,
): OnlineStore {
  return {
    begin() {},
    batchWrite: (changes, abortSignal) =>
      featureStore.send(
        new BatchWriteRecordCommand({
          Entries: changes.map((change) => ({ FeatureGroupName: group.name, Record: featureRecord(group, change) })),
        }),
        { abortSignal },
      ),
    async delete(change, abortSignal) {
      await featureStore.send(
        new DeleteRecordCommand({
          FeatureGroupName: group.name,
          RecordIdentifierValueAsString: change.recordIdentifier,
          EventTime: formatEventTime(change.eventTimeMs),
          DeletionMode: 'SoftDelete',
        }),
        { abortSignal },
      );
    },
  };
}

function featureRecord(group: FeatureGroup, change: TimedChange): FeatureValue[] {
  const record = [
    { FeatureName: group.recordIdentifier.name, ValueAsString: change.recordIdentifier },
    { FeatureName: group.eventTime.name, ValueAsString: formatEventTime(change.eventTimeMs) },
  ];
  // A put replaces the whole record: a feature that is left out becomes absent, which is how null is said.
  const texts = featureTexts(group, change);
  for (const [index, { name }] of columnsOf(group).entries()) {
    const text = texts[index];
    if (typeof text === 'string') record.push({ FeatureName: name, ValueAsString: text });
  }
  return record;
}
