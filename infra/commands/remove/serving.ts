import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteAlarmsCommand, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import {
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  type SageMakerClient,
  waitUntilEndpointDeleted,
} from '@aws-sdk/client-sagemaker';
import { isAlarmOf } from '../../../shared/model/names.ts';
import { endScaling } from '../../../shared/promotion/autoscaling.ts';
import { configNames, modelNames } from '../../../shared/promotion/retention.ts';
import { endpointsOf } from '../../../shared/promotion/retired.ts';
import { describeEndpoint } from '../../../shared/promotion/rollout.ts';
import type { Clients } from './clients.ts';

/** Longest waits, in seconds: for an update of the endpoint to end, and for the endpoint to go. */
const UPDATE_SECONDS_MAX = 3_600;
const DELETION_SECONDS_MAX = 1_800;

/** Time between two looks, in seconds. */
const LOOK_SECONDS = 5;

/** Alarms in one call. Source: DeleteAlarms. */
const ALARMS_PER_CALL_MAX = 100;

/** What trainings have left behind that serves, or has served. */
export interface Serving {
  /** One for each schema that serves or has served lately. */
  readonly endpoints: readonly { readonly name: string; readonly status: string }[];
  readonly endpointConfigs: readonly string[];
  readonly models: readonly string[];
  readonly alarms: readonly string[];
}

/**
 * What there is of a stack's endpoints, recognized by exact names: another stack's may begin alike.
 *
 * @param endpointName what their names begin with.
 */
export async function findServing({ sagemaker, cloudWatch }: Clients, endpointName: string): Promise<Serving> {
  const alarms: string[] = [];
  for await (const page of paginateDescribeAlarms({ client: cloudWatch }, { AlarmNamePrefix: `${endpointName}-e` })) {
    alarms.push(...(page.MetricAlarms ?? []).flatMap(({ AlarmName }) => AlarmName ?? []));
  }
  return {
    endpoints: await endpointsOf(sagemaker, endpointName),
    endpointConfigs: await configNames(sagemaker, endpointName),
    models: await modelNames(sagemaker, endpointName),
    alarms: alarms.filter(isAlarmOf(endpointName)),
  };
}

/** Removes the endpoints, then what they are made of. Idempotent: what has gone is not found the next time. */
export async function removeServing({ sagemaker, cloudWatch, autoscaling }: Clients, found: Serving): Promise<void> {
  for (const { name } of found.endpoints) {
    await endScaling(autoscaling, name);
    await removeEndpoint(sagemaker, name);
  }
  for (const EndpointConfigName of found.endpointConfigs) {
    await sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName }));
  }
  for (const ModelName of found.models) await sagemaker.send(new DeleteModelCommand({ ModelName }));
  for (let at = 0; at < found.alarms.length; at += ALARMS_PER_CALL_MAX) {
    const AlarmNames = found.alarms.slice(at, at + ALARMS_PER_CALL_MAX);
    await cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames }));
  }
}

/**
 * Deletes an endpoint and waits until it has gone: a configuration must not go before the endpoint that uses it.
 *
 * @throws Error with the way out when an update of it does not end.
 */
async function removeEndpoint(client: SageMakerClient, name: string): Promise<void> {
  const deadline = Date.now() + UPDATE_SECONDS_MAX * 1_000;
  let state = await describeEndpoint(client, name);
  // SageMaker refuses to change an endpoint that is being changed.
  while (/^(Creating|Updating|SystemUpdating|RollingBack)$/.test(state?.EndpointStatus ?? '')) {
    if (Date.now() > deadline) {
      throw new Error(`it is still ${state?.EndpointStatus}, and costs money while it stands`);
    }
    await sleep(LOOK_SECONDS * 1_000);
    state = await describeEndpoint(client, name);
  }
  if (state && state.EndpointStatus !== 'Deleting')
    await client.send(new DeleteEndpointCommand({ EndpointName: name }));
  const wait = { client, maxWaitTime: DELETION_SECONDS_MAX, minDelay: LOOK_SECONDS, maxDelay: LOOK_SECONDS };
  await waitUntilEndpointDeleted(wait, { EndpointName: name });
}
