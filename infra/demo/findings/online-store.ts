import {
  BatchGetRecordCommand,
  paginateListRecords,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { Item } from '../customers/item.ts';

/** Most identifiers of one group in a call. Source: BatchGetRecord. */
const IDENTIFIERS_PER_CALL_MAX = 100;

/** A record that is not in the online store what it is in the table. */
export interface Difference {
  readonly recordIdentifier: string;
  readonly feature: string;
  readonly table: string | undefined;
  readonly onlineStore: string | undefined;
}

/**
 * Compares the online store with the table, record by record and feature by feature, as exact text.
 *
 * @param items all items of the table that are not in quarantine.
 */
export async function differencesFrom(
  items: readonly Item[],
  featureStore: SageMakerFeatureStoreRuntimeClient,
  group: FeatureGroup,
): Promise<{ records: number; differences: Difference[] }> {
  const online = await readOnlineStore(featureStore, group);
  const names = [group.recordIdentifier.name, ...columnsOf(group).map(({ name }) => name)];
  const differences: Difference[] = [];
  const inTable = new Map(items.map((item) => [idOf(item, group), expectedRecord(item, group)]));
  for (const id of new Set([...inTable.keys(), ...online.keys()])) {
    for (const feature of names) {
      const [table, onlineStore] = [inTable.get(id)?.get(feature), online.get(id)?.get(feature)];
      if (table !== onlineStore) differences.push({ recordIdentifier: id, feature, table, onlineStore });
    }
  }
  return { records: online.size, differences };
}

/** The record identifier of an item of the example's table. */
export function idOf(item: Item, group: FeatureGroup): string {
  const [attribute = group.recordIdentifier.name] = group.recordIdentifier.attributes;
  return item[attribute]?.S ?? '';
}

function expectedRecord(item: Item, group: FeatureGroup): Map<string, string> {
  const record = new Map([[group.recordIdentifier.name, idOf(item, group)]]);
  for (const { name, feature } of columnsOf(group)) {
    const value = item[feature === 'label' ? group.label.attribute : feature.attribute];
    const text = value?.BOOL === undefined ? (value?.N ?? value?.S) : String(Number(value.BOOL));
    if (text !== undefined) record.set(name, text);
  }
  return record;
}

/** Every live record of the online store, by identifier. */
export async function readOnlineStore(
  featureStore: SageMakerFeatureStoreRuntimeClient,
  group: FeatureGroup,
): Promise<Map<string, Map<string, string>>> {
  const identifiers: string[] = [];
  const pages = paginateListRecords(
    { client: featureStore },
    { FeatureGroupName: group.name, MaxResults: IDENTIFIERS_PER_CALL_MAX },
  );
  for await (const page of pages) identifiers.push(...(page.RecordIdentifiers ?? []));
  const records = new Map<string, Map<string, string>>();
  for (let at = 0; at < identifiers.length; at += IDENTIFIERS_PER_CALL_MAX) {
    const { Records } = await featureStore.send(
      new BatchGetRecordCommand({
        Identifiers: [
          {
            FeatureGroupName: group.name,
            RecordIdentifiersValueAsString: identifiers.slice(at, at + IDENTIFIERS_PER_CALL_MAX),
          },
        ],
      }),
    );
    for (const { RecordIdentifierValueAsString: id = '', Record } of Records ?? []) {
      const features = (Record ?? []).map((it) => [it.FeatureName ?? '', it.ValueAsString ?? ''] as const);
      records.set(id, new Map(features));
    }
  }
  return records;
}
