import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Cloud } from '../../../infra/local/cloud.ts';
import { inProcessClient } from '../../../infra/local/protocol/in-process-client.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import { readStatus } from '../../../shared/training/status.ts';
import ordersGroup from '../../fixtures/feature-groups/orders.ts';
import { ORDERS, type OrdersCloud } from './orders-cloud.ts';

/** What people do to a model that serves: they look at it, and roll it back. */

const POLL_MS = 50;

/** Runs a command as a person would, with nothing set but the endpoint. */
export async function runCommand(cloud: Cloud, file: string, definition: string, ...options: string[]) {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, ...environment } = process.env;
  const argv = [`infra/commands/${file}.ts`, '--definition', definition, ...options];
  const env = { ...environment, AWS_ENDPOINT_URL: cloud.endpoint };
  return (await promisify(execFile)(process.execPath, argv, { env })).stdout;
}

/** Runs a command on the table of orders. */
export const command = ({ cloud }: OrdersCloud, file: string, ...options: string[]) =>
  runCommand(cloud, file, ORDERS, ...options);

/** How a cloud's retraining stands, as JSON. Tests look often: `npm run status` would take a process each time. */
export async function statusOf({ cloud }: Pick<OrdersCloud, 'cloud'>, group = ordersGroup) {
  const retrain = cloud.stack.functions.find(({ handler }) => handler === 'functions/retrain.handler');
  const config = retrainConfig(retrain?.environment ?? {});
  const dynamodb = inProcessClient(cloud.call, 'dynamodb') as Pick<DynamoDBClient, 'send'>;
  const found = await readStatus({ name: config.stateTable, dynamodb }, group, config, Date.now());
  return JSON.parse(JSON.stringify(found));
}

/** Whether there is an endpoint of a name, whatever it does. */
export const hasEndpoint = ({ cloud }: OrdersCloud, EndpointName: string): Promise<boolean> =>
  cloud.call('sagemaker', 'DescribeEndpoint', { EndpointName }).then(
    () => true,
    () => false,
  );

/** Asks again and again until it is so. */
export async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await met())) await sleep(POLL_MS);
}

/** Waits until the endpoint is being updated, and gives the new configuration's name and the old one's. */
export async function updating(orders: OrdersCloud): Promise<{ configuration: string; before: string }> {
  for (;;) {
    const found = await orders.endpoint();
    const { EndpointStatus, PendingDeploymentSummary } = found as typeof found & {
      PendingDeploymentSummary?: { EndpointConfigName: string };
    };
    if (EndpointStatus === 'Updating' && PendingDeploymentSummary) {
      return { configuration: PendingDeploymentSummary.EndpointConfigName, before: found.EndpointConfigName };
    }
    await sleep(POLL_MS);
  }
}
