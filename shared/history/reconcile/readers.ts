import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetRecordCommand,
  ListRecordsCommand,
  type SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { chunksOf } from '../../calls/chunks.ts';
import { paceUntil, type Time, unprocessed, untilDeadline } from '../../calls/pace.ts';
import { toEventImage } from '../../changes/attribute-value.ts';
import { featureTexts } from '../../changes/change.ts';
import { isRejection, isSkipped, makeDecoder } from '../../changes/decode.ts';
import { identifierOf, keyTexts } from '../../changes/record-identifier.ts';
import { columnsOf, type FeatureGroup } from '../../definition/feature-group.ts';
import { type Item, readSourceItems } from '../../delivery/source-items.ts';
import { randomSegments } from '../table/random-segments.ts';
import { type Page, type Scan, scanPages } from '../table/scan.ts';
import type { OnlineReader, OnlineRecord, TableReader, TableRecord } from './stores.ts';

/** Most identifiers of one call. Source: BatchGetRecord, and ListRecords for its pages. */
const IDENTIFIERS_PER_CALL_MAX = 100;
/** Calls in flight at once. */
const CONCURRENCY_MAX = 8;
/** Time in which records are read, or it is given up, in milliseconds. */
const READ_MS = 120_000;

const paceOf = (time: Time) => paceUntil(time, time.now() + READ_MS);

/** Reads items as the definition has them. */
export function tableReader(
  group: FeatureGroup,
  dynamodb: Pick<DynamoDBClient, 'send'>,
  scan: Omit<Scan, 'table' | 'consistent'>,
): TableReader {
  const read = recordReader(group);
  const how = { ...scan, table: group.table, consistent: true };
  async function* recordsOf(pages: AsyncIterable<Page>) {
    for await (const { items } of pages) yield items.flatMap((item) => read(item) ?? []);
  }
  return {
    scan: () => recordsOf(scanPages(dynamodb, how)),
    sample: () => recordsOf(randomSegments(dynamodb, how)),
    async read(ids) {
      const keys = new Map(ids.flatMap((id) => (isIdentifier(group, id) ? [[id, keysOf(group, id)] as const] : [])));
      const { found, unread } = await readSourceItems(group, dynamodb, keys, paceOf(scan.time));
      const [why] = unread.values();
      if (why !== undefined) throw new Error(`${unread.size} items of ${group.table} were not read: ${why}`);
      const records = [...found.values()].flatMap((item) => (item && read(item)) ?? []);
      return new Map(records.flatMap((it) => (it.id === undefined ? [] : [[it.id, it] as const])));
    },
  };
}

/** The key of the item that a record identifier was made of. @throws Error when it is none of this definition. */
export function keysOf(group: FeatureGroup, id: string): Item {
  const { attributes, types } = group.recordIdentifier;
  const texts = keyTexts(group, id);
  const key = attributes.map((name, index) => {
    const text = texts[name] ?? '';
    return [name, types[index] === 'N' ? { N: text } : { S: text }] as const;
  });
  return Object.fromEntries(key);
}

/** Whether there could be an item of that record identifier: whoever else writes to a store may call its records anything. */
function isIdentifier(group: FeatureGroup, id: string): boolean {
  try {
    return identifierOf(toEventImage(keysOf(group, id)) as Parameters<typeof identifierOf>[0], group) === id;
  } catch {
    return false;
  }
}

/** Makes the reader of items. It answers undefined for those that are no records. */
function recordReader(group: FeatureGroup): (item: Item) => TableRecord | undefined {
  const decode = makeDecoder(group);
  return (item) => {
    const image = toEventImage(item) as Record<string, never>;
    const Keys = Object.fromEntries(group.recordIdentifier.attributes.map((name) => [name, image[name] as never]));
    const decoded = decode({
      eventName: 'INSERT',
      // No change is made of it, so that any second and any number will do.
      dynamodb: { ApproximateCreationDateTime: 0, SequenceNumber: '1', Keys, NewImage: image },
    });
    if (isSkipped(decoded)) return undefined;
    if (isRejection(decoded)) {
      const id = identifierOf(Keys, group);
      const rejection = `${decoded.reason} at ${decoded.path}: ${decoded.message}`;
      return { id: typeof id === 'string' ? id : undefined, texts: undefined, rejection };
    }
    const texts = featureTexts(group, decoded).map((text) => text ?? null);
    return { id: decoded.recordIdentifier, texts };
  };
}

/** Reads the online store. */
export function onlineReader(
  group: FeatureGroup,
  featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>,
  time: Time,
): OnlineReader {
  const { name: FeatureGroupName } = group;
  return {
    async read(ids) {
      const found = new Map<string, OnlineRecord>();
      const pace = paceOf(time);
      const calls = chunksOf(ids, IDENTIFIERS_PER_CALL_MAX);
      const unread = await untilDeadline(calls, { pace, concurrencyMax: CONCURRENCY_MAX }, async (call) => {
        const answer = await featureStore.send(
          new BatchGetRecordCommand({ Identifiers: [{ FeatureGroupName, RecordIdentifiersValueAsString: [...call] }] }),
          { abortSignal: pace.signal },
        );
        for (const { RecordIdentifierValueAsString: id = '', Record = [] } of answer.Records ?? []) {
          found.set(id, onlineRecord(group, Record));
        }
        const [failed] = answer.Errors ?? [];
        if (failed) throw new Error(`${failed.ErrorCode}: ${failed.ErrorMessage}`);
        const left = (answer.UnprocessedIdentifiers ?? []).flatMap((it) => it.RecordIdentifiersValueAsString ?? []);
        return left.length > 0 ? unprocessed(left) : undefined;
      });
      const [first] = unread;
      if (first) throw new Error(`Records of the feature group ${group.name} were not read: ${first.message}`);
      return found;
    },
    // A page may have more or fewer: for the tier InMemory, MaxResults is a hint. Source: ListRecords.
    async page(after) {
      const { RecordIdentifiers = [], NextToken } = await featureStore.send(
        new ListRecordsCommand({ FeatureGroupName, MaxResults: IDENTIFIERS_PER_CALL_MAX, NextToken: after }),
      );
      return { ids: RecordIdentifiers, next: NextToken };
    },
  };
}

function onlineRecord(
  group: FeatureGroup,
  values: readonly { readonly FeatureName?: string | undefined; readonly ValueAsString?: string | undefined }[],
): OnlineRecord {
  const texts = new Map(values.map((it) => [it.FeatureName, it.ValueAsString ?? null]));
  return {
    texts: columnsOf(group).map(({ name }) => texts.get(name) ?? null),
    eventTime: texts.get(group.eventTime.name) ?? '',
  };
}
