import { expect, test } from 'vitest';
import { replayEvents } from '../../infra/replay/replay-events.ts';
import { streamOf } from '../../infra/replay/stream-records.ts';
import orders from './orders.ts';

const order = { pk: 'customer-7', sk: 'order-7', amount: 59, itemCount: 1, channel: 'shop', express: false };

test('an order is online as it was written last, and its label is counted', async () => {
  const stream = streamOf(orders);
  const returned = { ...order, returned: 1 };
  const { online, labels } = await replayEvents(orders, [stream.insert(order), stream.modify(order, returned)]);
  expect(online.get('customer-7|order-7')).toMatchObject({ amount: '59', channel: 'shop', returned: '1' });
  expect(labels).toMatchObject([{ recordIdentifier: 'customer-7|order-7', label: '1' }]);
});

test('an order of a channel that we do not know is kept aside', async () => {
  const { online, rejections } = await replayEvents(orders, [streamOf(orders).insert({ ...order, channel: 'fax' })]);
  expect(online.size).toBe(0);
  expect(rejections).toMatchObject([{ reason: 'unknown-category', path: 'dynamodb.NewImage.channel' }]);
});
