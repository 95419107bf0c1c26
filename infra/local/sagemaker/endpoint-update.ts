import type { EndpointConfig } from './endpoint-configs.ts';
import { validationException } from './resources.ts';

/** Updates of an endpoint that SageMaker refuses. */

/** What Application Auto Scaling knows of the variants of endpoints. */
export interface Scaling {
  isScaled(endpointName: string, variantName: string): boolean;
  end(endpointName: string, variantName: string): void;
}

export const NOT_SCALED: Scaling = { isScaled: () => false, end: () => undefined };

/**
 * A blue/green update is from one fleet of a variant to the next of the same name.
 * Source: SageMaker, deployment guardrails, exclusions.
 *
 * @throws AwsError ValidationException
 */
export function checkSameVariants(serving: EndpointConfig, target: EndpointConfig): void {
  const namesOf = ({ ProductionVariants }: EndpointConfig) => ProductionVariants.map((it) => it.VariantName).join(', ');
  if (namesOf(serving) === namesOf(target)) return;
  throw validationException(
    `Your new endpoint configuration must have the same variant name as the old endpoint configuration: ${serving.EndpointConfigName} has ${namesOf(serving)}, ${target.EndpointConfigName} has ${namesOf(target)}.`,
  );
}

/**
 * A variant that is scaled stays, and keeps its type of instance. Source: SageMaker, "Update endpoints that use auto
 * scaling".
 *
 * @throws AwsError ValidationException
 */
export function checkScaling(scaling: Scaling, name: string, serving: EndpointConfig, target: EndpointConfig): void {
  const [before] = serving.ProductionVariants;
  const after = target.ProductionVariants.find((it) => it.VariantName === before?.VariantName);
  if (!before || !scaling.isScaled(name, before.VariantName) || after?.InstanceType === before.InstanceType) return;
  throw validationException(
    `The variant(s) "[${before.VariantName}]" must be deregistered as a scalable target with AWS Application Auto Scaling before they can be removed or have their instance type updated.`,
  );
}
