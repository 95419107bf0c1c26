import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type FeatureGroup, labelOf } from '../../../shared/definition/feature-group.ts';
import { labelAt, labelValue, sampleItem } from './sample-item.ts';

/** Items written: four of five are labeled, where the definition has a label. One in ten, which has no label, is deleted again where that deletes its record. */
const ITEMS = 600;

/** Items whose label says the opposite of their features: one in so many, as labels are never clean. */
const NOISE_EVERY = 7;

/** Where an item's features lie, 0 to 1, evenly spread over every run of numbers. */
const positionOf = (n: number): number => (n * 0.6180339887498949) % 1;

/**
 * Writes, labels and deletes items whose label follows from their features, so that a model can learn it. One after the
 * other: the order is part of what is tested.
 *
 * @param run what the items' keys begin with, so that two runs have items of their own.
 */
export async function changeItems(group: FeatureGroup, dynamodb: DynamoDBClient, run: number): Promise<void> {
  const TableName = group.table;
  for (let n = 0; n < ITEMS; n += 1) {
    const item = sampleItem(group, `${run}${n}`, positionOf(n));
    const Key = Object.fromEntries(
      group.recordIdentifier.attributes.map((name) => [name, item[name] as AttributeValue] as const),
    );
    await dynamodb.send(new PutItemCommand({ TableName, Item: item }));
    if (n % 5 !== 4) {
      if (group.label) await setLabel(dynamodb, group, Key, labelOfNth(group, n));
    } else if (n % 10 === 9 && group.onDelete === 'delete') {
      await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
    }
  }
}

/** Labels that follow from the features, but for one now and then, which is that of the opposite position. */
const labelOfNth = (group: FeatureGroup, n: number): string =>
  labelAt(group, n % NOISE_EVERY === 0 ? 1 - positionOf(n) : positionOf(n));

async function setLabel(
  dynamodb: DynamoDBClient,
  group: FeatureGroup,
  Key: Record<string, AttributeValue>,
  label: string,
): Promise<void> {
  await dynamodb.send(
    new UpdateItemCommand({
      ...{ TableName: group.table, Key, UpdateExpression: 'SET #label = :label' },
      ExpressionAttributeNames: { '#label': labelOf(group).attribute },
      ExpressionAttributeValues: { ':label': labelValue(group, label) },
    }),
  );
}
