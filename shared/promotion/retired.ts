import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { DeleteEndpointCommand, paginateListEndpoints, type SageMakerClient } from '@aws-sdk/client-sagemaker';
import { isEndpointOf } from '../model/names.ts';
import { forgetRetired, type ServingRecord } from '../state/serving.ts';
import type { StateTable } from '../state/table.ts';
import { endScaling } from './autoscaling.ts';
import { isMissing } from './rollout.ts';

/** Where endpoints are, and where they are scaled. */
interface Fleets {
  readonly sagemaker: SageMakerClient;
  readonly autoscaling: Pick<ApplicationAutoScalingClient, 'send'>;
}

/**
 * Deletes endpoints that predictions were moved away from, once their grace period is over. Until then predictions that
 * still know them are answered, and a rollback needs no new fleet. Idempotent: one that is gone is forgotten.
 *
 * @returns the names of those deleted.
 */
export async function deleteRetiredEndpoints(
  { table, ...fleets }: Fleets & { readonly table: StateTable },
  serving: ServingRecord,
  graceSeconds: number,
  nowMs: number,
): Promise<string[]> {
  const due = Object.entries(serving.retiring).filter(([, at]) => Date.parse(at) + graceSeconds * 1_000 <= nowMs);
  for (const [name] of due) {
    await deleteEndpoint(fleets, name);
    await forgetRetired(table, name);
  }
  return due.map(([name]) => name);
}

/**
 * Deletes endpoints of the stack that serve nothing and never did: what a deployment that failed has left.
 *
 * @param inUse endpoints that serve or retire.
 */
export async function deleteStrayEndpoints(fleets: Fleets, base: string, inUse: readonly string[]): Promise<string[]> {
  const endpoints = await endpointsOf(fleets.sagemaker, base);
  // One that is changing cannot be deleted: it is after the next training.
  const strays = endpoints.filter(({ name, status }) => !inUse.includes(name) && /^(InService|Failed)$/.test(status));
  for (const { name } of strays) await deleteEndpoint(fleets, name);
  return strays.map(({ name }) => name);
}

/** Endpoints that a stack's trainings have made, by their exact names: another stack's may begin alike. */
export async function endpointsOf(
  client: SageMakerClient,
  base: string,
): Promise<{ readonly name: string; readonly status: string }[]> {
  const isOurs = isEndpointOf(base);
  const found: { name: string; status: string }[] = [];
  for await (const page of paginateListEndpoints({ client, pageSize: 100 }, { NameContains: base })) {
    for (const { EndpointName: name = '', EndpointStatus: status = '' } of page.Endpoints ?? []) {
      if (isOurs(name)) found.push({ name, status });
    }
  }
  return found;
}

async function deleteEndpoint({ sagemaker, autoscaling }: Fleets, EndpointName: string): Promise<void> {
  await endScaling(autoscaling, EndpointName);
  try {
    await sagemaker.send(new DeleteEndpointCommand({ EndpointName }));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
