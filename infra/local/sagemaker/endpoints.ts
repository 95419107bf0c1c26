import type { AlarmStateOf } from '../cloudwatch/cloudwatch.ts';
import { notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import { type EndpointConfig, existingEndpointConfig } from './endpoint-configs.ts';
import { checkSameVariants, checkScaling, type Scaling } from './endpoint-update.ts';
import type { LearnedModel } from './learner/prediction-text.ts';
import { checkTags } from './limits.ts';
import { loadModel, type Model, type OnBehalf } from './models.ts';
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
import { DEPLOY_MS, type DeploymentConfig, isCanary, type TrafficPlan, trafficPlan } from './traffic.ts';

/** What an endpoint answers from: its own copy, so that deleting the artifact does not stop it, as in AWS. */
export interface Deployment {
  readonly endpointConfigName: string;
  readonly variantName: string;
  readonly image: string;
  readonly model: LearnedModel;
}

/** A deployment under way. `green` is the new fleet, once it is up. */
interface Pending {
  readonly endpointConfigName: string;
  readonly traffic: TrafficPlan;
  readonly green?: Deployment;
}

interface Endpoint {
  readonly status: 'Creating' | 'InService' | 'Updating' | 'RollingBack' | 'Failed';
  /** While Creating or Updating. */
  readonly pending?: Pending;
  /** While RollingBack: when that is over, in epoch milliseconds. */
  readonly rolledBackAtMs?: number;
  /** What requests are answered from, save a canary's. Absent until the first deployment is done. */
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
  readonly DeploymentConfig?: DeploymentConfig;
}

/** Finds what an endpoint answers the next request from. */
export type FindDeployment = (endpointName: string) => Promise<Deployment | undefined>;

/**
 * Endpoints. A deployment takes {@link DEPLOY_MS}; until it is done an updated endpoint shows the configuration it had.
 * Its requests move to the new fleet as the update's traffic routing says, and move back, all of them, when one of its
 * alarms is in the state ALARM: the endpoint is then RollingBack, and InService with its old configuration. A
 * deployment that cannot load its model leaves a new endpoint Failed, and an updated one as it was, with a FailureReason.
 */
export function endpoints({
  resources,
  onBehalf,
  alarmStateOf,
  scaling,
}: {
  resources: Resources;
  onBehalf: OnBehalf;
  alarmStateOf: AlarmStateOf;
  scaling: Scaling;
}): {
  operations: Record<string, Operation>;
  findDeployment: FindDeployment;
  /** Carries out what is due: to be called when an alarm changes its state. */
  settle(): Promise<void>;
} {
  /** The endpoint as it is now: a step of a deployment whose time has come is carried out by whoever looks next. */
  const current = async (name: string): Promise<Endpoint | undefined> => {
    const before = resources.get<Endpoint>('endpoint', name);
    const after = before && (await step(before));
    if (!before || !after || after === before) return before;
    // Another request may have carried it out, or deleted the endpoint, while the model was read.
    const now = resources.get<Endpoint>('endpoint', name);
    if (JSON.stringify(now) !== JSON.stringify(before)) return current(name);
    resources.set('endpoint', name, after);
    return current(name);
  };

  const step = async (before: Endpoint): Promise<Endpoint> => {
    const { pending, rolledBackAtMs, failureReason, ...rest } = before;
    const now = Date.now();
    const changed = { ...rest, lastModifiedTime: epochSeconds() };
    if (rolledBackAtMs !== undefined) {
      return now < rolledBackAtMs
        ? before
        : { ...changed, status: 'InService', ...(failureReason && { failureReason }) };
    }
    if (!pending) return before;
    const { traffic, green, endpointConfigName } = pending;
    const firing = traffic.alarms.find((it) => alarmStateOf(it) === 'ALARM');
    if (firing !== undefined) {
      const reason = `Alarm ${firing} went off: the update to ${endpointConfigName} was rolled back.`;
      return { ...changed, status: 'RollingBack', rolledBackAtMs: now + DEPLOY_MS, failureReason: reason };
    }
    if (!green) return now < traffic.canaryAtMs ? before : deploy(changed, pending);
    if (now < traffic.doneAtMs) return before;
    return { ...changed, status: 'InService', endpointConfigName, deployment: green };
  };

  const deploy = async (before: Omit<Endpoint, 'pending'>, pending: Pending): Promise<Endpoint> => {
    const { endpointConfigName } = pending;
    try {
      return { ...before, pending: { ...pending, green: await load(resources, onBehalf, endpointConfigName) } };
    } catch (error) {
      const reason = `Failed to deploy endpoint configuration ${endpointConfigName}: ${(error as Error).message}`;
      return { ...before, status: before.deployment ? 'InService' : 'Failed', failureReason: reason };
    }
  };

  const requests = new Map<string, number>();
  const findDeployment: FindDeployment = async (name) => {
    const endpoint = await current(name);
    const { green, traffic } = endpoint?.pending ?? {};
    if (!endpoint?.deployment || !green || !traffic) return endpoint?.deployment;
    const count = requests.get(name) ?? 0;
    requests.set(name, count + 1);
    return Date.now() >= traffic.allAtMs || isCanary(traffic, count) ? green : endpoint.deployment;
  };

  const settle = async () => {
    for (const { name } of resources.all<Endpoint>('endpoint')) await current(name);
  };

  return { operations: operationsOf(resources, current, alarmStateOf, scaling), findDeployment, settle };
}

function operationsOf(
  resources: Resources,
  current: (name: string) => Promise<Endpoint | undefined>,
  alarmStateOf: AlarmStateOf,
  scaling: Scaling,
): Record<string, Operation> {
  const existing = async (operation: string, input: object, honoured: readonly string[]) => {
    refuseUnknown('SageMaker', operation, input, ['EndpointName', ...honoured]);
    const name = nameIn(input, 'endpoint');
    const endpoint = await current(name);
    if (!endpoint) throw validationException(`Could not find endpoint "${arnOf('endpoint', name)}".`);
    return { name, endpoint };
  };

  const refuseInProgress = (name: string, endpoint: Endpoint) => {
    if (!endpoint.pending && endpoint.rolledBackAtMs === undefined) return;
    throw validationException(`Cannot update in-progress endpoint "${arnOf('endpoint', name)}".`);
  };

  return {
    CreateEndpoint: (input: EndpointInput) => {
      refuseUnknown('SageMaker', 'CreateEndpoint', input, ['EndpointName', 'EndpointConfigName', 'Tags']);
      checkTags(input.Tags ?? []);
      const name = nameIn(input, 'endpoint');
      const endpointConfigName = nameIn(input, 'endpoint-config');
      const target = existingEndpointConfig(resources, endpointConfigName);
      const now = epochSeconds();
      const body: Endpoint = {
        status: 'Creating',
        pending: { endpointConfigName, traffic: trafficPlan(undefined, target, Date.now()) },
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
      refuseInProgress(name, endpoint);
      const target = existingEndpointConfig(resources, endpointConfigName);
      // As in AWS, an endpoint whose own configuration was deleted can no longer be updated.
      const serving = existingEndpointConfig(resources, endpoint.endpointConfigName);
      if (input.DeploymentConfig !== undefined) checkSameVariants(serving, target);
      checkScaling(scaling, name, serving, target);
      const traffic = trafficPlan(input.DeploymentConfig, target, Date.now());
      const unknown = traffic.alarms.find((it) => alarmStateOf(it) === undefined);
      if (unknown !== undefined) throw validationException(`Could not find CloudWatch alarm "${unknown}".`);
      const { failureReason, ...rest } = endpoint;
      const pending = { endpointConfigName, traffic };
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
      // As in AWS, whoever may deregister it has a deleted endpoint deregistered.
      if (endpoint.deployment) scaling.end(name, endpoint.deployment.variantName);
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
}

/** What a configuration's model answers by. @throws Error when the model or its artifact is not there. */
async function load(resources: Resources, onBehalf: OnBehalf, endpointConfigName: string): Promise<Deployment> {
  const [variant] = existingEndpointConfig(resources, endpointConfigName).ProductionVariants;
  const modelName = variant?.ModelName ?? '';
  const model = resources.get<Model>('model', modelName);
  if (!variant || !model) throw validationException(`Could not find model "${arnOf('model', modelName)}".`);
  return {
    ...{ endpointConfigName, variantName: variant.VariantName, image: model.PrimaryContainer.Image },
    model: await loadModel(onBehalf, model),
  };
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
  const { deployment, failureReason, endpointConfigName, pending } = endpoint;
  return {
    ...summary(name, endpoint),
    EndpointConfigName: endpointConfigName,
    ...(failureReason !== undefined && { FailureReason: failureReason }),
    ...(pending &&
      endpoint.deployment && { PendingDeploymentSummary: { EndpointConfigName: pending.endpointConfigName } }),
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
