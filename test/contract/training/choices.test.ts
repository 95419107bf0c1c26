import { describe, expect, it } from 'vitest';
import { NEW, plan, run, States, WAY_TO } from '../../given/retraining/state-machine-run.ts';

/** Every branch of every Choice of the deployed state machine, run. */

describe('every branch of a Choice', () => {
  it('CheckCounts: rows of one class are not trained on', async () => {
    const { reopened, calls } = await run({ positives: 0 });
    expect(reopened?.error).toBe('TooFewRows');
    expect(calls).not.toContain('CreateTrainingJob');
  });

  it('HasChampion: with one, both models score; without, the challenger alone', async () => {
    const jobs = async (champion: boolean) =>
      (await run({ champion })).calls.filter((it) => it === 'CreateTransformJob').length;
    expect(await Promise.all([jobs(true), jobs(false)])).toEqual([2, 1]);
  });

  it('IsChallengerBetter: one that is refused changes nothing but the epoch', async () => {
    const { status, calls } = await run({ verdict: 'refuse' });
    expect(status).toBe('SUCCEEDED');
    expect(calls).toContain('retrain refuse');
    expect(
      calls.filter((it) =>
        /EndpointConfig|UpdateEndpoint|CreateEndpoint|MetricAlarm|DeleteAlarms|retrain close/.test(it),
      ),
    ).toEqual([]);
  });

  it('IsEndpointFailed: a failed endpoint is deleted and made anew, any other updated', async () => {
    const failed = await run(WAY_TO.DeleteFailedEndpoint ?? {});
    expect(failed.calls).toEqual(expect.arrayContaining(['DeleteEndpoint', 'CreateEndpoint', 'retrain close']));
    const { calls } = await run(WAY_TO.UpdateEndpoint ?? {});
    expect(calls).toEqual(expect.arrayContaining(['UpdateEndpoint', 'retrain close']));
    expect(calls).not.toContain('DeleteEndpoint');
  });

  it.each(['Creating', 'Updating', 'SystemUpdating', 'RollingBack'])(
    'CheckEndpoint: waits while it is %s',
    async (it) => {
      const { status, calls } = await run({
        endpoint: [
          ['InService', 'old'],
          [it, 'old'],
          ['InService', NEW],
        ],
      });
      expect(status).toBe('SUCCEEDED');
      expect(calls.filter((call) => call === 'DescribeEndpoint')).toHaveLength(3);
    },
  );

  it('CheckEndpoint: in service with the old configuration is a rollback', async () => {
    const { reopened } = await run({
      endpoint: [
        ['InService', 'old'],
        ['Updating', 'old'],
        ['InService', 'old'],
      ],
    });
    expect(reopened?.error).toBe('DeploymentRolledBack');
    expect(reopened?.cause).toContain(plan.errorAlarmName);
  });

  it.each(['Failed', 'OutOfService', 'UpdateRollbackFailed'])('CheckEndpoint: gives up when it is %s', async (it) => {
    const { reopened } = await run({
      endpoint: [
        ['InService', 'old'],
        [it, 'old'],
      ],
    });
    expect(reopened?.error).toBe('EndpointNotReplaced');
  });

  it('no alarm is made before its configuration, so that one without is known to be left over', async () => {
    const { calls } = await run({});
    const made = calls.filter((it) => /^(CreateEndpointConfig|PutMetricAlarm)$/.test(it));
    expect(made).toEqual(['CreateEndpointConfig', 'PutMetricAlarm', 'PutMetricAlarm']);
  });

  it('HasStaleAlarms: alarms of removed configurations are deleted, if there are any', async () => {
    expect((await run({ staleAlarms: true })).calls).toContain('DeleteAlarms');
    expect((await run({})).calls).not.toContain('DeleteAlarms');
  });

  it('has a test for each Choice there is', () => {
    const choices = Object.entries(States).flatMap(([name, { Type }]) => (Type === 'Choice' ? [name] : []));
    expect(choices.sort()).toEqual([
      ...['CheckCounts', 'CheckEndpoint', 'HasChampion', 'HasStaleAlarms', 'IsChallengerBetter', 'IsEndpointFailed'],
    ]);
  });
});
