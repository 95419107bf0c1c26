import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ORDERS, type OrdersCloud } from './orders-cloud.ts';

/** What people and applications do to a model that serves: they ask for predictions, look at it, and roll it back. */

/** Callers that ask for predictions, and their pause between two, in milliseconds: at first, and from an update on. */
const CALLERS = 4;
const CALM_MS = 100;
const BUSY_MS = 10;

const POLL_MS = 50;

export interface Load {
  readonly predictions: number;
  readonly failed: readonly string[];
  readonly models: ReadonlySet<string>;
}

/** Asks for predictions by the function URL until stopped, ten times as often once the endpoint is being updated. */
export function startLoad(orders: OrdersCloud): {
  readonly updated: ReturnType<typeof updating>;
  stop(): Promise<Load>;
} {
  const { cloud } = orders;
  const predict = cloud.stack.functions.find((it) => it.handler === 'functions/predict.handler')?.name;
  const url = `${cloud.endpoint}/lambda-url/${predict}/`;
  const features = { 'unit-price': 40, size: 'small', quantity: 2, giftWrapped: true };
  const failed: string[] = [];
  const models = new Set<string>();
  let predictions = 0;
  let running = true;
  let pauseMs = CALM_MS;
  const updated = updating(orders).finally(() => {
    pauseMs = BUSY_MS;
  });
  const call = async () => {
    while (running) {
      predictions += 1;
      try {
        const response = await fetch(url, { method: 'POST', body: JSON.stringify({ features }) });
        const answer = (await response.json()) as { score?: number; model?: string; error?: string };
        if (response.status !== 200 || typeof answer.score !== 'number') {
          failed.push(`${response.status} ${answer.error}`);
        } else models.add(String(answer.model));
      } catch (error) {
        failed.push(String(error));
      }
      await sleep(pauseMs);
    }
  };
  const callers = Array.from({ length: CALLERS }, call);
  return {
    updated,
    async stop() {
      running = false;
      await Promise.all(callers);
      return { predictions, failed, models };
    },
  };
}

/** Runs a command as a person would, with nothing set but the endpoint. */
export async function command({ cloud }: OrdersCloud, file: string, ...options: string[]): Promise<string> {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, ...environment } = process.env;
  const argv = [`infra/commands/${file}.ts`, '--definition', ORDERS, ...options];
  const env = { ...environment, AWS_ENDPOINT_URL: cloud.endpoint };
  return (await promisify(execFile)(process.execPath, argv, { env })).stdout;
}

/** What `npm run status` says. */
export const statusOf = async (orders: OrdersCloud) => JSON.parse(await command(orders, 'status', '--json'));

/** Waits until the endpoint is being updated, and gives the new configuration's name and the old one's. */
async function updating(orders: OrdersCloud): Promise<{ configuration: string; before: string }> {
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
