import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { retrain } from '../../../functions/retrain.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import orders from '../../fixtures/feature-groups/orders.ts';
import { noFleets } from '../../given/retraining/no-fleets.ts';
import { type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';

/** The snapshots' state machine as it is deployed, run by the local Step Functions with every service behind it. */

const POLL_MS = 50;
const DAY_MS = 86_400_000;

let shop: OrdersCloud;

beforeEach(async () => {
  shop = await ordersCloud({ gateMinimumGain: -0.5, labelsThreshold: 100 });
});
afterEach(() => shop.close());

/** Runs the schedule once, and waits for the executions of snapshots to end. */
async function schedule(): Promise<{ status: string; name: string; input?: string }[]> {
  await shop.retrain({ source: 'aws.events' });
  return executions();
}

async function executions() {
  const stateMachineArn = shop.cloud.stack.outputs.RetrainingStateMachineArn?.replace(/retraining$/, 'snapshot');
  for (;;) {
    const found = (await shop.cloud.call('states', 'ListExecutions', { stateMachineArn })) as {
      executions: { status: string; name: string }[];
    };
    if (found.executions.every(({ status }) => status !== 'RUNNING')) return found.executions;
    await sleep(POLL_MS);
  }
}

async function rows(sql: string): Promise<string[]> {
  const database = shop.cloud.stack.outputs.AthenaDatabase;
  const { QueryExecutionId } = (await shop.cloud.call('athena', 'StartQueryExecution', {
    QueryString: sql,
    QueryExecutionContext: { Database: database },
    WorkGroup: shop.cloud.stack.outputs.AthenaWorkGroup,
  })) as { QueryExecutionId: string };
  for (;;) {
    const { QueryExecution } = (await shop.cloud.call('athena', 'GetQueryExecution', { QueryExecutionId })) as {
      QueryExecution: { Status: { State: string; StateChangeReason?: string } };
    };
    const { State, StateChangeReason } = QueryExecution.Status;
    if (State === 'FAILED') throw new Error(StateChangeReason);
    if (State === 'SUCCEEDED') break;
    await sleep(POLL_MS);
  }
  const { ResultSet } = (await shop.cloud.call('athena', 'GetQueryResults', { QueryExecutionId })) as {
    ResultSet: { Rows: { Data: { VarCharValue?: string }[] }[] };
  };
  return ResultSet.Rows.slice(1).map(({ Data }) => JSON.stringify(Data.map((it) => it.VarCharValue)));
}

const sqlOfLatest = async () => {
  const { Table } = (await shop.cloud.call('glue', 'GetTable', {
    DatabaseName: shop.cloud.stack.outputs.AthenaDatabase,
    Name: 'latest',
  })) as { Table: { ViewOriginalText: string } };
  const base64 = /Presto View: (\S+)/.exec(Table.ViewOriginalText)?.[1] ?? '';
  return String(JSON.parse(Buffer.from(base64, 'base64').toString()).originalSql);
};

async function expectSameRows(count: number) {
  const sorted = (view: string) => rows(`SELECT * FROM ${view} ORDER BY order_id`);
  // Firehose gathers rows for a second.
  while ((await sorted('latest_from_history')).length < count) await sleep(POLL_MS);
  const latest = await sorted('latest');
  expect(latest).toHaveLength(count);
  expect(latest).toEqual(await sorted('latest_from_history'));
}

describe('the state machine of snapshots, run', () => {
  it('makes a snapshot, has the views read it and the changes since, and makes no other on that day', async () => {
    await shop.write(0, 40);
    await expectSameRows(40);
    expect(await sqlOfLatest()).toContain('latest_from_history');
    const [made] = await schedule();
    expect(made).toMatchObject({ status: 'SUCCEEDED' });
    const sql = await sqlOfLatest();
    expect(sql).toContain(`"snapshot" = '${made?.name}'`);
    expect((await shop.stateItem('shown-snapshot')).name?.S).toBe(made?.name);
    await expectSameRows(40);
    await shop.write(30, 30);
    await expectSameRows(60);
    expect(await schedule()).toHaveLength(1);
    expect(await sqlOfLatest()).toBe(sql);
  });

  it('shows the snapshot of a training', async () => {
    await shop.write(0, 150);
    expect(await shop.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
    const snapshot = (await shop.stateItem('snapshot')).name?.S ?? '';
    expect(await executions()).toMatchObject([{ status: 'SUCCEEDED', name: snapshot }]);
    expect(await sqlOfLatest()).toContain(`"snapshot" = '${snapshot}'`);
    await expectSameRows(150);
  });

  it('removes what was replaced a week ago, but nothing that a view or a training names', async () => {
    await shop.write(0, 40);
    // A snapshot of no rows would have no file.
    await expectSameRows(40);
    const [made] = await schedule();
    const { Environment } = (await shop.cloud.call('lambda', 'GetFunctionConfiguration', {
      FunctionName: shop.cloud.stack.functions.find((it) => it.handler === 'functions/retrain.handler')?.name,
    })) as { Environment: { Variables: Record<string, string> } };
    const options = retrainConfig(Environment.Variables);
    const settings = {
      ...{ endpoint: shop.cloud.endpoint, region: 'us-east-1', forcePathStyle: true },
      credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    };
    const clients = {
      ...{ sfn: new SFNClient(settings), s3: new S3Client(settings) },
      runtime: new SageMakerRuntimeClient(settings),
    };
    const dynamodb = new DynamoDBClient(settings);
    const Bucket = options.dataBucket;
    for (const name of ['half-written', 'replaced', 'newest']) {
      const Key = `snapshots/${name}/snapshot_part=rest/1`;
      await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
      await sleep(5);
    }
    const shown = async (days: number) => {
      const item = await shop.stateItem('shown-snapshot');
      const text = (name: string) => item[name]?.S ?? '';
      const snapshot = { name: text('name'), format: text('format'), watermark: text('watermark') };
      await retrain(
        { action: 'snapshot-shown', snapshot },
        {
          ...{ options, group: orders, table: { name: options.stateTable, dynamodb }, ...clients, ...noFleets },
          now: () => Date.now() + days * DAY_MS,
        },
      );
      const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'snapshots/' }));
      return [...new Set(Contents.map(({ Key = '' }) => Key.split('/')[1]))].sort();
    };
    const all = ['half-written', 'newest', 'replaced', made?.name].sort();
    expect(await shown(6)).toEqual(all);
    expect(await shown(8)).toEqual(['newest', made?.name].sort());
    for (const it of [dynamodb, ...Object.values(clients)]) it.destroy();
  });
});
