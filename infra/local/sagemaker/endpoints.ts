import { notImplemented, refuseUnknown } from '../aws-error.ts';
import type { LinearModel } from '../linear-model.ts';
import type { ObjectStore } from '../object-store.ts';
import type { Operation } from '../service.ts';
import { type EndpointConfig, existingEndpointConfig } from './endpoint-configs.ts';
import { unpackModel } from './model-artifact.ts';
import type { Model } from './models.ts';
import {
  arnOf,
  epochSeconds,
  type ListInput,
  nameIn,
  page,
  type Resources,
  type Tag,
  validationException,
} from './resources.ts';
import { parseS3Uri } from './s3-uri.ts';

/** How long an endpoint is Creating or Updating, in milliseconds: AWS takes minutes, a test should not. */
const DEPLOY_MS = 500;

/** What an endpoint answers from: its own copy, so that deleting the artefact does not stop it, as in AWS. */
export interface Deployment {
  readonly endpointConfigName: string;
  readonly variantName: string;
  readonly image: string;
  readonly model: LinearModel;
}

interface Endpoint {
  readonly status: 'Creating' | 'InService' | 'Updating' | 'Failed';
  /** The configuration being deployed, and when it is (epoch milliseconds), while Creating or Updating. */
  readonly pending?: { readonly endpointConfigName: string; readonly readyAtMs: number };
  /** What requests are answered from. Absent until the first deployment is done. */
  readonly deployment?: Deployment;
  readonly endpointConfigName: string;
  readonly creationTime: number;
  readonly lastModifiedTime: number;
  readonly failureReason?: string;
}

interface EndpointInput {
  readonly EndpointName: string;
  readonly EndpointConfigName: string;
  readonly Tags?: readonly Tag[];
  readonly RetainAllVariantProperties?: boolean;
  readonly DeploymentConfig?: { readonly BlueGreenUpdatePolicy?: BlueGreenUpdatePolicy };
}

interface BlueGreenUpdatePolicy {
  readonly TrafficRoutingConfiguration: { readonly Type: string; readonly WaitIntervalInSeconds: number };
  readonly TerminationWaitInSeconds?: number;
}

/** Finds what an endpoint answers from. */
export type FindDeployment = (endpointName: string) => Promise<Deployment | undefined>;

/**
 * Endpoints. A deployment takes {@link DEPLOY_MS}; until it is done an updated endpoint answers from, and shows, the
 * configuration it had, and then both change at once. A deployment that cannot load its model leaves a new endpoint
 * Failed, and an updated one InService with its old configuration and a FailureReason.
 */
export function endpoints({ resources, objects }: { resources: Resources; objects: ObjectStore }): {
  operations: Record<string, Operation>;
  findDeployment: FindDeployment;
} {
  /** The endpoint as it is now: a deployment whose time has come is carried out by whoever looks next. */
  const current = async (name: string): Promise<Endpoint | undefined> => {
    const before = resources.get<Endpoint>('endpoint', name);
    if (!before?.pending || Date.now() < before.pending.readyAtMs) return before;
    const after = await deploy(before, before.pending.endpointConfigName);
    // Another request may have carried it out, or deleted the endpoint, while the model was read.
    const now = resources.get<Endpoint>('endpoint', name);
    if (now?.pending?.readyAtMs !== before.pending.readyAtMs) return now;
    resources.set('endpoint', name, after);
    return after;
  };

  const deploy = async ({ pending, failureReason, ...before }: Endpoint, name: string): Promise<Endpoint> => {
    const changed = { ...before, lastModifiedTime: epochSeconds() };
    try {
      const deployment = await load(resources, objects, name);
      return { ...changed, status: 'InService', endpointConfigName: name, deployment };
    } catch (error) {
      const reason = `Failed to deploy endpoint configuration ${name}: ${(error as Error).message}`;
      return { ...changed, status: before.deployment ? 'InService' : 'Failed', failureReason: reason };
    }
  };

  const existing = async (operation: string, input: object, honoured: readonly string[]) => {
    refuseUnknown('SageMaker', operation, input, ['EndpointName', ...honoured]);
    const name = nameIn(input, 'endpoint');
    const endpoint = await current(name);
    if (!endpoint) throw validationException(`Could not find endpoint "${arnOf('endpoint', name)}".`);
    return { name, endpoint };
  };

  const refuseInProgress = (name: string, endpoint: Endpoint) => {
    if (!endpoint.pending) return;
    throw validationException(`Cannot update in-progress endpoint "${arnOf('endpoint', name)}".`);
  };

  const operations: Record<string, Operation> = {
    CreateEndpoint: (input: EndpointInput) => {
      refuseUnknown('SageMaker', 'CreateEndpoint', input, ['EndpointName', 'EndpointConfigName', 'Tags']);
      const name = nameIn(input, 'endpoint');
      const endpointConfigName = nameIn(input, 'endpoint-config');
      existingEndpointConfig(resources, endpointConfigName);
      const now = epochSeconds();
      const body: Endpoint = {
        status: 'Creating',
        pending: { endpointConfigName, readyAtMs: Date.now() + DEPLOY_MS },
        endpointConfigName,
        creationTime: now,
        lastModifiedTime: now,
      };
      if (!resources.add('endpoint', name, body, input.Tags)) {
        throw validationException(`Cannot create already existing endpoint "${arnOf('endpoint', name)}".`);
      }
      return { EndpointArn: arnOf('endpoint', name) };
    },

    UpdateEndpoint: async (input: EndpointInput) => {
      const honoured = ['EndpointConfigName', 'DeploymentConfig', 'RetainAllVariantProperties'];
      const { name, endpoint } = await existing('UpdateEndpoint', input, honoured);
      if (input.RetainAllVariantProperties) throw notImplemented('SageMaker', 'RetainAllVariantProperties=true');
      const endpointConfigName = nameIn(input, 'endpoint-config');
      const waitMs = waitOf(input.DeploymentConfig);
      refuseInProgress(name, endpoint);
      existingEndpointConfig(resources, endpointConfigName);
      // As in AWS, an endpoint whose own configuration was deleted can no longer be updated.
      existingEndpointConfig(resources, endpoint.endpointConfigName);
      const { failureReason, ...rest } = endpoint;
      const pending = { endpointConfigName, readyAtMs: Date.now() + DEPLOY_MS + waitMs };
      const after: Endpoint = { ...rest, status: 'Updating', lastModifiedTime: epochSeconds(), pending };
      resources.set('endpoint', name, after);
      return { EndpointArn: arnOf('endpoint', name) };
    },

    DescribeEndpoint: async (input: object) => {
      const { name, endpoint } = await existing('DescribeEndpoint', input, []);
      return description(resources, name, endpoint);
    },

    DeleteEndpoint: async (input: object) => {
      const { name, endpoint } = await existing('DeleteEndpoint', input, []);
      refuseInProgress(name, endpoint);
      resources.delete('endpoint', name);
      return {};
    },

    ListEndpoints: async (input: ListInput) => {
      const names = resources.all<Endpoint>('endpoint').map((it) => it.name);
      const all = await Promise.all(names.map(async (name) => ({ name, endpoint: await current(name) })));
      const listed = all.flatMap(({ name, endpoint }) => (endpoint ? { name, endpoint, status: endpoint.status } : []));
      const { found, next } = page('ListEndpoints', input, listed, true);
      return { Endpoints: found.map(({ name, endpoint }) => summary(name, endpoint)), ...next };
    },
  };

  return { operations, findDeployment: async (name) => (await current(name))?.deployment };
}

async function load(resources: Resources, objects: ObjectStore, endpointConfigName: string): Promise<Deployment> {
  const [variant] = existingEndpointConfig(resources, endpointConfigName).ProductionVariants;
  const modelName = variant?.ModelName ?? '';
  const model = resources.get<Model>('model', modelName);
  if (!variant || !model) throw validationException(`Could not find model "${arnOf('model', modelName)}".`);
  const { Image, ModelDataUrl } = model.PrimaryContainer;
  const { bucket, key } = parseS3Uri(ModelDataUrl);
  const artifact = await objects.get(bucket, key);
  return { endpointConfigName, variantName: variant.VariantName, image: Image, model: unpackModel(artifact) };
}

/** How long a blue/green update waits beside the deployment, in milliseconds. Refuses what is not carried out. */
function waitOf(config: EndpointInput['DeploymentConfig']): number {
  if (!config) return 0;
  refuseUnknown('SageMaker', 'DeploymentConfig', config, ['BlueGreenUpdatePolicy']);
  const policy = config.BlueGreenUpdatePolicy;
  if (!policy) return 0;
  const honoured = ['TrafficRoutingConfiguration', 'TerminationWaitInSeconds'];
  refuseUnknown('SageMaker', 'BlueGreenUpdatePolicy', policy, honoured);
  const routing = policy.TrafficRoutingConfiguration;
  refuseUnknown('SageMaker', 'TrafficRoutingConfiguration', routing, ['Type', 'WaitIntervalInSeconds']);
  if (routing.Type !== 'ALL_AT_ONCE') throw notImplemented('SageMaker', `traffic routing of type ${routing.Type}`);
  return (routing.WaitIntervalInSeconds + (policy.TerminationWaitInSeconds ?? 0)) * 1000;
}

function summary(name: string, endpoint: Endpoint) {
  return {
    EndpointName: name,
    EndpointArn: arnOf('endpoint', name),
    CreationTime: endpoint.creationTime,
    LastModifiedTime: endpoint.lastModifiedTime,
    EndpointStatus: endpoint.status,
  };
}

function description(resources: Resources, name: string, endpoint: Endpoint) {
  const { deployment, failureReason, endpointConfigName } = endpoint;
  return {
    ...summary(name, endpoint),
    EndpointConfigName: endpointConfigName,
    ...(failureReason !== undefined && { FailureReason: failureReason }),
    ...(deployment && { ProductionVariants: [variantSummary(resources, deployment)] }),
  };
}

function variantSummary(resources: Resources, { endpointConfigName, variantName, image }: Deployment) {
  const config = resources.get<EndpointConfig>('endpoint-config', endpointConfigName);
  const count = config?.ProductionVariants[0]?.InitialInstanceCount;
  return {
    VariantName: variantName,
    DeployedImages: [{ SpecifiedImage: image }],
    CurrentWeight: 1,
    DesiredWeight: 1,
    ...(count !== undefined && { CurrentInstanceCount: count, DesiredInstanceCount: count }),
  };
}
