import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Cloud, startCloud } from '../../../infra/local/cloud.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { endpointName, executionName } from '../../../shared/model/names.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import orders from '../../fixtures/feature-groups/orders.ts';
import { stackOf } from '../local/stacks.ts';

/** The local cloud with a table of orders, whose labels follow from their features but for some noise. */

export const ORDERS = new URL('../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;

const PARAMS = {
  ...{ changeLogBufferSeconds: 1, endpointPollSeconds: 1, labelsWindowSeconds: 0, coolDownSeconds: 0 },
  ...{ labelsThreshold: 300, labelsPerClassMin: 0, retryBackoffSeconds: 3600, canarySeconds: 1, terminationSeconds: 0 },
  judgeRowsPerClassMin: 1,
  gateFloor: 0,
};

const POLL_MS = 200;

export interface Order {
  readonly number: number;
  readonly price: number;
  readonly quantity: number;
  readonly gift: boolean;
  /** Whether the training set's split keeps it from training, to validate on or to judge by. */
  readonly validates: boolean;
}

/** An even spread of numbers from 0 to 1, the same for the same key. */
export function spread(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32;
}

export function orderOf(number: number): Order {
  const bucket = Number.parseInt(createHash('md5').update(`o-${number}|1`).digest('hex').slice(0, 4), 16) % 100;
  return {
    number,
    price: Math.round(spread(`price ${number}`) * 100),
    quantity: 1 + Math.floor(spread(`quantity ${number}`) * 9),
    gift: spread(`gift ${number}`) < 0.5,
    validates: bucket < 20,
  };
}

/** Dear orders of few pieces come back. */
export function labelOf({ number, price, quantity, gift }: Order): '0' | '1' {
  const noise = spread(`noise ${number}`) * 40;
  return price / 2 - quantity * 5 + (gift ? 15 : 0) + noise > 27 ? '1' : '0';
}

/** A label that says nothing, as a fault in whoever labels would give; validation rows keep the true one. */
export function shuffledLabelOf(order: Order): '0' | '1' {
  if (order.validates) return labelOf(order);
  return spread(`shuffled ${order.number}`) < 0.5 ? '0' : '1';
}

type StateItem = Record<string, { S?: string; N?: string; M?: Record<string, unknown> }>;

export interface OrdersCloud {
  readonly cloud: Cloud;
  /** Writes orders with their labels, and waits until they are through. */
  write(from: number, count: number, label?: (order: Order) => '0' | '1'): Promise<void>;
  /** The execution of an epoch's attempt, once it has ended. */
  ended(epoch: number, attempt?: number): Promise<{ status: string; error?: string; cause?: string }>;
  /** Has the function retrain look at the labels now, as a person does; an event in place of that of nobody. */
  retrain(event?: object): Promise<{ decision: string; reason: string }>;
  /** An item of the state table; empty when it is not there. */
  stateItem(pk: string): Promise<StateItem>;
  endpoint(): Promise<{ EndpointStatus: string; EndpointConfigName: string }>;
  close(): Promise<void>;
}

/** @param definition file of a definition of the same table. */
export async function ordersCloud(
  params: Record<string, string | number> = {},
  definition = ORDERS,
): Promise<OrdersCloud> {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-orders-'));
  const options = { featureGroup: definition, params: { ...PARAMS, ...params } };
  const cloud = await startCloud({ dir, port: 0, ...options, stack: await stackOf(options) });
  const { default: group } = (await import(definition)) as { default: FeatureGroup };
  let revision = 0;
  return {
    cloud,
    async write(from, count, label = labelOf) {
      revision += 1;
      for (let first = from; first < from + count; first += 25) {
        const length = Math.min(25, from + count - first);
        const items = Array.from({ length }, (_, index) => itemOf(orderOf(first + index), label, revision));
        await cloud.call('dynamodb', 'BatchWriteItem', { RequestItems: { 'shop.orders': items } });
      }
      await cloud.idle();
    },
    async ended(epoch, attempt = 1) {
      const machine = cloud.stack.outputs.RetrainingStateMachineArn ?? '';
      const name = executionName(group.name, epoch, attempt);
      const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
      for (;;) {
        const found = await cloud.call('states', 'DescribeExecution', { executionArn }).catch(() => undefined);
        const execution = found as { status: string; error?: string; cause?: string } | undefined;
        if (execution && execution.status !== 'RUNNING') return execution;
        await sleep(POLL_MS);
      }
    },
    async retrain(event = {}) {
      const FunctionName = cloud.stack.functions.find((it) => it.handler === 'functions/retrain.handler')?.name;
      const answer = await cloud.call('lambda', 'Invoke', { FunctionName, Payload: JSON.stringify(event) });
      return JSON.parse((answer as { Payload: string }).Payload);
    },
    async stateItem(pk) {
      const request = { TableName: cloud.stack.outputs.StateTableName, Key: { pk: { S: pk } }, ConsistentRead: true };
      const { Item } = (await cloud.call('dynamodb', 'GetItem', request)) as { Item?: StateItem };
      return Item ?? {};
    },
    async endpoint() {
      const request = { EndpointName: endpointName(cloud.stack.outputs.EndpointName ?? '', schemaHash(orders)) };
      return (await cloud.call('sagemaker', 'DescribeEndpoint', request)) as Awaited<
        ReturnType<OrdersCloud['endpoint']>
      >;
    },
    async close() {
      await cloud.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function itemOf(order: Order, label: (order: Order) => '0' | '1', revision: number) {
  const { number, price, quantity, gift } = order;
  const updatedAt = { N: String(1_795_000_000 + revision * 10_000 + number) };
  const features = { unitPrice: { N: String(price) }, quantity: { N: String(quantity) }, gift: { BOOL: gift } };
  const Item = { pk: { S: `o-${number}` }, sk: { S: '1' }, updatedAt, ...features, size: { S: 'small' } };
  return { PutRequest: { Item: { ...Item, returned: { N: label(order) } } } };
}
