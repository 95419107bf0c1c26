import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Encoding } from '../model/encoding.ts';
import { encodingKey } from './keys.ts';
import { type StateTable, unlessConditionFails } from './table.ts';

/**
 * Encodings by their hash. They are in the state table, and not beside the models in S3, because predict reads it
 * already: a client of S3 would cost every cold start. An encoding is shorter than the queries made of it, which fit
 * into an execution's input, so it fits into an item.
 */

/** Keeps an encoding. Idempotent: what is kept under a hash is what the hash says, so the first write stays. */
export function writeEncoding(table: StateTable, encoding: Encoding): Promise<boolean> {
  return unlessConditionFails(() =>
    table.dynamodb.send(
      new PutItemCommand({
        TableName: table.name,
        Item: marshall({
          ...{ pk: encodingKey(encoding.schemaHash), features: JSON.stringify(encoding.features) },
          ...(encoding.label && { label: JSON.stringify(encoding.label) }),
        }),
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    ),
  );
}

/** Reads an encoding; undefined when none was kept under the hash, as by version 0.1.0. */
export async function readEncoding(table: StateTable, schemaHash: string): Promise<Encoding | undefined> {
  const { Item } = await table.dynamodb.send(
    new GetItemCommand({ TableName: table.name, Key: { pk: { S: encodingKey(schemaHash) } } }),
  );
  const text = Item?.features?.S;
  if (text === undefined) return undefined;
  const label = Item?.label?.S;
  return { schemaHash, features: JSON.parse(text), ...(label !== undefined && { label: JSON.parse(label) }) };
}
