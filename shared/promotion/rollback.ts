import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import {
  CreateEndpointCommand,
  DescribeEndpointConfigCommand,
  type DescribeEndpointOutput,
  type SageMakerClient,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { readEncoding } from '../state/encodings.ts';
import { type EpochState, readEpochState } from '../state/epochs.ts';
import { type Evidence, markRolledBack, readEvidence, servableOf, servedBefore } from '../state/evidence.ts';
import { pauseLoop } from '../state/intervention.ts';
import { forgetRetired, readServing, type Serving, writeRolledBackServing } from '../state/serving.ts';
import type { StateTable } from '../state/table.ts';
import { scalingRefusal, takeOverScaling } from './autoscaling.ts';
import { describeEndpoint, isMissing, scaledTo } from './rollout.ts';

/** Longest wait for the endpoint to have swapped, in milliseconds. A fleet starts in minutes. */
const SWAP_MS_MAX = 60 * 60_000;

export interface RollbackRequest {
  /** Endpoint of what version 0.1.0 has deployed, and what the names of the others begin with. */
  readonly endpointName: string;
  /** Schema of the definition that is deployed. */
  readonly schemaHash: string;
  readonly pollMs: number;
  /** Why, as a person will read it in the status. */
  readonly reason: string;
  /** Model to go to. Default: the one that served before, and was not itself taken back. */
  readonly to?: string | undefined;
}

interface Reached {
  readonly table: StateTable;
  readonly sagemaker: Pick<SageMakerClient, 'send'>;
  readonly autoscaling: ApplicationAutoScalingClient;
}

/** What has served, what serves, and the endpoint that predictions ask now. */
export interface RolledBack {
  readonly from: Serving;
  readonly to: Serving;
  readonly endpointName: string;
}

/**
 * Puts predictions back to an earlier model, without downtime. The loop is paused first, or it would soon put back what
 * was taken away. A model of another schema is served by the endpoint of that schema, which is made again if it is gone:
 * predictions are moved there when it answers. The model that was left is marked: no later rollback goes to it by
 * itself, and its own training, should it end only now, does not record it again.
 *
 * Idempotent: what stopped halfway is done again whole.
 *
 * @throws Error with the way out when there is nothing to go back to, or a deployment is under way; what serves goes on.
 */
export async function rollBack(reached: Reached, request: RollbackRequest, now: () => number): Promise<RolledBack> {
  const { table, sagemaker, autoscaling } = reached;
  const { pollMs, reason } = request;
  const from = await readServing(table);
  if (!from) throw new Error('No model serves yet, so there is none to go back to.');
  const state = await readEpochState(table);
  const to = targetOf(from, await readEvidence(table, state.epoch), request.to);
  const endpointName = to.endpointName ?? request.endpointName;
  await checkServable(reached, to, endpointName, request);
  const endpoint = await describeEndpoint(sagemaker, endpointName);
  checkInService(endpoint, endpointName, { from, to }, state);

  await pauseLoop(table, `rolled back: ${reason}`, now());
  // It may be waiting to be deleted, and has to be there when predictions come.
  await forgetRetired(table, endpointName);
  await deploy(sagemaker, endpoint, endpointName, to.endpointConfigName);
  await untilServing(sagemaker, endpointName, to.endpointConfigName, { pollMs, now });
  const left = from.endpointName ?? request.endpointName;
  if (left !== endpointName) await takeOverScaling(autoscaling, left, endpointName);

  const at = new Date(now()).toISOString();
  await markRolledBack(table, to.epoch, undefined);
  // The recorded model itself is put back when a training has swapped and could not close.
  if (from.epoch !== to.epoch) await markRolledBack(table, from.epoch, { at, reason });
  if (!(await writeRolledBackServing(table, { from, to, at, reason }))) {
    throw new Error(`Another model than ${from.modelName} serves by now: look at the status, and try again.`);
  }
  return { from, to, endpointName };
}

/** @throws Error naming the models there are when there is no such one. */
function targetOf(from: Serving, evidence: readonly Evidence[], modelName: string | undefined): Serving {
  if (modelName === undefined) {
    const before = servedBefore(from, evidence);
    if (before) return before;
    throw new Error(`No model has served before ${from.modelName} that was not taken back: name one by --to MODEL.`);
  }
  const servable = evidence.flatMap((it) => servableOf(it) ?? []);
  const found = servable.find((it) => it.modelName === modelName);
  if (found) return found;
  const known = servable.map((it) => it.modelName).join(', ') || 'there is none';
  throw new Error(`--to: found ${modelName}, expected a model that has served before: ${known}.`);
}

/** @throws Error when the model could not be asked, so that going back to it would stop predictions. */
async function checkServable(
  reached: Reached,
  to: Serving,
  endpointName: string,
  { schemaHash }: RollbackRequest,
): Promise<void> {
  const { table, sagemaker } = reached;
  if (to.schemaHash !== schemaHash && !(await readEncoding(table, to.schemaHash))) {
    throw new Error(
      `Model ${to.modelName} is of schema ${to.schemaHash}, whose encoding is not kept: deploy the definition it was trained with first.`,
    );
  }
  const { ProductionVariants } = await describeConfig(sagemaker, to);
  const refusal = await scalingRefusal(reached, endpointName, ProductionVariants?.[0]?.InstanceType);
  if (refusal !== undefined) throw new Error(refusal);
}

async function describeConfig(sagemaker: Reached['sagemaker'], to: Serving) {
  try {
    return await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: to.endpointConfigName }));
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new Error(
      `Endpoint configuration ${to.endpointConfigName} of model ${to.modelName} is gone: name another model by --to.`,
      { cause },
    );
  }
}

function checkInService(
  endpoint: DescribeEndpointOutput | undefined,
  endpointName: string,
  { from, to }: { from: Serving; to: Serving },
  { training }: EpochState,
): void {
  if (!endpoint) return;
  const { EndpointStatus: status, EndpointConfigName: current } = endpoint;
  if (status !== 'InService') {
    throw new Error(`Endpoint ${endpointName} is ${status}: wait until it is InService, and try again.`);
  }
  const known = [from, to].some((it) => it.endpointConfigName === current);
  const serves = (from.endpointName ?? endpointName) === endpointName;
  // With no training in flight nobody will close that epoch: a person's word counts.
  if (known || !serves || !training) return;
  throw new Error(
    `Endpoint ${endpointName} serves ${current}, and ${from.endpointConfigName} is recorded: a training is about to close. Try again in a moment.`,
  );
}

async function deploy(
  sagemaker: Reached['sagemaker'],
  endpoint: DescribeEndpointOutput | undefined,
  EndpointName: string,
  EndpointConfigName: string,
): Promise<void> {
  if (!endpoint) {
    await sagemaker.send(new CreateEndpointCommand({ EndpointName, EndpointConfigName }));
  } else if (endpoint.EndpointConfigName !== EndpointConfigName) {
    const isScaled = (await scaledTo(sagemaker, endpoint)) !== undefined;
    // Without canary and alarms: the model has served before, and what it takes the place of is not wanted.
    await sagemaker.send(
      new UpdateEndpointCommand({
        ...{ EndpointName, EndpointConfigName },
        ...(isScaled && { RetainAllVariantProperties: true }),
      }),
    );
  }
}

/** Waits until the endpoint serves the configuration. @throws Error when it does not, saying what it does. */
async function untilServing(
  sagemaker: Reached['sagemaker'],
  endpointName: string,
  endpointConfigName: string,
  { pollMs, now }: { pollMs: number; now: () => number },
): Promise<void> {
  for (const deadline = now() + SWAP_MS_MAX; now() < deadline; await sleep(pollMs)) {
    const { EndpointStatus: status = 'gone', EndpointConfigName: current } =
      (await describeEndpoint(sagemaker, endpointName)) ?? {};
    if (status === 'InService' && current === endpointConfigName) return;
    if (!/^(Creating|Updating|SystemUpdating)$/.test(status)) {
      throw new Error(
        `Endpoint ${endpointName} is ${status} with ${current}, not ${endpointConfigName}: see its events.`,
      );
    }
  }
  throw new Error(`Endpoint ${endpointName} has not swapped in an hour: see its events, and try again.`);
}
