import { describe, expect, test } from 'vitest';
import { ingestConfig } from '../../../shared/config/ingest.ts';
import { predictConfig } from '../../../shared/config/predict.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

const ingestEnvironment = { FEATURE_GROUP: 'g', STATE_TABLE: 's', CHANGE_LOG_STREAM: 'c', QUARANTINE_BUCKET: 'q' };

describe('configuration', () => {
  test('has defaults for what is optional', () => {
    expect(ingestConfig(ingestEnvironment)).toMatchObject({
      ...{ hazardWindowSeconds: 1, featureStoreConcurrency: 16, featureStoreWriter: 'direct', fences: 'pages' },
    });
    expect(retrainConfig(retrainEnvironment)).toMatchObject({
      trainingAlgorithm: 'linear-learner',
      policy: { labelsThreshold: 1_000, retryBackoffSeconds: 60 },
    });
  });

  test('names every missing variable and what is expected', () => {
    expect(() => predictConfig({ FEATURE_GROUP: 'g' })).toThrow(
      'The environment is not valid: STATE_TABLE is missing; expected: name of the state table. ENDPOINT_NAME is missing; expected: name of the SageMaker endpoint',
    );
  });

  test('an empty variable is a missing one', () => {
    expect(() => predictConfig({ FEATURE_GROUP: 'g', STATE_TABLE: '', ENDPOINT_NAME: 'e' })).toThrow(
      'STATE_TABLE is missing',
    );
    expect(ingestConfig({ ...ingestEnvironment, HAZARD_WINDOW_SECONDS: '' }).hazardWindowSeconds).toBe(1);
  });

  test.each(['-1', '1.5', 'many', '1e3', '0'])('refuses LABELS_THRESHOLD "%s"', (value) => {
    expect(() => retrainConfig({ ...retrainEnvironment, LABELS_THRESHOLD: value })).toThrow(
      `LABELS_THRESHOLD is "${value}"; expected: newly labeled records that make a training due: a whole number, at least 1`,
    );
  });

  test.each([
    ['STATE_MACHINE_ARN', 'retraining'],
    ['TRAINING_ALGORITHM', 'deep-thought'],
    ['TRAINING_SECONDS_MAX', '59'],
    ['HYPER_PARAMETERS', '{'],
    ['HYPER_PARAMETERS', '["a"]'],
    ['HYPER_PARAMETERS', 'null'],
    ['HYPER_PARAMETERS', '{"rounds":5}'],
    ['GATE_METRIC', 'f1'],
    ['GATE_MINIMUM_GAIN', '1'],
    ['GATE_MINIMUM_GAIN', '1e-3'],
    ['GATE_CONFIDENCE', '42'],
    ['CANARY_SECONDS', '3601'],
  ])('refuses %s "%s"', (name, value) => {
    expect(() => retrainConfig({ ...retrainEnvironment, [name]: value })).toThrow(
      `${name} is ${JSON.stringify(value)}; expected: `,
    );
  });
});
