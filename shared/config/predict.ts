import { featureGroupSettings } from './feature-group.ts';
import { type ConfigOf, type Environment, readConfig, text } from './variables.ts';

/** Settings of predict. */
export const predictSettings = {
  ...featureGroupSettings,
  endpointName: text('ENDPOINT_NAME', 'name of the SageMaker endpoint'),
  predictionLogStream: {
    ...text('PREDICTION_LOG_STREAM', 'name of the Firehose stream of the prediction log, or nothing'),
    fallback: '',
  },
};

export type PredictConfig = ConfigOf<typeof predictSettings>;

/** @throws Error as {@link readConfig}. */
export const predictConfig = (environment?: Environment): PredictConfig => readConfig(predictSettings, environment);
