import { type AttributeValue, DescribeTableCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetRecordCommand } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { CHANGE_LOG_TABLE, COPIES, RECENCY, sqlName, sqlText } from '../../shared/change-log/sql.ts';
import { toEventImage } from '../../shared/changes/attribute-value.ts';
import { featureTexts } from '../../shared/changes/change.ts';
import { isRejection, isSkipped, makeDecoder } from '../../shared/changes/decode.ts';
import { keyTexts } from '../../shared/changes/record-identifier.ts';
import { columnsOf, type FeatureGroup } from '../../shared/definition/feature-group.ts';
import { untilSecondSql } from './moment.ts';
import { queryRows, type Value } from './query.ts';
import { asOfSql } from './records.ts';
import type { Sources } from './sources.ts';

/** One record as it lies in each of its places: item, online store, change log. */

/** Most changes of one record that are read: a day of one each five seconds. */
const CHANGES_MAX = 20_000;

/** Values of the features and the label, by name; null where there is none. */
export type Features = Readonly<Record<string, Value>>;

/** A record in a store: its event time, and its features. */
export interface StoredRecord {
  readonly eventTime: string;
  readonly features: Features;
}

/** A row of the change log. */
export interface LoggedChange extends StoredRecord {
  readonly sequenceNumber: string;
  readonly eventName: string;
  readonly ttlExpired: boolean;
}

/** An item as the table holds it, and the features that the definition makes of it. */
export interface SourceItem {
  readonly item: Record<string, AttributeValue>;
  readonly features: Features;
  /** Why the definition does not take the item; null: it does. */
  readonly rejection: string | null;
}

/** The record in the online store; undefined when it is not there, or deleted. */
export async function readOnline({ featureStore, group }: Sources, id: string): Promise<StoredRecord | undefined> {
  const { Record: found = [] } = await featureStore.send(
    new GetRecordCommand({ FeatureGroupName: group.name, RecordIdentifierValueAsString: id }),
  );
  if (found.length === 0) return undefined;
  const values = new Map(found.map((it) => [it.FeatureName ?? '', it.ValueAsString ?? null]));
  return {
    eventTime: values.get(group.eventTime.name) ?? '',
    features: featuresOf(group, (name) => values.get(name) ?? null),
  };
}

/** The item in the table, read consistently; undefined when it is not there. */
export async function readItem({ dynamodb, group }: Sources, id: string): Promise<SourceItem | undefined> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: group.table }));
  const types = new Map((Table?.AttributeDefinitions ?? []).map((it) => [it.AttributeName, it.AttributeType]));
  const texts = keyTexts(group, id);
  const key = Object.entries(texts).map(([name, text]) => [name, types.get(name) === 'N' ? { N: text } : { S: text }]);
  const { Item: item } = await dynamodb.send(
    new GetItemCommand({ TableName: group.table, Key: Object.fromEntries(key), ConsistentRead: true }),
  );
  return item && sourceItem(group, item);
}

/** The features of an item, by the very decoder that ingest has. */
export function sourceItem(group: FeatureGroup, item: Record<string, AttributeValue>): SourceItem {
  const image = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toEventImage(value)]));
  const keys = Object.fromEntries(group.recordIdentifier.attributes.map((name) => [name, image[name]]));
  const decoded = makeDecoder(group)({
    eventName: 'INSERT',
    dynamodb: {
      ...{ Keys: keys, NewImage: image, SequenceNumber: '1', StreamViewType: 'NEW_AND_OLD_IMAGES' },
      ApproximateCreationDateTime: Math.floor(Date.now() / 1_000),
    },
  });
  if (isRejection(decoded) || isSkipped(decoded)) {
    const rejection = isSkipped(decoded)
      ? 'it is none of the items that the definition takes'
      : `${decoded.reason} at ${decoded.path}: ${decoded.message}`;
    return { item, features: featuresOf(group, () => null), rejection };
  }
  const texts = featureTexts(group, decoded);
  const values = new Map(columnsOf(group).map(({ name }, index) => [name, texts[index] ?? null]));
  const { wrongLabel } = decoded;
  const rejection = wrongLabel ? `${wrongLabel.reason} at ${wrongLabel.path}: ${wrongLabel.message}` : null;
  return { item, features: featuresOf(group, (name) => values.get(name) ?? null), rejection };
}

/** The changes of a record in their order, copies left out. @param second last second that counts; all of them without. */
export async function readHistory(sources: Sources, id: string, second?: string): Promise<LoggedChange[]> {
  const { group, names } = sources;
  const { rows } = await queryRows(sources, historySql(group, names.database, id, second), { rowsMax: CHANGES_MAX });
  return rows.map(([sequenceNumber, eventName, eventTime, ttlExpired, ...values]) => ({
    ...{ sequenceNumber: sequenceNumber ?? '', eventName: eventName ?? '', eventTime: eventTime ?? '' },
    ttlExpired: ttlExpired === 'true',
    features: byColumn(group, values),
  }));
}

/** The record as the change log has it at the end of a second; undefined when it was not there. */
export async function readAsOf(sources: Sources, id: string, second: string): Promise<StoredRecord | undefined> {
  const { group, names } = sources;
  const sql = asOfSql(group, names.database, second, ` AND ${isRecordSql(group, id)}`);
  const [row] = (await queryRows(sources, sql, { rowsMax: 1 })).rows;
  if (!row) return undefined;
  const [, eventTime, ...values] = row;
  return { eventTime: eventTime ?? '', features: byColumn(group, values) };
}

function historySql(group: FeatureGroup, database: string, id: string, second: string | undefined): string {
  const columns = columnsOf(group).map(({ name }) => sqlName(name));
  const selected = ['"sequence_number"', '"event_name"', '"event_time"', '"ttl_expired"', ...columns];
  return `SELECT ${selected.join(', ')}
FROM (
  SELECT *, row_number() OVER (PARTITION BY ${COPIES} ORDER BY "event_time", "dt") AS "_copy"
  FROM ${sqlName(database)}.${sqlName(CHANGE_LOG_TABLE)}
  WHERE ${isRecordSql(group, id)}${second === undefined ? '' : ` AND ${untilSecondSql(second)}`}
) AS "copies"
WHERE "_copy" = 1
ORDER BY ${RECENCY}`;
}

const isRecordSql = (group: FeatureGroup, id: string): string =>
  `${sqlName(group.recordIdentifier.name)} = ${sqlText(id)}`;

const byColumn = (group: FeatureGroup, values: readonly (Value | undefined)[]): Features =>
  Object.fromEntries(columnsOf(group).map(({ name }, index) => [name, values[index] ?? null]));

/** In the order of the definition, the label last. */
const featuresOf = (group: FeatureGroup, read: (name: string) => Value): Features =>
  Object.fromEntries([...group.features, ...(group.label ? [group.label] : [])].map(({ name }) => [name, read(name)]));
