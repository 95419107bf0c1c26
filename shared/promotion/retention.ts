import {
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointConfigCommand,
  paginateListEndpointConfigs,
  paginateListModels,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { alarmNames, isAlarmOf, isMadeOf } from '../model/names.ts';
import { describeEndpoint } from './rollout.ts';

/** What was removed, and the alarms that are of no use any more. */
export interface Removed {
  readonly models: readonly string[];
  readonly endpointConfigs: readonly string[];
  /** Of those that were given: what belongs to a configuration that is gone, now or since whenever. */
  readonly alarmNames: readonly string[];
}

/**
 * Removes the models and endpoint configurations that trainings of a stack have made, but the newest `kept`. Never
 * removed are what an endpoint serves or is being updated to, as SageMaker says, and what the caller names. Idempotent:
 * what is gone is not listed again.
 *
 * @param base what the names of the stack's endpoints, models and configurations begin with.
 * @param endpoints those there are.
 * @param inUse names of models and configurations to keep whatever their age.
 */
export async function removeOldModels(
  sagemaker: SageMakerClient,
  base: string,
  endpoints: readonly string[],
  kept: number,
  inUse: readonly string[],
  alarms: readonly string[],
): Promise<Removed> {
  const served = await Promise.all(endpoints.map((it) => servedNames(sagemaker, it)));
  const isKept = new Set([...inUse, ...served.flat()]);
  // Configurations first: a model that one of them names must outlive it.
  const endpointConfigs = oldNames(await configNames(sagemaker, base), kept, isKept);
  for (const EndpointConfigName of endpointConfigs) {
    await sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName }));
  }
  const left = await configNames(sagemaker, base);
  const models = oldNames(await modelNames(sagemaker, base), kept, new Set([...isKept, ...left]));
  for (const ModelName of models) await sagemaker.send(new DeleteModelCommand({ ModelName }));
  return { models, endpointConfigs, alarmNames: alarmsWithout(left, base, alarms) };
}

/** Alarms that trainings have made for configurations that are not there. */
function alarmsWithout(configs: readonly string[], base: string, alarms: readonly string[]): string[] {
  const inUse = new Set(configs.flatMap((it) => Object.values(alarmNames(it))));
  const isAlarm = isAlarmOf(base);
  return alarms.filter((it) => isAlarm(it) && !inUse.has(it));
}

/** Names beyond the newest `kept`, of names newest first. */
function oldNames(names: readonly string[], kept: number, isKept: ReadonlySet<string>): string[] {
  return names.slice(kept).filter((name) => !isKept.has(name));
}

/** The configurations that an endpoint serves or is being updated to, and their models; none if it is gone. */
async function servedNames(sagemaker: SageMakerClient, endpointName: string): Promise<string[]> {
  const { EndpointConfigName, PendingDeploymentSummary } = (await describeEndpoint(sagemaker, endpointName)) ?? {};
  const configs = [EndpointConfigName, PendingDeploymentSummary?.EndpointConfigName].flatMap((it) => it ?? []);
  const models = await Promise.all(
    configs.map(async (name) => {
      const config = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name }));
      return (config.ProductionVariants ?? []).flatMap(({ ModelName }) => ModelName ?? []);
    }),
  );
  return [...configs, ...models.flat()];
}

/** Endpoint configurations that trainings of a stack have made, newest first. */
export async function configNames(client: SageMakerClient, base: string): Promise<string[]> {
  const names: string[] = [];
  const request = { NameContains: base, SortBy: 'CreationTime', SortOrder: 'Descending' } as const;
  for await (const page of paginateListEndpointConfigs({ client, pageSize: 100 }, request)) {
    names.push(...(page.EndpointConfigs ?? []).flatMap(({ EndpointConfigName }) => EndpointConfigName ?? []));
  }
  return names.filter(isMadeOf(base));
}

/** Models that trainings of a stack have made, newest first. */
export async function modelNames(client: SageMakerClient, base: string): Promise<string[]> {
  const names: string[] = [];
  const request = { NameContains: base, SortBy: 'CreationTime', SortOrder: 'Descending' } as const;
  for await (const page of paginateListModels({ client, pageSize: 100 }, request)) {
    names.push(...(page.Models ?? []).flatMap(({ ModelName }) => ModelName ?? []));
  }
  return names.filter(isMadeOf(base));
}
