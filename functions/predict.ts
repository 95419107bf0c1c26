import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { once } from '../shared/calls/once.ts';
import { type PredictConfig, predictConfig } from '../shared/config/predict.ts';
import type { FeatureGroup } from '../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { encode, type FeatureTexts } from '../shared/model/encode.ts';
import { schemaHash } from '../shared/model/schema-hash.ts';
import { type Score, scoreRows } from '../shared/prediction/endpoint.ts';
import { readOnlineFeatures } from '../shared/prediction/online-features.ts';
import { PredictionRefused, refusalOf, STATUS } from '../shared/prediction/refusal.ts';
import {
  functionUrlBody,
  type PredictionRecord,
  parseJsonBody,
  parsePredictionRequest,
} from '../shared/prediction/request.ts';
import { publishTimings, serverTiming, Timings } from '../shared/prediction/timings.ts';
import { type Serving, servingReader } from '../shared/state/serving.ts';

/** What predict stands on: its configuration, the definition, the clients, and what the endpoint serves. */
export interface PredictDependencies {
  readonly config: PredictConfig;
  readonly group: FeatureGroup;
  readonly featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>;
  readonly runtime: Pick<SageMakerRuntimeClient, 'send'>;
  readServing(): Promise<Serving | undefined>;
}

export interface Prediction extends Score {
  /** What is recorded as serving. While a swap is under way its successor, of the same schema, may have answered. */
  readonly model: string;
  readonly schema: string;
  readonly recordIdentifier?: string;
}

/** Made once per execution environment, at its first invocation. */
const production = once(async (): Promise<PredictDependencies> => {
  const config = predictConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  return {
    config,
    group,
    featureStore: new SageMakerFeatureStoreRuntimeClient(),
    runtime: new SageMakerRuntimeClient(),
    readServing: servingReader({ name: config.stateTable, dynamodb: new DynamoDBClient() }, Date.now),
  };
});

/**
 * Answers a request with a prediction, or with `{predictions}` for a list: encode, invoke, answer. All or nothing.
 *
 * @param timings takes how long each step took.
 * @throws PredictionRefused when there is none to be had, saying why.
 */
export async function predict(
  body: unknown,
  dependencies: PredictDependencies,
  timings = new Timings(),
): Promise<Prediction | { predictions: Prediction[] }> {
  const { group, config, runtime, readServing } = dependencies;
  const { records, isList } = parsePredictionRequest(group, body);
  const { modelName: model, schemaHash: schema } = servable(await readServing(), group);
  const online = await timings.measure('online-read', () => readRecords(records, dependencies));
  const rows = await timings.measure('encode', async () => encodeRecords(records, online, group));
  const scores = await timings.measure('endpoint', () => scoreRows(runtime, config.endpointName, schema, rows));
  const predictions = scores.map((score, index) => ({ ...score, model, schema, ...identifierOf(records[index]) }));
  const [first] = predictions;
  return isList || !first ? { predictions } : first;
}

/** @throws PredictionRefused when nothing serves (503), or a model of another schema (409). */
function servable(serving: Serving | undefined, group: FeatureGroup): Serving {
  if (!serving)
    throw new PredictionRefused(STATUS.unavailable, 'No model serves yet: the first training has to finish.');
  const expected = schemaHash(group);
  if (serving.schemaHash === expected) return serving;
  throw new PredictionRefused(
    STATUS.conflict,
    `Model ${serving.modelName} was trained with schema ${serving.schemaHash}; the definition's is ${expected} now, so the next training has to finish first.`,
  );
}

/** @throws PredictionRefused naming the records that the online store does not have (404). */
async function readRecords(
  records: readonly PredictionRecord[],
  { group, featureStore }: PredictDependencies,
): Promise<ReadonlyMap<string, FeatureTexts>> {
  const identifiers = records.flatMap((record) => record.recordIdentifier ?? []);
  const online = await readOnlineFeatures(featureStore, group.name, identifiers);
  const unknown = identifiers.filter((identifier) => !online.has(identifier));
  if (unknown.length > 0) {
    throw new PredictionRefused(STATUS.unknownRecord, `Not in feature group ${group.name}: ${unknown.join(', ')}.`);
  }
  return online;
}

function encodeRecords(
  records: readonly PredictionRecord[],
  online: ReadonlyMap<string, FeatureTexts>,
  group: FeatureGroup,
): string[][] {
  return records.map((record) => encode(group, record.features ?? online.get(record.recordIdentifier) ?? {}));
}

function identifierOf(record: PredictionRecord | undefined) {
  return record?.recordIdentifier === undefined ? {} : { recordIdentifier: record.recordIdentifier };
}

/** Answers a function URL by status, JSON and the time of each step (Server-Timing); answers a direct invocation by the prediction itself, or an error. */
export async function answer(event: unknown, dependencies: PredictDependencies, timings = new Timings()) {
  const text = functionUrlBody(event);
  try {
    const body = text === undefined ? event : parseJsonBody(text);
    const prediction = await predict(body, dependencies, timings);
    return text === undefined ? prediction : respond(200, prediction, timings);
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    if (text === undefined) throw refusal;
    return respond(refusal.statusCode, { error: refusal.message }, timings);
  }
}

function respond(statusCode: number, body: object, timings: Timings) {
  const headers = { 'content-type': 'application/json', 'server-timing': serverTiming(timings) };
  return { statusCode, headers, body: JSON.stringify(body) };
}

export async function handler(event: unknown) {
  const dependencies = await production();
  const timings = new Timings();
  try {
    return await answer(event, dependencies, timings);
  } finally {
    publishTimings(dependencies.group.name, timings);
  }
}
