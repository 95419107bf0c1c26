import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod/mini';
import { CHECK_KEY } from './keys.ts';
import { readItem, type StateTable, unlessConditionFails } from './table.ts';

/** The last check of the online store, and the last one that found it equal: a check that stops running is seen by it. */

const countsSchema = z.object({
  /** Records of the table that were looked up online, and records online that were looked up in the table. */
  ...{ compared: z.int(), listed: z.int() },
  /** Of these, the ones that are not online, have other features there, or have no item. */
  ...{ missing: z.int(), differing: z.int(), extra: z.int() },
  /** Items that the definition does not take, which wait in the quarantine bucket if they came by the stream. */
  wrong: z.int(),
  /** Records that lack only features of a later version of the definition. */
  younger: z.int(),
  /** Records of which nothing is said: they went on changing, or ingest is behind. */
  ...{ changing: z.int(), late: z.int() },
});

/** How many records of each kind a check has met. */
export type CheckCounts = Readonly<z.output<typeof countsSchema>>;

/** Records whose difference somebody should look into. */
export const driftedOf = ({ missing, differing, extra }: CheckCounts): number => missing + differing + extra;

const checkSchema = z.object({
  /** Since when a check is waited for, and when the last one ended, in epoch milliseconds. */
  sinceMs: z.int(),
  atMs: z.optional(z.int()),
  /** When the last one ended that found no difference. */
  equalAtMs: z.optional(z.int()),
  counts: z.optional(countsSchema),
  /** Where the next one goes on with the list of what is online; null for its beginning. */
  listAfter: z._default(z.nullable(z.string()), null),
});

/** The state of the checks. */
export type CheckState = Readonly<z.output<typeof checkSchema>>;

/** The state of the checks (consistent read); undefined before anybody waits for one. */
export const readCheck = (table: StateTable): Promise<CheckState | undefined> =>
  readItem(table, CHECK_KEY, checkSchema);

/** Waits for the first check from now on. Idempotent by condition: who waits already has waited for longer. */
export async function awaitCheck(table: StateTable, nowMs: number): Promise<CheckState> {
  const state = { sinceMs: nowMs, listAfter: null };
  const put = new PutItemCommand({
    TableName: table.name,
    Item: marshall({ pk: CHECK_KEY, ...state }),
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  const isFirst = await unlessConditionFails(() => table.dynamodb.send(put));
  return isFirst ? state : ((await readCheck(table)) ?? state);
}

/** Keeps what a check came to. Idempotent: what is to be is said. The last to end is the one that is kept. */
export async function keepCheck(
  table: StateTable,
  check: Required<Pick<CheckState, 'atMs' | 'counts' | 'listAfter'>> & { readonly isEqual: boolean },
): Promise<void> {
  const { isEqual, ...kept } = check;
  const values = { ...kept, ...(isEqual && { equalAtMs: kept.atMs }) };
  const names = Object.keys(values);
  await table.dynamodb.send(
    new UpdateItemCommand({
      TableName: table.name,
      Key: { pk: { S: CHECK_KEY } },
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}, #sinceMs = if_not_exists(#sinceMs, :atMs)`,
      ExpressionAttributeNames: Object.fromEntries(['sinceMs', ...names].map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: marshall(
        Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
      ),
    }),
  );
}
