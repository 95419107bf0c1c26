import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { answer, type PredictDependencies } from '../../../functions/predict.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { sdkOnlineStore } from '../../../shared/online-store/online-store.ts';
import { modelReader } from '../../../shared/prediction/model.ts';
import { publishTimings, Timings } from '../../../shared/prediction/timings.ts';
import { startServer } from '../measure/processes.ts';
import { quantile } from '../measure/rounds.ts';
import { timedChanges } from './online-write.ts';

/** Records that are asked for in turn. As many as one BatchWriteRecord takes. */
const RECORDS = 25;
const WARM_UP_REQUESTS = 100;

/** `own` is what neither the online store nor the endpoint took. In milliseconds, as all of these. */
const PARTS = ['total', 'online-read', 'encode', 'endpoint', 'own'] as const;
type Part = (typeof PARTS)[number];

/**
 * Time of predict for one known record, one request after the other, against the local cloud's online store and
 * endpoint in another process: all of it, and its parts.
 */
export async function predictLatency({ quick }: { quick: boolean }) {
  process.env.POWERTOOLS_METRICS_NAMESPACE = 'Tributary';
  const server = await startServer('measure/prediction-services.ts');
  const client = {
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const featureStore = new SageMakerFeatureStoreRuntimeClient(client);
  const changes = timedChanges(RECORDS);
  await sdkOnlineStore(bankMarketing, featureStore).batchWrite(changes, new AbortController().signal);
  const identifiers = changes.map((change) => change.recordIdentifier);
  const dependencies: PredictDependencies = {
    config: {
      featureGroup: bankMarketing.name,
      stateTable: 'state',
      endpointName: 'endpoint',
      predictionLogStream: '',
    },
    group: bankMarketing,
    featureStore,
    runtime: new SageMakerRuntimeClient(client),
    readModel: modelReader(bankMarketing, {
      readServing: async () => ({ modelName: 'model', schemaHash: schemaHash(bankMarketing) }),
      readEncoding: async () => undefined,
      endpointName: 'endpoint',
    }),
  };
  const requests = quick ? 300 : 3_000;
  const times: Record<Part, number>[] = [];
  for (let request = -WARM_UP_REQUESTS; request < requests; request += 1) {
    const taken = await timed(identifiers[(request + WARM_UP_REQUESTS) % RECORDS] ?? '', dependencies);
    if (request >= 0) times.push(taken);
  }
  server.close();
  const parts = PARTS.map((part) => {
    const all = times.map((it) => it[part]);
    return [part, { p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99) }];
  });
  return { requests, parts: Object.fromEntries(parts) };
}

async function timed(identifier: string, dependencies: PredictDependencies): Promise<Record<Part, number>> {
  const timings = new Timings();
  const body = JSON.stringify({ [bankMarketing.recordIdentifier.name]: identifier });
  const began = performance.now();
  const response = (await answer({ requestContext: { http: {} }, body }, dependencies, timings)) as {
    statusCode: number;
    body: string;
  };
  publishTimings(bankMarketing.name, timings);
  const total = performance.now() - began;
  if (response.statusCode !== 200) throw new Error(response.body);
  const step = (name: 'online-read' | 'encode' | 'endpoint') => timings.durations.get(name) ?? Number.NaN;
  return {
    total,
    'online-read': step('online-read'),
    encode: step('encode'),
    endpoint: step('endpoint'),
    own: total - step('online-read') - step('endpoint'),
  };
}
