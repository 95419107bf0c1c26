import {
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  paginateListEndpointConfigs,
  paginateListModels,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { alarmNames, isAlarmOf, isMadeOf } from '../model/names.ts';

/** What was removed, and the alarms that are of no use any more. */
export interface Removed {
  readonly models: readonly string[];
  readonly endpointConfigs: readonly string[];
  /** Of those that were given: what belongs to a configuration that is gone, now or since whenever. */
  readonly alarmNames: readonly string[];
}

/**
 * Removes the models and endpoint configurations of an endpoint but the newest `kept`. Never removed are what the
 * endpoint serves or is being updated to, as SageMaker says, and what the caller names. Idempotent: what is gone is
 * not listed again.
 *
 * @param inUse names of models and configurations to keep whatever their age.
 */
export async function removeOldModels(
  sagemaker: SageMakerClient,
  endpointName: string,
  kept: number,
  inUse: readonly string[],
  alarms: readonly string[],
): Promise<Removed> {
  const serving = await servedNames(sagemaker, endpointName);
  const isKept = new Set([...inUse, ...serving]);
  // Configurations first: a model that one of them names must outlive it.
  const endpointConfigs = oldNames(await configNames(sagemaker, endpointName), kept, isKept);
  for (const EndpointConfigName of endpointConfigs) {
    await sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName }));
  }
  const left = await configNames(sagemaker, endpointName);
  const models = oldNames(await modelNames(sagemaker, endpointName), kept, new Set([...isKept, ...left]));
  for (const ModelName of models) await sagemaker.send(new DeleteModelCommand({ ModelName }));
  return { models, endpointConfigs, alarmNames: alarmsWithout(left, endpointName, alarms) };
}

/** Alarms that trainings of the endpoint have made for configurations that are not there. */
function alarmsWithout(configs: readonly string[], endpointName: string, alarms: readonly string[]): string[] {
  const inUse = new Set(configs.flatMap((it) => Object.values(alarmNames(it))));
  const isAlarm = isAlarmOf(endpointName);
  return alarms.filter((it) => isAlarm(it) && !inUse.has(it));
}

/** Names beyond the newest `kept`, of names newest first. */
function oldNames(names: readonly string[], kept: number, isKept: ReadonlySet<string>): string[] {
  return names.slice(kept).filter((name) => !isKept.has(name));
}

/** The configurations that the endpoint serves or is being updated to, and their models. */
async function servedNames(sagemaker: SageMakerClient, endpointName: string): Promise<string[]> {
  const { EndpointConfigName, PendingDeploymentSummary } = await sagemaker.send(
    new DescribeEndpointCommand({ EndpointName: endpointName }),
  );
  const configs = [EndpointConfigName, PendingDeploymentSummary?.EndpointConfigName].flatMap((it) => it ?? []);
  const models = await Promise.all(
    configs.map(async (name) => {
      const config = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name }));
      return (config.ProductionVariants ?? []).flatMap(({ ModelName }) => ModelName ?? []);
    }),
  );
  return [...configs, ...models.flat()];
}

/** Endpoint configurations that trainings of an endpoint have made, newest first. */
export async function configNames(client: SageMakerClient, endpointName: string): Promise<string[]> {
  const names: string[] = [];
  const request = { NameContains: endpointName, SortBy: 'CreationTime', SortOrder: 'Descending' } as const;
  for await (const page of paginateListEndpointConfigs({ client, pageSize: 100 }, request)) {
    names.push(...(page.EndpointConfigs ?? []).flatMap(({ EndpointConfigName }) => EndpointConfigName ?? []));
  }
  return names.filter(isMadeOf(endpointName));
}

/** Models that trainings of an endpoint have made, newest first. */
export async function modelNames(client: SageMakerClient, endpointName: string): Promise<string[]> {
  const names: string[] = [];
  const request = { NameContains: endpointName, SortBy: 'CreationTime', SortOrder: 'Descending' } as const;
  for await (const page of paginateListModels({ client, pageSize: 100 }, request)) {
    names.push(...(page.Models ?? []).flatMap(({ ModelName }) => ModelName ?? []));
  }
  return names.filter(isMadeOf(endpointName));
}
