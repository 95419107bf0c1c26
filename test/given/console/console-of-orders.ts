import { actionsOn } from '../../../infra/commands/serving/actions.ts';
import { PREFIX } from '../../../infra/console/assets.ts';
import { makeConsole } from '../../../infra/console/console.ts';
import { openLiveSources } from '../../../infra/insight/live/live-sources.ts';
import group from '../../fixtures/feature-groups/orders.ts';
import { type OrdersCloud, ordersCloud } from '../retraining/orders-cloud.ts';

/** Milliseconds between two looks: a test does not wait for a second. */
const LOOK_MS = 200;

/** The table of orders, and the console of its stack. */
export async function consoleOfOrders() {
  const orders: OrdersCloud = await ordersCloud({ predictionLog: 'true' });
  const { cloud } = orders;
  const settings = {
    ...{ endpoint: cloud.endpoint, region: 'us-east-1' },
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const sources = await openLiveSources(group, cloud.stack.name, settings);
  const actions = actionsOn(sources, settings);
  const options = { sources, actions, commandOptions: '--definition orders', lookMs: LOOK_MS, readsFreely: true };
  const pages = makeConsole(options);
  cloud.servePages(PREFIX, pages.listener);
  return {
    ...{ orders, cloud, options, address: `${cloud.endpoint}${PREFIX}` },
    async close() {
      pages.close();
      sources.close();
      await orders.close();
    },
  };
}
