import { notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import { checkInstances, checkTags } from './limits.ts';
import {
  arnOf,
  epochSeconds,
  isName,
  type ListInput,
  nameIn,
  page,
  type Resources,
  required,
  type Tag,
  validationException,
} from './resources.ts';

/** A fleet of instances behind an endpoint. Counts, types and serverless sizes are kept and shown; none is started. */
interface ProductionVariant {
  readonly VariantName: string;
  readonly ModelName: string;
  readonly InitialInstanceCount?: number;
  readonly InstanceType?: string;
  readonly InitialVariantWeight?: number;
  readonly ServerlessConfig?: { readonly MemorySizeInMB: number; readonly MaxConcurrency: number };
}

/** DescribeEndpointConfig's answer. Immutable, as in AWS. Times are epoch seconds. */
export interface EndpointConfig {
  readonly EndpointConfigName: string;
  readonly EndpointConfigArn: string;
  readonly ProductionVariants: readonly ProductionVariant[];
  readonly CreationTime: number;
}

/** @throws AwsError ValidationException, worded as SageMaker words it, when there is no such configuration. */
export function existingEndpointConfig(resources: Resources, name: string): EndpointConfig {
  const found = resources.get<EndpointConfig>('endpoint-config', name);
  if (!found) throw validationException(`Could not find endpoint configuration "${arnOf('endpoint-config', name)}".`);
  return found;
}

/** Endpoint configurations: which model an endpoint serves. */
export function endpointConfigs({ resources }: { resources: Resources }): Record<string, Operation> {
  const existing = (operation: string, input: object) => {
    refuseUnknown('SageMaker', operation, input, ['EndpointConfigName']);
    return existingEndpointConfig(resources, nameIn(input, 'endpoint-config'));
  };

  return {
    CreateEndpointConfig: (input: Partial<EndpointConfig> & { readonly Tags?: readonly Tag[] }) => {
      const honoured = ['EndpointConfigName', 'ProductionVariants', 'Tags'];
      refuseUnknown('SageMaker', 'CreateEndpointConfig', input, honoured);
      const EndpointConfigName = nameIn(input, 'endpoint-config');
      const variants = required(input.ProductionVariants, 'ProductionVariants');
      checkTags(input.Tags ?? []);
      checkVariants(resources, variants);
      const EndpointConfigArn = arnOf('endpoint-config', EndpointConfigName);
      const body: EndpointConfig = {
        EndpointConfigName,
        EndpointConfigArn,
        ProductionVariants: variants.map((it) => ({ InitialVariantWeight: 1, ...it })),
        CreationTime: epochSeconds(),
      };
      if (!resources.add('endpoint-config', EndpointConfigName, body, input.Tags)) {
        throw validationException(`Cannot create already existing endpoint configuration "${EndpointConfigArn}".`);
      }
      return { EndpointConfigArn };
    },

    DescribeEndpointConfig: (input: object) => existing('DescribeEndpointConfig', input),

    DeleteEndpointConfig: (input: object) => {
      resources.delete('endpoint-config', existing('DeleteEndpointConfig', input).EndpointConfigName);
      return {};
    },

    ListEndpointConfigs: (input: ListInput) => {
      const { found, next } = page('ListEndpointConfigs', input, resources.all<EndpointConfig>('endpoint-config'));
      return { EndpointConfigs: found.map(({ body: { ProductionVariants, ...summary } }) => summary), ...next };
    },
  };
}

function checkVariants(resources: Resources, variants: readonly ProductionVariant[]): void {
  const [variant] = variants;
  if (!variant) throw validationException('ProductionVariants must have at least one member');
  if (variants.length > 1) throw notImplemented('SageMaker', 'more than one production variant');
  refuseUnknown('SageMaker', 'ProductionVariant', variant, [
    ...['VariantName', 'ModelName', 'InitialInstanceCount', 'InstanceType', 'InitialVariantWeight', 'ServerlessConfig'],
  ]);
  const name = required(variant.VariantName, 'ProductionVariants.1.member.variantName');
  if (!isName(name))
    throw validationException(`VariantName ${name.slice(0, 100)} has other characters, or more, than a name may`);
  const model = required(variant.ModelName, 'ProductionVariants.1.member.modelName');
  if (!resources.get('model', model)) throw validationException(`Could not find model "${arnOf('model', model)}".`);
  if (variant.ServerlessConfig === undefined && !(variant.InstanceType && variant.InitialInstanceCount)) {
    throw validationException(
      `ProductionVariant ${variant.VariantName} needs InstanceType and InitialInstanceCount, or ServerlessConfig`,
    );
  }
  if (variant.ServerlessConfig === undefined) checkInstances(variant.InstanceType, variant.InitialInstanceCount);
}
