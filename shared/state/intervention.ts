import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { moves } from './epochs.ts';
import { EPOCH_KEY } from './keys.ts';
import type { StateTable } from './table.ts';

/**
 * How people intervene in the loop, in the item that it moves by. Each write is idempotent: it says what is to be, and
 * an answer that was given is not taken back.
 */

/** From now on no training is claimed but by a person; one that is in flight does not deploy its model. */
export async function pauseLoop(table: StateTable, reason: string, nowMs: number): Promise<void> {
  await table.dynamodb.send(
    new UpdateItemCommand({
      TableName: table.name,
      Key: { pk: { S: EPOCH_KEY } },
      UpdateExpression: 'SET paused = :paused',
      ExpressionAttributeValues: marshall({ ':paused': { atMs: nowMs, reason } }),
    }),
  );
}

/** Trainings are claimed again as the policy says. @returns whether the loop was paused. */
export async function resumeLoop(table: StateTable): Promise<boolean> {
  const { Attributes } = await table.dynamodb.send(
    new UpdateItemCommand({
      TableName: table.name,
      Key: { pk: { S: EPOCH_KEY } },
      UpdateExpression: 'REMOVE paused',
      ReturnValues: 'ALL_OLD',
    }),
  );
  return Attributes?.paused !== undefined;
}

type Attempt = { readonly epoch: number; readonly attempt: number };

const IN_FLIGHT = '#training.#epoch = :epoch AND #training.#attempt = :attempt';

/** Asks people whether a challenger may be promoted. @returns false when it was asked before, or is over. */
export function askForApproval(
  table: StateTable,
  { epoch, attempt }: Attempt,
  question: { modelName: string; reason: string; expiresAtMs: number },
): Promise<boolean> {
  return moves(table, {
    update: 'SET #training.#approval = :question',
    condition: `${IN_FLIGHT} AND attribute_not_exists(#training.#approval)`,
    values: { ':epoch': epoch, ':attempt': attempt, ':question': question },
  });
}

/** A person's answer. @returns false when nothing waits for one (any more). */
export function answerApproval(
  table: StateTable,
  { epoch, attempt }: Attempt,
  answer: { approved: boolean; reason: string; at: string },
): Promise<boolean> {
  return moves(table, {
    update: 'SET #training.#approval.#answer = :answer',
    condition: `${IN_FLIGHT} AND attribute_exists(#training.#approval) AND attribute_not_exists(#training.#approval.#answer)`,
    values: { ':epoch': epoch, ':attempt': attempt, ':answer': answer },
  });
}
