import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetRecordCommand,
  type FeatureValue,
  GetRecordCommand,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { FeatureTexts } from '../model/encode.ts';
import { PredictionRefused, STATUS } from './refusal.ts';

/** Rounds of asking for what BatchGetRecord left unprocessed, and the pause before the second, which then doubles. */
const ROUNDS_MAX = 4;
const ROUND_PAUSE_MS = 50;

/**
 * Reads the features of records from the online store, by record identifier. Records that are not there, or deleted,
 * are missing from the answer. One record is read by GetRecord, whose quota is twenty times that of BatchGetRecord.
 *
 * @param recordIdentifiers at most 100.
 * @throws PredictionRefused (429) when part of them stayed unprocessed.
 */
export async function readOnlineFeatures(
  featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>,
  featureGroup: string,
  recordIdentifiers: readonly string[],
  abortSignal: AbortSignal,
): Promise<Map<string, FeatureTexts>> {
  const [first, ...others] = new Set(recordIdentifiers);
  if (first === undefined) return new Map();
  if (others.length > 0) return readBatch(featureStore, featureGroup, [first, ...others], abortSignal);
  const { Record: record } = await featureStore.send(
    new GetRecordCommand({ FeatureGroupName: featureGroup, RecordIdentifierValueAsString: first }),
    { abortSignal },
  );
  return new Map(record?.length ? [[first, textsOf(record)]] : []);
}

async function readBatch(
  featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>,
  featureGroup: string,
  recordIdentifiers: readonly string[],
  abortSignal: AbortSignal,
): Promise<Map<string, FeatureTexts>> {
  const found = new Map<string, FeatureTexts>();
  let pending = [...recordIdentifiers];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (round > 0) await sleep(ROUND_PAUSE_MS * 2 ** (round - 1));
    const { Records, Errors, UnprocessedIdentifiers } = await featureStore.send(
      new BatchGetRecordCommand({
        Identifiers: [{ FeatureGroupName: featureGroup, RecordIdentifiersValueAsString: pending }],
      }),
      { abortSignal },
    );
    const error = Errors?.[0];
    if (error) throw Object.assign(new Error(error.ErrorMessage), { name: error.ErrorCode });
    for (const { RecordIdentifierValueAsString: identifier, Record: record } of Records ?? []) {
      if (identifier !== undefined && record?.length) found.set(identifier, textsOf(record));
    }
    pending = (UnprocessedIdentifiers ?? []).flatMap((it) => it.RecordIdentifiersValueAsString ?? []);
    if (pending.length === 0) return found;
  }
  throw new PredictionRefused(
    STATUS.throttled,
    `${pending.length} records could not be read now: try again in a moment.`,
  );
}

function textsOf(record: readonly FeatureValue[]): FeatureTexts {
  return Object.fromEntries(record.map((it) => [it.FeatureName, it.ValueAsString]));
}
