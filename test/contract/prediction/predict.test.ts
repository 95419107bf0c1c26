import { DatabaseSync } from 'node:sqlite';
import {
  DeleteRecordCommand,
  PutRecordCommand,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { type InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer, type PredictDependencies, predict } from '../../../functions/predict.ts';
import { featureStore } from '../../../infra/local/feature-store/feature-store.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { sageMakerRuntime } from '../../../infra/local/sagemaker/runtime.ts';
import { boolean, categorical, defineFeatureGroup, integral } from '../../../shared/feature-groups/define.ts';
import { encode } from '../../../shared/model/encode.ts';
import { encodingOf } from '../../../shared/model/encoding.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { modelReader } from '../../../shared/prediction/model.ts';
import { Timings } from '../../../shared/prediction/timings.ts';
import type { NotLogged } from '../../../shared/prediction-log/log.ts';
import type { LoggedPrediction } from '../../../shared/prediction-log/row.ts';
import { readEncoding, writeEncoding } from '../../../shared/state/encodings.ts';
import { type Serving, servingReader, writeServing } from '../../../shared/state/serving.ts';
import { accounts } from '../../given/builders.ts';
import { served } from '../../given/served.ts';
import { stateTable } from '../../given/state-table.ts';

const EVENT_TIME = '2026-01-15T00:00:00.000Z';
const SCHEMA = schemaHash(accounts);
const serving: Serving = {
  epoch: 1,
  attempt: 1,
  endpointConfigName: 'config-1',
  modelName: 'model-1',
  schemaHash: SCHEMA,
};
const features = { logins: 3, balance: 12.5, plan: 'team', active: true };

let state: Awaited<ReturnType<typeof stateTable>>;
let cloud: Awaited<ReturnType<typeof served>>;
let faults: Faults;
let store: SageMakerFeatureStoreRuntimeClient;
let now: number;
/** Bodies of InvokeEndpoint, and what the endpoint answers: the number of columns of each row as its score. */
let bodies: string[];
let endpoint: (body: string) => object;
/** Endpoints that were asked. */
let asked: string[];
let dependencies: PredictDependencies;

beforeEach(async () => {
  state = await stateTable();
  faults = new Faults();
  now = 0;
  bodies = [];
  asked = [];
  const local = featureStore({ db: new DatabaseSync(':memory:'), faults, tieRule: 'greater' });
  local.createFeatureGroup({
    FeatureGroupName: 'accounts',
    RecordIdentifierFeatureName: 'account_id',
    EventTimeFeatureName: 'event_time',
    FeatureDefinitions: [
      ...['account_id', 'event_time', 'plan', 'note'].map((it) => ({
        FeatureName: it,
        FeatureType: 'String' as const,
      })),
      ...['logins', 'active', 'score', 'churned'].map((it) => ({ FeatureName: it, FeatureType: 'Integral' as const })),
      { FeatureName: 'balance', FeatureType: 'Fractional' },
    ],
    OnlineStoreConfig: { EnableOnlineStore: true },
  });
  cloud = await served([local.service, sageMakerRuntime(async () => undefined)], faults);
  store = new SageMakerFeatureStoreRuntimeClient(cloud.client);
  endpoint = (body) => ({
    predictions: body.split('\n').map((row) => ({ score: row.split(',').length / 10, predicted_label: 1 })),
  });
  const runtime = {
    send: async ({ input }: InvokeEndpointCommand) => {
      bodies.push(String(input.Body));
      asked.push(input.EndpointName ?? '');
      const Body = Buffer.from(JSON.stringify(endpoint(String(input.Body))));
      return { Body };
    },
  } as unknown as SageMakerRuntimeClient;
  dependencies = {
    config: { featureGroup: 'accounts', stateTable: state.name, endpointName: 'endpoint', predictionLogStream: '' },
    group: accounts,
    featureStore: store,
    runtime,
    readModel: modelReader(accounts, {
      readServing: servingReader(state, () => now),
      readEncoding: (hash) => readEncoding(state, hash),
      endpointName: 'endpoint',
    }),
  };
});
afterEach(async () => {
  store.destroy();
  await cloud.close();
  await state.close();
});

const serve = (overrides: Partial<Serving> = {}) => writeServing(state, { ...serving, ...overrides }, 0);

async function putAccount(identifier: string, overrides: Record<string, string | undefined> = {}): Promise<void> {
  const values = {
    account_id: identifier,
    event_time: EVENT_TIME,
    logins: '3',
    balance: '12.50',
    plan: 'team',
    active: '1',
  };
  const record = Object.entries({ ...values, ...overrides }).flatMap(([FeatureName, ValueAsString]) =>
    ValueAsString === undefined ? [] : [{ FeatureName, ValueAsString }],
  );
  await store.send(new PutRecordCommand({ FeatureGroupName: 'accounts', Record: record }));
}

const urlEvent = (body: string, isBase64Encoded = false) => ({
  version: '2.0',
  requestContext: { http: { method: 'POST', path: '/' } },
  body,
  isBase64Encoded,
});
const post = async (body: unknown) => {
  const response = (await answer(urlEvent(JSON.stringify(body)), dependencies)) as { statusCode: number; body: string };
  return { statusCode: response.statusCode, ...JSON.parse(response.body) };
};

describe('a prediction', () => {
  test('of a known record is made from its online features', async () => {
    await serve();
    await putAccount('a-1');
    expect(await predict({ account_id: 'a-1' }, dependencies)).toEqual({
      score: 0.8,
      predicted_label: 1,
      threshold: null,
      model: 'model-1',
      schema: SCHEMA,
      recordIdentifier: 'a-1',
    });
    const texts = { logins: '3', balance: '12.50', plan: 'team', active: '1' };
    expect(bodies).toEqual([encode(accounts, texts).join(',')]);
  });

  test('of given features is made from them, and is of no record', async () => {
    await serve();
    const prediction = await predict({ features: { ...features, score: null } }, dependencies);
    expect(prediction).toEqual({ score: 0.8, predicted_label: 1, threshold: null, model: 'model-1', schema: SCHEMA });
    expect(bodies).toEqual(['3,12.5,0,1,0,1,0,1']);
  });

  test('of a list answers in its order, with one call of the endpoint', async () => {
    await serve();
    await putAccount('a-1', { logins: '1' });
    await putAccount('a-2', { logins: '2' });
    const records = [{ account_id: 'a-2' }, { features }, { account_id: 'a-1' }, { account_id: 'a-2' }];
    const answered = await predict({ records }, dependencies);
    expect(answered).toMatchObject({
      predictions: [{ recordIdentifier: 'a-2' }, {}, { recordIdentifier: 'a-1' }, { recordIdentifier: 'a-2' }],
    });
    expect(bodies.map((body) => body.split('\n').map((row) => row.split(',')[0]))).toEqual([['2', '3', '1', '2']]);
  });

  test('of a model that only scores has the label of its score', async () => {
    await serve();
    endpoint = () => ({ predictions: [{ score: 0.49 }] });
    expect(await predict({ features }, dependencies)).toMatchObject({ score: 0.49, predicted_label: 0 });
    endpoint = () => ({ predictions: [{ score: 0.5 }] });
    expect(await predict({ features }, dependencies)).toMatchObject({ score: 0.5, predicted_label: 1 });
  });

  test('is encoded by what serves, at its endpoint, when the definition has changed since', async () => {
    const before = defineFeatureGroup({
      ...{ name: 'accounts', recordIdentifier: 'account_id', label: { name: 'churned' } },
      features: { plan: categorical(['free', 'team', 'gone']), logins: integral({ max: 5 }), former: boolean() },
    });
    await writeEncoding(state, encodingOf(before));
    const hash = schemaHash(before);
    await serve({ schemaHash: hash, endpointName: `endpoint-${hash}`, threshold: 0.4 });
    // A category of each definition, a feature that only the model knows, and one that only the definition has.
    const given = { plan: 'gone', logins: 7, former: true, active: true };
    expect(await post({ features: given })).toMatchObject({ statusCode: 200, schema: hash, threshold: 0.4 });
    expect(await post({ features: { ...given, plan: 'enterprise', active: undefined } })).toMatchObject({
      statusCode: 200,
    });
    expect([bodies, asked]).toEqual([['0,0,1,7,1', '0,0,0,7,1'], Array(2).fill(`endpoint-${hash}`)]);
    expect(await post({ features: { plan: 'free', logins: 1 } })).toMatchObject({
      statusCode: 400,
      error: expect.stringContaining('former is required'),
    });
    // Bounds are the definition's of now: they decide nothing of the encoding.
    expect(await post({ features: { ...given, logins: -1 } })).toMatchObject({ statusCode: 400 });
  });

  test('sees a new model when what it knows is ten seconds old', async () => {
    await serve();
    await predict({ features }, dependencies);
    await serve({ epoch: 2, modelName: 'model-2' });
    now = 9_999;
    expect(await predict({ features }, dependencies)).toMatchObject({ model: 'model-1' });
    now = 10_000;
    expect(await predict({ features }, dependencies)).toMatchObject({ model: 'model-2' });
  });

  test('by a function URL is JSON with a status, base64 or not', async () => {
    await serve();
    expect(await post({ features })).toMatchObject({ statusCode: 200, score: 0.8 });
    const body = Buffer.from(JSON.stringify({ features })).toString('base64');
    expect(await answer(urlEvent(body, true), dependencies)).toMatchObject({ statusCode: 200 });
  });

  test('by a function URL says how long each step took', async () => {
    await serve();
    await putAccount('a-1');
    const response = (await answer(urlEvent('{"account_id":"a-1"}'), dependencies)) as {
      headers: Record<string, string>;
    };
    expect(response.headers['server-timing']).toMatch(
      /^online-read;dur=\d+\.\d\d, encode;dur=\d+\.\d\d, endpoint;dur=\d+\.\d\d$/,
    );
  });

  test('by a direct invocation is the prediction itself, or an error', async () => {
    await serve();
    expect(await answer({ features }, dependencies)).toMatchObject({ score: 0.8 });
    await expect(answer({ account_id: 'nobody' }, dependencies)).rejects.toThrow(
      'Not in feature group accounts: nobody.',
    );
  });
});

describe('a prediction is refused', () => {
  test.each([
    ['no JSON', '{', 'must be JSON'],
    ['nothing', '', 'must be JSON'],
    ['neither record nor features', '{}', 'expected {"account_id": "…"}'],
    ['both record and features', '{"account_id":"a-1","features":{}}', 'one of them'],
    ['an empty identifier', '{"account_id":""}', 'expected'],
    ['wrong features', '{"features":{"logins":-1}}', 'logins must be at least 0'],
    ['a wrong one in a list', '{"records":[{"account_id":"a"},{"features":{}}]}', 'records[1]: logins is required'],
    ['an empty list', '{"records":[]}', '1 to 100, not 0'],
  ])('for %s with 400', async (_, body, sentence) => {
    await serve();
    const response = (await answer(urlEvent(body), dependencies)) as { statusCode: number; body: string };
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(response.body).error).toContain(sentence);
  });

  test('for more than 100 records with 400', async () => {
    const records = Array.from({ length: 101 }, (_, index) => ({ account_id: `a-${index}` }));
    expect(await post({ records })).toMatchObject({ statusCode: 400, error: expect.stringContaining('not 101') });
  });

  test('for records that are unknown or deleted with 404, naming them', async () => {
    await serve();
    await putAccount('a-1');
    await putAccount('gone');
    const deletion = { RecordIdentifierValueAsString: 'gone', EventTime: '2026-01-15T00:00:00.001Z' };
    await store.send(new DeleteRecordCommand({ FeatureGroupName: 'accounts', ...deletion }));
    const records = ['a-1', 'gone', 'never'].map((account_id) => ({ account_id }));
    expect(await post({ records })).toEqual({ statusCode: 404, error: 'Not in feature group accounts: gone, never.' });
    expect(await post({ account_id: 'gone' })).toMatchObject({ statusCode: 404 });
    expect(bodies).toEqual([]);
  });

  test('when the model was trained with a schema whose encoding is not kept with 409', async () => {
    await serve({ schemaHash: 'ffffffffffffffff' });
    expect(await post({ features })).toMatchObject({
      statusCode: 409,
      error: expect.stringContaining('ffffffffffffffff'),
    });
    expect(bodies).toEqual([]);
  });

  test('when the online record lacks a required number with 409', async () => {
    await serve();
    await putAccount('a-1', { logins: undefined });
    expect(await post({ account_id: 'a-1' })).toMatchObject({
      statusCode: 409,
      error: expect.stringContaining('logins'),
    });
  });

  test('when the feature store throttles with 429', async () => {
    await serve();
    faults.inject({ service: 'featurestore', operation: 'GetRecord', kind: 'before' });
    expect(await post({ account_id: 'a-1' })).toMatchObject({ statusCode: 429 });
  });

  test('before a first model serves with 503', async () => {
    expect(await post({ features })).toMatchObject({
      statusCode: 503,
      error: expect.stringContaining('No model serves yet'),
    });
    await serve();
    expect(await post({ features })).toMatchObject({ statusCode: 200 });
  });

  test('when the endpoint does not exist with 503', async () => {
    await serve();
    const runtime = new SageMakerRuntimeClient(cloud.client);
    const response = await answer(urlEvent(JSON.stringify({ features })), { ...dependencies, runtime });
    expect(response).toMatchObject({ statusCode: 503, body: expect.stringContaining('No endpoint serves') });
  });

  test('by an error of its own, not by an answer, when the endpoint answers something else', async () => {
    await serve();
    endpoint = () => ({ predictions: [] });
    await expect(post({ features })).rejects.toThrow('answered 0 predictions for 1 rows');
  });
});

test('what BatchGetRecord leaves unprocessed is asked for again', async () => {
  await serve();
  await putAccount('a-1');
  await putAccount('a-2');
  faults.inject({ service: 'featurestore', operation: 'BatchGetRecord', kind: 'partial' });
  const records = [{ account_id: 'a-1' }, { account_id: 'a-2' }];
  expect(await post({ records })).toMatchObject({ statusCode: 200 });
});

describe('predictions that are kept', () => {
  const kept: LoggedPrediction[] = [];
  const keeping = (notLogged: NotLogged): PredictDependencies => {
    kept.length = 0;
    return {
      ...dependencies,
      async log(predictions) {
        kept.push(...predictions);
        return notLogged;
      },
    };
  };

  test('say what was asked and answered, by what, and the row that the endpoint was sent', async () => {
    await serve();
    await putAccount('a-1');
    const timings = new Timings();
    const records = [{ account_id: 'a-1' }, { features }];
    const answered = await predict({ records }, keeping({ count: 0, error: '' }), timings);
    expect(answered).toEqual(await predict({ records }, dependencies));
    const rows = bodies[0]?.split('\n').map((row) => row.split(',')) ?? [];
    const both = { score: (rows[0]?.length ?? 0) / 10, predictedLabel: 1, threshold: null, model: 'model-1' };
    expect(kept).toMatchObject([
      { ...both, schemaHash: SCHEMA, recordIdentifier: 'a-1', encodedRow: rows[0] },
      { ...both, schemaHash: SCHEMA, recordIdentifier: undefined, encodedRow: rows[1] },
    ]);
    expect(new Set(kept.map(({ predictionId }) => predictionId)).size).toBe(2);
    expect([...timings.durations.keys()]).toEqual(['online-read', 'encode', 'endpoint', 'log']);
    expect(timings.unlogged).toEqual({ count: 0, error: '' });
  });

  test('are answered all the same when they could not be, and counted', async () => {
    await serve();
    const timings = new Timings();
    const answered = await predict({ features }, keeping({ count: 1, error: 'ServiceUnavailableException' }), timings);
    expect(answered).toEqual(await predict({ features }, dependencies));
    expect(timings.unlogged).toEqual({ count: 1, error: 'ServiceUnavailableException' });
  });

  test('are none where a request is refused', async () => {
    await serve();
    await expect(predict({ account_id: 'nobody' }, keeping({ count: 0, error: '' }))).rejects.toThrow('nobody');
    expect(kept).toEqual([]);
  });
});
