import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { CLIENT_SETTINGS } from '../shared/calls/client-settings.ts';
import { once } from '../shared/calls/once.ts';
import { type PredictConfig, predictConfig } from '../shared/config/predict.ts';
import type { FeatureGroup } from '../shared/definition/feature-group.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { encode, type FeatureTexts } from '../shared/model/encode.ts';
import type { Encoding } from '../shared/model/encoding.ts';
import { listed } from '../shared/prediction/bounded.ts';
import { type Score, scoreRows } from '../shared/prediction/endpoint.ts';
import { type Model, modelReader } from '../shared/prediction/model.ts';
import { readOnlineFeatures } from '../shared/prediction/online-features.ts';
import { PredictionRefused, refusalOf, STATUS } from '../shared/prediction/refusal.ts';
import {
  functionUrlBody,
  type PredictionRecord,
  parseJsonBody,
  parsePredictionRequest,
} from '../shared/prediction/request.ts';
import { publishTimings, serverTiming, Timings } from '../shared/prediction/timings.ts';
import type { PredictionLog } from '../shared/prediction-log/log.ts';
import { readEncoding } from '../shared/state/encodings.ts';
import { servingReader } from '../shared/state/serving.ts';

/**
 * Longest time that each step may take, in milliseconds. Together they end long before the function does. The model is
 * read by the first call of an environment, which has connections and credentials to set up.
 */
const MODEL_READ_MS_MAX = 5_000;
const ONLINE_READ_MS_MAX = 3_000;
const ENDPOINT_MS_MAX = 8_000;

/** What predict stands on: its configuration, the definition, the clients, what serves, and what keeps predictions. */
export interface PredictDependencies {
  readonly config: PredictConfig;
  readonly group: FeatureGroup;
  readonly featureStore: Pick<SageMakerFeatureStoreRuntimeClient, 'send'>;
  readonly runtime: Pick<SageMakerRuntimeClient, 'send'>;
  readModel(): Promise<Model | undefined>;
  /** Undefined where `predictionLog` is off. */
  readonly log?: PredictionLog | undefined;
}

export interface Prediction extends Score {
  /**
   * Least score that the model labeled 1 when it was judged; null when it labeled none, or was not asked. Of labels of
   * two classes only.
   */
  readonly threshold?: number | null;
  readonly model: string;
  readonly schema: string;
  readonly recordIdentifier?: string;
}

/** Made once per execution environment, at its first invocation. */
const production = once(async (): Promise<PredictDependencies> => {
  const config = predictConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  const table = { name: config.stateTable, dynamodb: new DynamoDBClient(CLIENT_SETTINGS) };
  return {
    config,
    group,
    featureStore: new SageMakerFeatureStoreRuntimeClient(CLIENT_SETTINGS),
    runtime: new SageMakerRuntimeClient(CLIENT_SETTINGS),
    readModel: modelReader(group, {
      readServing: servingReader(table, Date.now),
      readEncoding: (schemaHash) => readEncoding(table, schemaHash),
      endpointName: config.endpointName,
    }),
    log: config.predictionLogStream === '' ? undefined : await openLog(config.predictionLogStream),
  };
});

/** Only a stack that keeps predictions loads the client of Firehose. */
const openLog = async (stream: string) => (await import('../shared/prediction-log/log.ts')).openPredictionLog(stream);

/**
 * Answers a request with a prediction, or with `{predictions}` for a list: encode by the encoding of what serves, ask its
 * endpoint, answer. All or nothing, and within the time limits. Where predictions are kept, they are kept before the
 * answer, which waits for that but never fails by it.
 *
 * @param timings takes how long each step took.
 * @throws PredictionRefused when there is none to be had, saying why.
 */
export async function predict(
  body: unknown,
  dependencies: PredictDependencies,
  timings = new Timings(),
): Promise<Prediction | { predictions: Prediction[] }> {
  const { group, runtime, readModel } = dependencies;
  const model = await within(MODEL_READ_MS_MAX, () => readModel());
  const { records, isList } = parsePredictionRequest(group, model?.features ?? group.features, body);
  if (!model) {
    throw new PredictionRefused(STATUS.unavailable, 'No model serves yet: the first training has to finish.');
  }
  const online = await timings.measure('online-read', () => readRecords(records, dependencies));
  const rows = await timings.measure('encode', async () => encodeRecords(records, online, model.encoding));
  const scores = await timings.measure('endpoint', () =>
    within(ENDPOINT_MS_MAX, (signal) => scoreRows(runtime, model.endpointName, rows, signal, model.encoding.label)),
  );
  const { name, threshold, encoding } = model;
  const predictions = scores.map((score, index) => ({
    ...score,
    // Labels that are not one of two classes have none.
    ...(!encoding.label && { threshold }),
    ...{ model: name, schema: encoding.schemaHash },
    ...identifierOf(records[index]),
  }));
  await keep(predictions, rows, dependencies, timings);
  const [first] = predictions;
  return isList || !first ? { predictions } : first;
}

/** Keeps predictions, if that is on. What could not be kept is counted. */
async function keep(
  predictions: readonly Prediction[],
  rows: readonly (readonly string[])[],
  { log }: PredictDependencies,
  timings: Timings,
): Promise<void> {
  if (!log) return;
  const predictedAtMs = Date.now();
  const logged = predictions.map((it, index) => ({
    ...{ predictionId: randomUUID(), predictedAtMs, recordIdentifier: it.recordIdentifier },
    ...{ score: it.score, predictedLabel: it.predicted_label ?? null, threshold: it.threshold ?? null },
    ...{ model: it.model, schemaHash: it.schema, encodedRow: rows[index] ?? [] },
  }));
  timings.notLogged(await timings.measure('log', () => log(logged)));
}

/** @throws whatever an aborted call does, when it is not over in time, whether the call heeds the signal or not. */
function within<T>(millis: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(millis);
  const over = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([run(signal), over]);
}

/** @throws PredictionRefused naming the records that the online store does not have (404). */
async function readRecords(
  records: readonly PredictionRecord[],
  { group, featureStore }: PredictDependencies,
): Promise<ReadonlyMap<string, FeatureTexts>> {
  const identifiers = records.flatMap((record) => record.recordIdentifier ?? []);
  const online = await within(ONLINE_READ_MS_MAX, (signal) =>
    readOnlineFeatures(featureStore, group.name, identifiers, signal),
  );
  const unknown = identifiers.filter((identifier) => !online.has(identifier));
  if (unknown.length > 0) {
    throw new PredictionRefused(STATUS.unknownRecord, `Not in feature group ${group.name}: ${listed(unknown)}.`);
  }
  return online;
}

function encodeRecords(
  records: readonly PredictionRecord[],
  online: ReadonlyMap<string, FeatureTexts>,
  encoding: Encoding,
): string[][] {
  return records.map((record) => encode(encoding, record.features ?? online.get(record.recordIdentifier) ?? {}));
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
    timings.refused(refusal.statusCode);
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
