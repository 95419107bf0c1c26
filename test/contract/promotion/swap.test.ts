import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Order, type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';
import { startLoad } from '../../given/retraining/prediction-load.ts';
import { command, statusOf, updating } from '../../given/retraining/served-model.ts';

/** The loop over several epochs: a second model that serves, and the way back from it. */

let orders: OrdersCloud;

beforeAll(async () => {
  orders = await ordersCloud({ gateMinimumGain: -0.9, modelsKept: 2, canarySeconds: 2 });
});
afterAll(() => orders.close());

const status = () => statusOf(orders);

const alarm = (AlarmName: string) => ({
  ...{ AlarmName, Namespace: 'AWS/SageMaker', MetricName: 'Invocation5XXErrors', Statistic: 'Sum' },
  ...{ Period: 60, EvaluationPeriods: 1, Threshold: 0, ComparisonOperator: 'GreaterThanThreshold' },
});

async function alarmsOf(AlarmNamePrefix: string): Promise<string[]> {
  const answer = await orders.cloud.call('cloudwatch', 'DescribeAlarms', { AlarmNamePrefix });
  return (answer as { MetricAlarms: { AlarmName: string }[] }).MetricAlarms.map((it) => it.AlarmName);
}

describe('the loop', () => {
  const onlyRight = (order: Order) => (order.number % 2 === 0 ? '0' : '1');

  it('swaps a better model in under load, and goes back by one command', async () => {
    await orders.write(0, 400);
    expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
    const first = await orders.endpoint();
    const load = startLoad(orders.cloud);
    const updated = updating(orders).then(load.hurry);
    await orders.write(400, 400);
    expect(await orders.ended(2)).toMatchObject({ status: 'SUCCEEDED' });
    await updated;
    const second = await orders.endpoint();
    expect(second.EndpointConfigName).not.toBe(first.EndpointConfigName);

    expect(await command(orders, 'rollback', '--reason', 'scores look odd')).toContain(
      `serves ${first.EndpointConfigName} again`,
    );
    const { predictions, failed } = await load.stop();
    console.log(`swapped and rolled back: ${predictions} predictions, ${failed.length} failed`);
    expect(failed).toEqual([]);
    expect(await orders.endpoint()).toMatchObject({ EndpointConfigName: first.EndpointConfigName });
    const { serving, trainings } = await status();
    expect(serving).toMatchObject({ epoch: 1, rolledBack: { reason: 'scores look odd' } });
    expect(trainings[0]).toMatchObject({ epoch: 2, rollbackReason: 'scores look odd' });
    await expect(command(orders, 'rollback')).rejects.toThrow(/No model has served before/);
  });

  it('promotes nothing after a rollback, whatever labels come, until it is resumed', async () => {
    await orders.write(800, 399, onlyRight);
    const { next, inFlight, serving, labels, paused } = await status();
    expect(labels.total).toBeGreaterThan(300);
    expect([next.decision, inFlight, serving.epoch]).toEqual(['wait', null, 1]);
    expect(paused.reason).toBe('rolled back: scores look odd');
  });

  it('compares the next challenger with the model that was put back, and never removes what serves', async () => {
    const { serving } = await status();
    expect(await command(orders, 'resume')).toContain('goes on');
    // As an attempt leaves it whose configuration somebody has removed, and as another stack may have it.
    const endpoint = orders.cloud.stack.outputs.EndpointName ?? '';
    const [leftOver, foreign] = [`${endpoint}-e1-a9-t0-errors`, `${endpoint}-eu-e1-a9-t0-errors`];
    for (const AlarmName of [leftOver, foreign])
      await orders.cloud.call('cloudwatch', 'PutMetricAlarm', alarm(AlarmName));
    await orders.write(1_199, 1, onlyRight);
    expect(await orders.ended(3)).toMatchObject({ status: 'SUCCEEDED' });
    const after = await status();
    expect(after.trainings[0].comparison.champion).toBeDefined();
    expect(after.serving).toMatchObject({ epoch: 3 });
    const names = async (operation: string, list: string) => {
      const answer = (await orders.cloud.call('sagemaker', operation, {})) as Record<string, object[]>;
      return answer[list]?.length;
    };
    // Two are kept for their age, and the one to go back to beside them.
    expect(await names('ListModels', 'Models')).toBe(3);
    expect(await names('ListEndpointConfigs', 'EndpointConfigs')).toBe(3);
    // The standing alarms of the stack have names of the same beginning.
    const alarms = (await alarmsOf(endpoint)).filter((name) => /-e\d+-a\d+-/.test(name));
    expect(alarms).toHaveLength(2 * 3 + 1);
    expect(alarms).toContain(foreign);
    expect(alarms).not.toContain(leftOver);
    expect(await command(orders, 'rollback', '--json')).toContain(serving.modelName);
  });
});
