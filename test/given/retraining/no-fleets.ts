import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';

/** An account in which no endpoint stands, and none is scaled. */
export const noFleets = {
  sagemaker: {
    send: () => Promise.reject(new Error('Could not find endpoint "arn".')),
  } as unknown as SageMakerClient,
  autoscaling: {
    send: () => Promise.resolve({ ScalableTargets: [], ScalingPolicies: [] }),
  } as unknown as ApplicationAutoScalingClient,
};
