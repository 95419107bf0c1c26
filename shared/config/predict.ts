import { featureGroupSettings } from './feature-group.ts';
import { type ConfigOf, type Environment, readConfig, text } from './variables.ts';

/** Settings of predict. */
export const predictSettings = {
  ...featureGroupSettings,
  endpointName: text('ENDPOINT_NAME', 'name of the SageMaker endpoint'),
};

export type PredictConfig = ConfigOf<typeof predictSettings>;

/** @throws Error as {@link readConfig}. */
export const predictConfig = (environment?: Environment): PredictConfig => readConfig(predictSettings, environment);
