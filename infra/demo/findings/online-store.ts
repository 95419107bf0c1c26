import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetRecordCommand,
  paginateListRecords,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Item } from '../customers/item.ts';
import type { Material } from '../stage/material.ts';

/** Most identifiers of one group in a call. Source: BatchGetRecord. */
const IDENTIFIERS_PER_CALL_MAX = 100;
/** Rounds of asking for what a call left unprocessed, and the pause before the second, in milliseconds, which then doubles. */
const ROUNDS_MAX = 6;
const ROUND_PAUSE_MS = 100;

/** A record that is not in the online store what it is in the table. */
export interface Difference {
  readonly recordIdentifier: string;
  readonly feature: string;
  readonly table: string | undefined;
  readonly onlineStore: string | undefined;
}

/**
 * Compares the online store with the table, record by record and feature by feature, as exact text. Only what differs is
 * kept, and a page of both at a time.
 *
 * @param pages all items of the table that are not in quarantine.
 */
export async function differencesFrom(
  pages: AsyncIterable<readonly Item[]>,
  featureStore: SageMakerFeatureStoreRuntimeClient,
  group: FeatureGroup,
  { idOf, recordOf }: Pick<Material, 'idOf' | 'recordOf'>,
): Promise<{ records: number; differences: Difference[] }> {
  const online = new Set(await listIdentifiers(featureStore, group));
  const records = online.size;
  const names = [group.recordIdentifier.name, ...columnsOf(group).map(({ name }) => name)];
  const differences: Difference[] = [];
  const compare = (
    recordIdentifier: string,
    inTable: ReadonlyMap<string, string> | undefined,
    stored: ReadonlyMap<string, string> | undefined,
  ) => {
    for (const feature of names) {
      const [table, onlineStore] = [inTable?.get(feature), stored?.get(feature)];
      if (table !== onlineStore) differences.push({ recordIdentifier, feature, table, onlineStore });
    }
  };
  for await (const items of pages) {
    const stored = await readRecords(
      featureStore,
      group,
      items.map((item) => idOf(item)),
    );
    for (const item of items) {
      const id = idOf(item);
      online.delete(id);
      compare(id, recordOf(item), stored.get(id));
    }
  }
  for (const [id, stored] of await readRecords(featureStore, group, [...online])) compare(id, undefined, stored);
  return { records, differences };
}

/** Every live record of the online store, by identifier. */
export async function readOnlineStore(
  featureStore: SageMakerFeatureStoreRuntimeClient,
  group: FeatureGroup,
): Promise<Map<string, Map<string, string>>> {
  return readRecords(featureStore, group, await listIdentifiers(featureStore, group));
}

async function listIdentifiers(
  featureStore: SageMakerFeatureStoreRuntimeClient,
  group: FeatureGroup,
): Promise<string[]> {
  const identifiers: string[] = [];
  const pages = paginateListRecords(
    { client: featureStore },
    { FeatureGroupName: group.name, MaxResults: IDENTIFIERS_PER_CALL_MAX },
  );
  for await (const page of pages) identifiers.push(...(page.RecordIdentifiers ?? []));
  return identifiers;
}

/** Those records of `identifiers` that there are. @throws Error when some could not be read. */
async function readRecords(
  featureStore: SageMakerFeatureStoreRuntimeClient,
  group: FeatureGroup,
  identifiers: readonly string[],
): Promise<Map<string, Map<string, string>>> {
  const records = new Map<string, Map<string, string>>();
  const read = async (RecordIdentifiersValueAsString: string[]): Promise<string[]> => {
    const { Records, Errors, UnprocessedIdentifiers } = await featureStore.send(
      new BatchGetRecordCommand({ Identifiers: [{ FeatureGroupName: group.name, RecordIdentifiersValueAsString }] }),
    );
    const [failed] = Errors ?? [];
    if (failed) {
      throw new Error(`Records of ${group.name} could not be read: ${failed.ErrorCode}: ${failed.ErrorMessage}`);
    }
    for (const { RecordIdentifierValueAsString: id = '', Record } of Records ?? []) {
      const features = (Record ?? []).map((it) => [it.FeatureName ?? '', it.ValueAsString ?? ''] as const);
      records.set(id, new Map(features));
    }
    return (UnprocessedIdentifiers ?? []).flatMap((it) => it.RecordIdentifiersValueAsString ?? []);
  };
  for (let at = 0; at < identifiers.length; at += IDENTIFIERS_PER_CALL_MAX) {
    let left = await read(identifiers.slice(at, at + IDENTIFIERS_PER_CALL_MAX));
    for (let round = 1; left.length > 0 && round < ROUNDS_MAX; round += 1) {
      await sleep(ROUND_PAUSE_MS * 2 ** (round - 1));
      left = await read(left);
    }
    if (left.length > 0) throw new Error(`${left.length} records of ${group.name} stayed unprocessed: run it again.`);
  }
  return records;
}
