import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ORDERS, type Order, type OrdersCloud, ordersCloud, shuffledLabelOf } from '../../given/orders-cloud.ts';
import { runCommand, startLoad } from '../../given/prediction-load.ts';

/** The loop over several epochs: a first model, a worse one, one whose alarm goes off, a good one, and a rollback. */

/** A test goes through two trainings: seconds, but minutes beside others on one core. */
vi.setConfig({ testTimeout: 300_000 });

let orders: OrdersCloud;

beforeAll(async () => {
  // Long enough to catch the canary in the act.
  orders = await ordersCloud({ canarySeconds: 4, gateMinimumGain: -0.05 });
}, 120_000);
afterAll(() => orders.close());

const command = (file: string, ...options: string[]) => runCommand(orders.cloud, file, ORDERS, ...options);
const status = async () => JSON.parse(await command('status', '--json'));

const alarm = (AlarmName: string) => ({
  ...{ AlarmName, Namespace: 'AWS/SageMaker', MetricName: 'Invocation5XXErrors', Statistic: 'Sum' },
  ...{ Period: 60, EvaluationPeriods: 1, Threshold: 0, ComparisonOperator: 'GreaterThanThreshold' },
});

async function alarmsOf(AlarmNamePrefix: string): Promise<string[]> {
  const answer = await orders.cloud.call('cloudwatch', 'DescribeAlarms', { AlarmNamePrefix });
  return (answer as { MetricAlarms: { AlarmName: string }[] }).MetricAlarms.map((it) => it.AlarmName);
}

/** Waits until the endpoint is being updated, and gives the new configuration's name and the old one's. */
async function updating(): Promise<{ configuration: string; before: string }> {
  for (;;) {
    const found = await orders.endpoint();
    const { EndpointStatus, PendingDeploymentSummary } = found as typeof found & {
      PendingDeploymentSummary?: { EndpointConfigName: string };
    };
    if (EndpointStatus === 'Updating' && PendingDeploymentSummary) {
      return { configuration: PendingDeploymentSummary.EndpointConfigName, before: found.EndpointConfigName };
    }
    await sleep(50);
  }
}

describe('the loop', () => {
  it('says what is missing before a first model serves', async () => {
    await orders.write(0, 100);
    expect(await status()).toMatchObject({
      labels: { total: 100 },
      next: { decision: 'wait', missing: { labels: 200 } },
      serving: null,
      trainings: [],
    });
  });

  it('puts a first model behind the endpoint, and keeps the evidence', async () => {
    await orders.write(100, 300);
    expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
    const { serving, trainings, decisions } = await status();
    expect(serving).toMatchObject({ epoch: 1 });
    expect(trainings).toMatchObject([{ epoch: 1, decision: 'promote', comparison: { metric: 'auc' } }]);
    expect(trainings[0].reason).toContain('No model serves to compare with');
    const kinds = decisions.map((it: { decision: string }) => it.decision);
    expect(kinds).toEqual(expect.arrayContaining(['promote', 'close']));
  });

  it('refuses a worse challenger, trained on shuffled labels, and closes its epoch', async () => {
    const before = await orders.endpoint();
    await orders.write(0, 400, shuffledLabelOf);
    await orders.write(400, 400, shuffledLabelOf);
    expect(await orders.ended(2)).toMatchObject({ status: 'SUCCEEDED' });
    const { trainings, serving, inFlight } = await status();
    // The next may be over as well: closing an epoch decides again at once.
    const refused = trainings.find((it: { epoch: number }) => it.epoch === 2);
    expect(refused).toMatchObject({ epoch: 2, decision: 'refuse' });
    const { challenger, champion, gain } = refused.comparison;
    console.log(
      `refused: AUC ${challenger.auc.toFixed(4)} against ${champion.auc.toFixed(4)} on ${refused.comparison.rows} rows, gain ${gain.value.toFixed(4)} (${gain.low.toFixed(4)} to ${gain.high.toFixed(4)})`,
    );
    expect(challenger.auc).toBeLessThan(champion.auc);
    expect(gain.low).toBeLessThan(-0.05);
    expect(serving).toMatchObject({ epoch: 1 });
    expect(await orders.endpoint()).toMatchObject({ EndpointConfigName: before.EndpointConfigName });
    expect(inFlight?.epoch).not.toBe(2);
  });

  it('rolls a new configuration back when its alarm goes off, and no prediction fails', async () => {
    const load = startLoad(orders.cloud);
    const alarmed = updating().then(async (found) => {
      await sleep(1_500);
      const alarm = { AlarmName: `${found.configuration}-errors`, StateValue: 'ALARM', StateReason: 'test' };
      await orders.cloud.call('cloudwatch', 'SetAlarmState', alarm);
      return found;
    });
    // The labels are put right again, and new ones come: a good challenger is due.
    await orders.write(0, 800);
    await orders.write(800, 400);
    const { configuration, before } = await alarmed;
    const epoch = Number(/-e(\d+)-a\d+-\w+$/.exec(configuration)?.[1]);
    expect(await orders.ended(epoch)).toMatchObject({ status: 'FAILED', error: 'DeploymentRolledBack' });
    const { predictions, failed } = await load.stop();
    console.log(`rolled back by its alarm: ${predictions} predictions, ${failed.length} failed`);
    expect(failed).toEqual([]);
    expect(predictions).toBeGreaterThan(50);
    expect(await orders.endpoint()).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: before,
    });
    const { lastFailure, trainings, next } = await status();
    expect(lastFailure).toMatchObject({ epoch, error: 'DeploymentRolledBack' });
    // The same data would give the same model: the epoch is over, and labels that came meanwhile decide.
    const closed = trainings.find((it: { epoch: number }) => it.epoch === epoch);
    expect(closed).toMatchObject({ decision: 'refuse', reason: expect.stringContaining('was rolled back') });
    expect(next.missing.notBefore).toBeNull();
  });
});

describe('the loop, going on', () => {
  let calm: OrdersCloud;
  const onlyRight = (order: Order) => (order.number % 2 === 0 ? '0' : '1');

  it('swaps a better model in under load, and goes back by one command', async () => {
    await orders.close();
    calm = await ordersCloud({ gateMinimumGain: -0.9, modelsKept: 2, canarySeconds: 2 });
    orders = calm;
    await orders.write(0, 400);
    expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
    const first = await orders.endpoint();
    const load = startLoad(orders.cloud);
    await orders.write(400, 400);
    expect(await orders.ended(2)).toMatchObject({ status: 'SUCCEEDED' });
    const second = await orders.endpoint();
    expect(second.EndpointConfigName).not.toBe(first.EndpointConfigName);

    expect(await command('rollback', '--reason', 'scores look odd')).toContain(
      `serves ${first.EndpointConfigName} again`,
    );
    const { predictions, failed } = await load.stop();
    console.log(`swapped and rolled back: ${predictions} predictions, ${failed.length} failed`);
    expect(failed).toEqual([]);
    expect(await orders.endpoint()).toMatchObject({ EndpointConfigName: first.EndpointConfigName });
    const { serving, trainings } = await status();
    expect(serving).toMatchObject({ epoch: 1, rolledBack: { reason: 'scores look odd' } });
    expect(trainings[0]).toMatchObject({ epoch: 2, rollbackReason: 'scores look odd' });
    await expect(command('rollback')).rejects.toThrow(/No model has served before/);
  });

  it('compares the next challenger with the model that was put back, and never removes what serves', async () => {
    const { serving, paused } = await status();
    expect(paused.reason).toBe('rolled back: scores look odd');
    expect(await command('resume')).toContain('goes on');
    // As an attempt leaves it whose configuration somebody has removed, and as another stack may have it.
    const endpoint = orders.cloud.stack.outputs.EndpointName ?? '';
    const [leftOver, foreign] = [`${endpoint}-e1-a9-t0-errors`, `${endpoint}-eu-e1-a9-t0-errors`];
    for (const AlarmName of [leftOver, foreign])
      await orders.cloud.call('cloudwatch', 'PutMetricAlarm', alarm(AlarmName));
    await orders.write(800, 400, onlyRight);
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
    const alarms = await alarmsOf(endpoint);
    expect(alarms).toHaveLength(2 * 3 + 1);
    expect(alarms).toContain(foreign);
    expect(alarms).not.toContain(leftOver);
    expect(await command('rollback', '--json')).toContain(serving.modelName);
  });
});
