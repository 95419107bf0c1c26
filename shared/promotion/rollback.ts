import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeEndpointCommand, type SageMakerClient, UpdateEndpointCommand } from '@aws-sdk/client-sagemaker';
import { readEpochState } from '../state/epochs.ts';
import { type Evidence, markRolledBack, readEvidence, servableOf, servedBefore } from '../state/evidence.ts';
import { readServing, type Serving, writeRolledBackServing } from '../state/serving.ts';
import type { StateTable } from '../state/table.ts';

/** Longest wait for the endpoint to have swapped, in milliseconds. A fleet starts in minutes. */
const SWAP_MS_MAX = 60 * 60_000;

export interface RollbackRequest {
  readonly endpointName: string;
  readonly pollMs: number;
  /** Why, as a person will read it in the status. */
  readonly reason: string;
  /** Model to go to. Default: the one that served before, and was not itself taken back. */
  readonly to?: string | undefined;
}

interface Reached {
  readonly table: StateTable;
  readonly sagemaker: Pick<SageMakerClient, 'send'>;
}

/**
 * Puts an earlier model back behind the endpoint, without downtime, and records that it serves. The model that was
 * left is marked: no later rollback goes to it by itself, and its own training, should it end only now, does not
 * record it again. The next training is compared with the model that was put back.
 *
 * Idempotent: what stopped halfway is done again whole.
 *
 * @returns what has served and what serves.
 * @throws Error with the way out when there is nothing to go back to, or a deployment is under way.
 */
export async function rollBack(
  { table, sagemaker }: Reached,
  request: RollbackRequest,
  now: () => number,
): Promise<{ from: Serving; to: Serving }> {
  const { endpointName, pollMs, reason } = request;
  const from = await readServing(table);
  if (!from) throw new Error('No model serves yet, so there is none to go back to.');
  const { epoch } = await readEpochState(table);
  const to = targetOf(from, await readEvidence(table, epoch), request.to);

  const { EndpointStatus: status, EndpointConfigName: current } = await describe(sagemaker, endpointName);
  if (status !== 'InService') {
    throw new Error(`Endpoint ${endpointName} is ${status}: wait until it is InService, and try again.`);
  }
  if (current !== from.endpointConfigName && current !== to.endpointConfigName) {
    throw new Error(
      `Endpoint ${endpointName} serves ${current}, and ${from.endpointConfigName} is recorded: a training is about to close. Try again in a moment.`,
    );
  }
  if (current !== to.endpointConfigName) await swap(sagemaker, endpointName, to.endpointConfigName, pollMs, now);

  const at = new Date(now()).toISOString();
  await markRolledBack(table, to.epoch, undefined);
  await markRolledBack(table, from.epoch, { at, reason });
  await writeRolledBackServing(table, { from, to, at, reason });
  return { from, to };
}

/** @throws Error naming the models there are when there is no such one. */
function targetOf(from: Serving, evidence: readonly Evidence[], modelName: string | undefined): Serving {
  if (modelName === undefined) {
    const before = servedBefore(from, evidence);
    if (before) return before;
    throw new Error(`No model has served before ${from.modelName} that was not taken back: name one by --to MODEL.`);
  }
  const servable = evidence.flatMap((it) => servableOf(it) ?? []).filter((it) => it.modelName !== from.modelName);
  const found = servable.find((it) => it.modelName === modelName);
  if (found) return found;
  const known = servable.map((it) => it.modelName).join(', ') || 'there is none';
  throw new Error(`--to: found ${modelName}, expected a model that has served before: ${known}.`);
}

/** Updates the endpoint and waits until it serves the configuration. @throws Error when it does not, saying what it does. */
async function swap(
  sagemaker: Reached['sagemaker'],
  endpointName: string,
  endpointConfigName: string,
  pollMs: number,
  now: () => number,
): Promise<void> {
  // Without canary and alarms: the model has served before, and what it takes the place of is not wanted.
  await sagemaker.send(
    new UpdateEndpointCommand({ EndpointName: endpointName, EndpointConfigName: endpointConfigName }),
  );
  for (const deadline = now() + SWAP_MS_MAX; now() < deadline; ) {
    await sleep(pollMs);
    const { EndpointStatus: status, EndpointConfigName: current } = await describe(sagemaker, endpointName);
    if (status === 'InService' && current === endpointConfigName) return;
    if (status === 'InService' || status === 'Failed' || status === 'OutOfService') {
      throw new Error(
        `Endpoint ${endpointName} is ${status} with ${current}, not ${endpointConfigName}: see its events.`,
      );
    }
  }
  throw new Error(`Endpoint ${endpointName} has not swapped in an hour: see its events, and try again.`);
}

function describe(sagemaker: Reached['sagemaker'], endpointName: string) {
  return sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpointName }));
}
