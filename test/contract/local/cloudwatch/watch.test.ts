import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetDashboardCommand,
  GetMetricDataCommand,
  type MetricDataQuery,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, startCloud } from '../../../../infra/local/cloud.ts';

/** What is watched of a stack: its alarms, its dashboard and its logs, after a good and a bad record. */

const ORDERS = new URL('../../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;
const STACK = 'tributary-orders-v2-dev';

let dir: string;
let cloud: Cloud;
let cloudwatch: CloudWatchClient;
let logs: CloudWatchLogsClient;
let lambda: LambdaClient;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-watch-'));
  cloud = await startCloud({ dir, port: 0, featureGroup: ORDERS, params: { changeLogBufferSeconds: 0 } });
  const settings = {
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'l', secretAccessKey: 'l' },
  };
  cloudwatch = new CloudWatchClient(settings);
  logs = new CloudWatchLogsClient(settings);
  lambda = new LambdaClient(settings);
  const item = (pk: string, unitPrice: object) => ({
    ...{ pk: { S: pk }, sk: { S: '1' }, updatedAt: { N: '1795458220' }, unitPrice, size: { S: 'small' } },
  });
  const put = (Item: object) => cloud.call('dynamodb', 'PutItem', { TableName: 'shop.orders', Item });
  await put(item('good', { N: '2.5' }));
  await put(item('bad', { S: 'no number' }));
  await cloud.idle();
});
afterAll(async () => {
  for (const client of [cloudwatch, logs, lambda]) client.destroy();
  await cloud.close();
  await rm(dir, { recursive: true, force: true });
});

const states = async () => {
  const { MetricAlarms = [] } = await cloudwatch.send(
    new DescribeAlarmsCommand({ AlarmNamePrefix: STACK, MaxRecords: 100 }),
  );
  return Object.fromEntries(MetricAlarms.map((it) => [it.AlarmName?.replace(`${STACK}-`, ''), it.StateValue]));
};

test('every standing alarm is evaluated: the one of quarantined records rings, and no other', async () => {
  const found = await states();
  expect(Object.keys(found).length).toBeGreaterThanOrEqual(17);
  const ringing = Object.entries(found).filter(([, state]) => state !== 'OK');
  expect(ringing).toEqual([['records-quarantined', 'ALARM']]);
});

test('a state that is set by hand stands for a while, to try out what hangs on it', async () => {
  const AlarmName = `${STACK}-ingest-errors`;
  await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'try' }));
  expect((await states())['ingest-errors']).toBe('ALARM');
});

test('every metric of the dashboard can be drawn, and what has happened is in it', async () => {
  const { DashboardBody = '' } = await cloudwatch.send(new GetDashboardCommand({ DashboardName: STACK }));
  const { widgets } = JSON.parse(DashboardBody) as {
    widgets: { properties: { metrics: [...string[], { stat: string }][] } }[];
  };
  const queries = widgets
    .flatMap((it) => it.properties.metrics)
    .map((row, index): MetricDataQuery => {
      const [Namespace, MetricName, ...dimensions] = row.filter((it) => typeof it === 'string');
      const Dimensions = dimensions.flatMap((Name, at) =>
        at % 2 === 0 ? [{ Name, Value: dimensions[at + 1] ?? '' }] : [],
      );
      const Stat = (row.at(-1) as { stat: string }).stat;
      return {
        Id: `m${index}`,
        Label: MetricName ?? '',
        MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period: 300, Stat },
      };
    });
  expect(queries.length).toBeGreaterThan(20);
  const { MetricDataResults = [] } = await cloudwatch.send(
    new GetMetricDataCommand({
      MetricDataQueries: queries,
      StartTime: new Date(Date.now() - 900_000),
      EndTime: new Date(Date.now() + 60_000),
    }),
  );
  const total = (label: string) =>
    MetricDataResults.filter((it) => it.Label === label)
      .flatMap((it) => it.Values ?? [])
      .reduce((sum, it) => sum + it, 0);
  expect([total('RecordsIn'), total('Delivered'), total('Quarantined')]).toEqual([2, 1, 1]);
  expect(total('IteratorAge')).toBeGreaterThan(0);
});

test('what functions log is found by words, and read stream by stream, between the lines that Lambda adds', async () => {
  const logGroupName = `/aws/lambda/${STACK}-ingest`;
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName, filterPattern: '"REPORT RequestId"' }),
  );
  expect(events.length).toBeGreaterThan(0);
  const logStreamName = events[0]?.logStreamName;
  const read = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }));
  const texts = (read.events ?? []).map((it) => it.message ?? '');
  expect(texts[0]).toMatch(/^START RequestId: .* Version: \$LATEST$/);
  expect(texts.some((text) => text.includes('"_aws"'))).toBe(true);
  const next = { logGroupName, logStreamName, nextToken: read.nextForwardToken };
  expect((await logs.send(new GetLogEventsCommand(next))).events).toEqual([]);
});

test('Invoke gives the end of its log when it is asked to, also by an alias', async () => {
  const invoke = (FunctionName: string, Payload: string) =>
    lambda.send(new InvokeCommand({ FunctionName, LogType: 'Tail', Payload }));
  const { LogResult = '' } = await invoke(`${STACK}-redrive`, '{"action":"list"}');
  const text = Buffer.from(LogResult, 'base64').toString();
  expect(text).toMatch(/^START RequestId/);
  expect(text).toMatch(/END RequestId: .*\nREPORT RequestId: .*Duration: \d+\.00 ms/);
  const aliased = await invoke(`${STACK}-predict:live`, '{}');
  expect(Buffer.from(aliased.LogResult ?? '', 'base64').toString()).toContain('REPORT');
});

test('metrics, alarms and logs survive a restart', async () => {
  await cloud.close();
  cloud = await startCloud({ dir, port: cloud.port, featureGroup: ORDERS, eventSourceMappings: false });
  expect((await states())['records-quarantined']).toBe('ALARM');
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${STACK}-ingest`, filterPattern: 'START' }),
  );
  expect(events.length).toBeGreaterThan(0);
});
