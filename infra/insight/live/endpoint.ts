import { DescribeEndpointCommand } from '@aws-sdk/client-sagemaker';
import type { LiveSources } from './live-sources.ts';

/** An endpoint, and the update that is under way. */
export interface EndpointState {
  readonly name: string;
  readonly status: string;
  /** What serves all requests, or all but the canary's. */
  readonly configuration: string;
  readonly instances: number | null;
  /** The fleet that takes its place: its configuration, and how far SageMaker says it is, such as Baking; null: none. */
  readonly pending: { readonly configuration: string; readonly stage: string | null } | null;
  readonly failure: string | null;
}

/** Describes an endpoint; undefined when it is not there. */
export async function describeEndpoint(
  { sagemaker }: Pick<LiveSources, 'sagemaker'>,
  name: string,
): Promise<EndpointState | undefined> {
  try {
    const it = await sagemaker.send(new DescribeEndpointCommand({ EndpointName: name }));
    const pending = it.PendingDeploymentSummary;
    return {
      ...{ name, status: it.EndpointStatus ?? '', configuration: it.EndpointConfigName ?? '' },
      instances: it.ProductionVariants?.[0]?.CurrentInstanceCount ?? null,
      pending: pending
        ? {
            configuration: pending.EndpointConfigName ?? '',
            stage: pending.ProductionVariants?.[0]?.VariantStatus?.[0]?.Status ?? null,
          }
        : null,
      failure: it.FailureReason ?? null,
    };
  } catch (error) {
    // SageMaker has no "not found" of its own: it answers a ValidationException that says "Could not find".
    if (/could not find/i.test((error as Error).message)) return undefined;
    throw error;
  }
}
