import { BatchProcessorSync, EventType, processPartialResponseSync } from '@aws-lambda-powertools/batch';
import { DynamoDBMarshalled } from '@aws-lambda-powertools/parser/helpers/dynamodb';
import { DynamoDBStreamRecord } from '@aws-lambda-powertools/parser/schemas/dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { stringify } from 'csv-stringify/sync';
import Papa from 'papaparse';
import * as z from 'zod';
import { columnsOf, type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';

/**
 * What a user would otherwise write, each as the documentation of its packages shows it. The checks are those of the
 * definition; what the packages cannot do is left out in their favor: numbers go through a double, and rows are not
 * escaped for Athena, nothing is ordered by event time, and no rejected record is explained.
 */

type Item = Readonly<Record<string, string | number | boolean | undefined>>;

/** A zod schema of the item, as a user writes it by hand. */
export function itemSchema(group: FeatureGroup) {
  const shape: Record<string, z.ZodType> = {
    [group.recordIdentifier.name]: z.string(),
    [labelOf(group).attribute]: z.int().min(0).max(1).optional(),
  };
  for (const feature of group.features) {
    const schema = schemaOf(feature);
    shape[feature.attribute] = feature.optional ? schema.optional() : schema;
  }
  return z.object(shape);
}

function schemaOf(feature: FeatureGroup['features'][number]): z.ZodType {
  switch (feature.type) {
    case 'categorical':
      return z.enum(feature.categories);
    case 'boolean':
      return z.boolean();
    case 'string':
    case 'hashed':
      return z.string();
    case 'timestamp':
      return z.iso.datetime();
    case 'integral':
      return z
        .int()
        .min(Number(feature.min ?? Number.MIN_SAFE_INTEGER))
        .max(Number(feature.max ?? Number.MAX_SAFE_INTEGER));
    case 'fractional':
      return z
        .number()
        .min(feature.min ?? Number.NEGATIVE_INFINITY)
        .max(feature.max ?? Number.POSITIVE_INFINITY);
  }
}

export interface Encoded {
  readonly csv: string;
  readonly records: readonly { FeatureName: string; ValueAsString: string }[][];
}

type ToCsv = (rows: unknown[][]) => string;
export const csvStringify: ToCsv = (rows) => stringify(rows);
export const papaparse: ToCsv = (rows) => Papa.unparse(rows);

/** `unmarshall` and zod for every record, the record of PutRecord, and a library's CSV. */
export function unmarshallAndZod(group: FeatureGroup, toCsv: ToCsv): (event: DynamoDBStreamEvent) => Encoded {
  const schema = itemSchema(group);
  const encode = encoder(group, toCsv);
  return ({ Records }) =>
    encode(
      Records.flatMap((record) => {
        const item = unmarshall(record.dynamodb?.NewImage as Parameters<typeof unmarshall>[0]);
        const parsed = schema.safeParse(item);
        return parsed.success ? [{ record, item: parsed.data as Item }] : [];
      }),
    );
}

/** Powertools: its batch processor, and its parser with the schema of a stream record. */
export function powertools(
  group: FeatureGroup,
  toCsv: ToCsv,
): (event: DynamoDBStreamEvent, context: Context) => Encoded {
  const processor = new BatchProcessorSync(EventType.DynamoDBStreams);
  const schema = DynamoDBStreamRecord.extend({
    dynamodb: z.object({ NewImage: DynamoDBMarshalled(itemSchema(group)), SequenceNumber: z.string() }),
  });
  const encode = encoder(group, toCsv);
  return (event, context) => {
    const decoded: { record: DynamoDBRecord; item: Item }[] = [];
    processPartialResponseSync(
      event,
      (record: unknown) => {
        const parsed = schema.parse(record);
        decoded.push({ record: record as DynamoDBRecord, item: parsed.dynamodb.NewImage as Item });
      },
      processor,
      { context },
    );
    return encode(decoded);
  };
}

function encoder(group: FeatureGroup, toCsv: ToCsv) {
  const identifier = group.recordIdentifier.name;
  const names = columnsOf(group).map(({ name }) => name);
  return (decoded: readonly { record: DynamoDBRecord; item: Item }[]): Encoded => {
    const latest = new Map<unknown, Encoded['records'][number]>();
    const rows = decoded.map(({ record: { dynamodb, eventName }, item }) => {
      const time = new Date(Number(dynamodb?.ApproximateCreationDateTime) * 1_000).toISOString();
      const values = [
        { FeatureName: identifier, ValueAsString: String(item[identifier]) },
        { FeatureName: group.eventTime.name, ValueAsString: time },
      ];
      for (const name of names) {
        if (item[name] !== undefined) values.push({ FeatureName: name, ValueAsString: String(item[name]) });
      }
      latest.set(item[identifier], values);
      return [dynamodb?.SequenceNumber, eventName, time, false, item[identifier], ...names.map((name) => item[name])];
    });
    return { csv: toCsv(rows), records: [...latest.values()] };
  };
}

/** Bodies of BatchWriteRecord as the SDK makes them of its input; their sizes, as each is dropped once it is sent. */
export function toBodies(group: FeatureGroup, { csv, records }: Encoded): { csv: string; bodyBytes: number[] } {
  const bodyBytes: number[] = [];
  for (let at = 0; at < records.length; at += 25) {
    const entries = records.slice(at, at + 25).map((Record) => ({ FeatureGroupName: group.name, Record }));
    bodyBytes.push(Buffer.from(JSON.stringify({ Entries: entries })).length);
  }
  return { csv, bodyBytes };
}
