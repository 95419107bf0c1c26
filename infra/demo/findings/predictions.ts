import { InvokeCommand } from '@aws-sdk/client-lambda';
import type { Customer } from '../customers/customers.ts';
import type { Stage } from '../stage/stage.ts';
import { waitUntil } from '../stage/wait.ts';
import type { Answer } from './report.ts';

/** Longest time, in milliseconds, that `predict` may go on naming the model that was swapped out. It trusts what it read for 10 seconds. */
const SWAP_STALL_MS = 20_000;

/**
 * Asks `predict` for customers it knows, by identifier, and for one it has never seen, by its features: the last answer.
 *
 * @param model the model that serves; `predict` may take some seconds to know it.
 * @throws Error with the function's own words when it refuses.
 */
export async function predict(
  stage: Stage,
  known: readonly Customer[],
  fresh: object,
  model: string,
): Promise<Answer[]> {
  const { name } = stage.group.recordIdentifier;
  const records = [...known.map(({ id }) => ({ [name]: id })), { features: fresh }];
  let answers: Answer[] = [];
  await waitUntil(SWAP_STALL_MS, async () => {
    answers = await invoke(stage, { records });
    return { over: answers.every((answer) => answer.model === model), seen: answers[0]?.model ?? '' };
  });
  return answers.map(({ score, predicted_label, model: by }) => ({ score, predicted_label, model: by }));
}

async function invoke({ clients, names }: Stage, request: object): Promise<Answer[]> {
  const { Payload, FunctionError } = await clients.lambda.send(
    new InvokeCommand({ FunctionName: names.predictFunction, Payload: JSON.stringify(request) }),
  );
  const answer = JSON.parse(Buffer.from(Payload ?? []).toString('utf8'));
  if (FunctionError) throw new Error(`${names.predictFunction} answers: ${answer.errorMessage}`);
  return answer.predictions;
}
