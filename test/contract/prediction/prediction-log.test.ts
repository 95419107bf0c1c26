import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { openLiveSources } from '../../../infra/insight/live/live-sources.ts';
import { askForPrediction } from '../../../infra/insight/live/predictions.ts';
import { readPredictions } from '../../../infra/insight/predictions.ts';
import { queryRows } from '../../../infra/insight/query.ts';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import { predictionLog } from '../../../shared/prediction-log/log.ts';
import group from '../../fixtures/feature-groups/orders.ts';
import { readDocument } from '../../given/documents.ts';
import { type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';

/** The whole way of a kept prediction: predict, its delivery stream, S3, Athena. */

const ID = 'o-7|1';
const settings = (endpoint: string) => ({
  ...{ endpoint, region: 'us-east-1' },
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
const open = ({ cloud }: OrdersCloud) => openLiveSources(group, cloud.stack.name, settings(cloud.endpoint));

describe('a stack with a prediction log', () => {
  let orders: OrdersCloud;
  let sources: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    orders = await ordersCloud({ predictionLog: 'true' });
    await orders.write(0, 300);
    await orders.ended(1);
    sources = await open(orders);
  });
  afterAll(async () => {
    sources?.close();
    await orders?.close();
  });

  it('keeps each prediction that it answers, and finds those of a record', async () => {
    const features = { 'unit-price': 12.5, size: 'medium' };
    const { status, body } = await askForPrediction(sources, { records: [{ order_id: ID }, { features }] });
    const { predictions } = body as { predictions: { score: number; model: string; schema: string }[] };
    expect(status).toBe(200);
    await orders.cloud.flushDeliveryStreams();
    const sql = 'SELECT record_identifier, score, model, schema_hash FROM prediction_log ORDER BY 1';
    const { rows, columns } = await queryRows(sources, sql, { rowsMax: 10 });
    const kept = predictions.map(({ score, model, schema }, index) => [
      index === 0 ? ID : null,
      String(score),
      model,
      schema,
    ]);
    expect(rows.map(([id, score, ...more]) => [id, String(Number(score)), ...more])).toEqual(kept);
    expect(columns.map(({ type }) => type)).toEqual(['varchar', 'double', 'varchar', 'varchar']);
    const [first, ...others] = (await readPredictions(sources, ID)) ?? [];
    expect(others).toEqual([]);
    expect(first).toMatchObject({ model: predictions[0]?.model, encoded_row: expect.stringMatching(/^[\d.,-]+$/) });
    expect(await readPredictions(sources, 'o-8|1')).toEqual([]);
  });

  it('answers the recipe of the documents, by labels that came later', async () => {
    const [, recipe = ''] = readDocument('docs/guides/data-scientists.md').text.split('### Predictions against labels');
    const [, sql = ''] = /```sql\n([^`]+)```/.exec(recipe) ?? [];
    const { rows } = await queryRows(sources, sql, { rowsMax: 10 });
    expect(rows).toEqual([
      [expect.stringContaining('-e1-a1-'), '1', expect.any(String), expect.stringMatching(/^[01]/)],
    ]);
  });

  it('shows a row that was delivered twice once', async () => {
    const row = 'id-1,2026-01-15T10:00:00.000Z,twice,0.5,1,\\N,m,s,1\\,2\n';
    const firehose = new FirehoseClient(settings(orders.cloud.endpoint));
    const put = new PutRecordBatchCommand({
      DeliveryStreamName: `${orders.cloud.stack.name}-PredictionLogStream`,
      Records: [{ Data: Buffer.from(row + row) }],
    });
    await firehose.send(put).finally(() => firehose.destroy());
    await orders.cloud.flushDeliveryStreams();
    const [first, ...others] = (await readPredictions(sources, 'twice')) ?? [];
    expect(others).toEqual([]);
    expect(first).toMatchObject({ threshold: null, encoded_row: '1,2' });
  });

  it('answers all the same while Firehose fails, and says so in a metric', async () => {
    orders.cloud.faults.inject({ service: 'firehose', operation: 'PutRecordBatch', kind: 'before', times: 100 });
    try {
      expect(await askForPrediction(sources, { order_id: ID })).toMatchObject({ status: 200 });
    } finally {
      orders.cloud.faults.clear();
    }
    const { events = [] } = await sources.logs.send(
      new FilterLogEventsCommand({
        logGroupName: `/aws/lambda/${orders.cloud.stack.name}-predict`,
        filterPattern: '"PredictionsNotLogged"',
      }),
    );
    const lines = events.map(({ message = '' }) => JSON.parse(message));
    expect(lines.map((it) => [it.PredictionsNotLogged, it.predictionLogError])).toEqual([
      [0, undefined],
      [1, expect.stringContaining('ThrottlingException')],
    ]);
    expect(JSON.stringify(lines)).not.toContain(ID);
  });
});

it('a stack without one has no table, and reads no predictions', async () => {
  const orders = await ordersCloud();
  const sources = await open(orders);
  try {
    expect(await readPredictions(sources, ID)).toBeUndefined();
    const sql = 'SELECT * FROM prediction_log';
    await expect(queryRows(sources, sql, { rowsMax: 1 })).rejects.toThrow(/prediction_log/);
  } finally {
    sources.close();
    await orders.close();
  }
});

test.each<[string, RequestListener]>([
  ['never answers', () => {}],
  ['begins an answer that does not end', (_, response) => response.writeHead(200).write('{"FailedPutCount"')],
])('the log is cut off when Firehose %s', async (_, silent) => {
  const server = createServer((request, response) => request.resume().on('end', () => silent(request, response)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const firehose = new FirehoseClient(settings(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const log = predictionLog({ name: 'predictions', firehose }, systemTime);
  const prediction = {
    ...{ predictionId: 'id-1', predictedAtMs: 0, recordIdentifier: 'a-1', score: 0.5, predictedLabel: 1 },
    ...{ threshold: null, model: 'model-1', schemaHash: 'schema', encodedRow: ['1'] },
  };
  try {
    // The client's own time limit would be a TimeoutError, and later.
    expect(await log([prediction])).toEqual({ count: 1, error: 'AbortError' });
  } finally {
    firehose.destroy();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});
