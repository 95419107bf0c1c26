import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OrdersCloud, ordersCloud, shuffledLabelOf } from '../../given/retraining/orders-cloud.ts';
import { startLoad } from '../../given/retraining/prediction-load.ts';
import { statusOf, updating } from '../../given/retraining/served-model.ts';

/** The loop over several epochs: a first model, a worse one, and one whose alarm goes off. */

let orders: OrdersCloud;

beforeAll(async () => {
  // Long enough to catch the canary in the act.
  orders = await ordersCloud({ canarySeconds: 4, gateMinimumGain: -0.05 });
});
afterAll(() => orders.close());

const status = () => statusOf(orders);

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
    const alarmed = updating(orders).then(async (found) => {
      load.hurry();
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
