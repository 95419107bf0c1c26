import { describe, expect, it } from 'vitest';
import { NEW, plan, run, States } from '../../given/retraining/state-machine-run.ts';

/** Every branch of every Choice of the deployed state machine, run. */

describe('every branch of a Choice', () => {
  it('IsWorthTraining: too few rows are not trained on, and a known set ends the epoch without a failure', async () => {
    const few = await run({ examined: 'too-few-rows' });
    expect(few.failed).toEqual({ Error: 'TooFewRows', Cause: 'as the test says' });
    const known = await run({ examined: 'known' });
    expect({ status: known.status, failed: known.failed }).toEqual({ status: 'SUCCEEDED', failed: undefined });
    for (const { calls } of [few, known]) expect(calls).not.toContain('CreateTrainingJob');
  });

  it('IsTrained: a job that was stopped is no model', async () => {
    // By what Step Functions makes of it, or by this choice: its guide says nothing of stopped jobs.
    const { failed, calls } = await run({ trainingStatus: 'Stopped' });
    expect(failed).toBeDefined();
    expect(calls).not.toContain('CreateModel');
  });

  it('IsApprovalNeeded, IsApproved: a person is asked only where that is wanted, and heard', async () => {
    expect((await run({})).calls).not.toContain('retrain approval');
    expect((await run({ approvalSeconds: 60 })).calls).toEqual(
      expect.arrayContaining(['retrain approval', 'retrain close']),
    );
    const { calls } = await run({ approvalSeconds: 60, approval: 'stopped' });
    expect(calls).toContain('retrain refuse');
    expect(calls).not.toContain('retrain rollout');
  });

  it('IsGoingAhead: a loop that was paused meanwhile deploys nothing', async () => {
    const { status, calls } = await run({ rollout: 'stopped' });
    expect(status).toBe('SUCCEEDED');
    expect(calls).toContain('retrain refuse');
    expect(calls).not.toContain('CreateEndpointConfig');
  });

  it('IsProbeNeeded: an endpoint that nobody asks yet is probed before it serves', async () => {
    const { calls } = await run({});
    expect(calls.indexOf('retrain probe')).toBeLessThan(calls.indexOf('retrain close'));
    expect(calls).toContain('retrain probe');
    expect((await run({ rollout: 'update' })).calls).not.toContain('retrain probe');
  });

  it('HasChampion: with one, both models score; without, the challenger alone', async () => {
    const jobs = async (champion: boolean) =>
      (await run({ champion })).calls.filter((it) => it === 'CreateTransformJob').length;
    expect(await Promise.all([jobs(true), jobs(false)])).toEqual([2, 1]);
  });

  it('IsOfAnotherSchema: rows are written for both schemas before either model scores, and only then', async () => {
    const { calls } = await run({ shared: true });
    const queries = calls.flatMap((it, at) => (it === 'StartQueryExecution' ? [at] : []));
    expect(queries).toHaveLength(4);
    expect(queries[3]).toBeGreaterThan(calls.indexOf('retrain champion'));
    expect(queries[3]).toBeLessThan(calls.indexOf('CreateTransformJob'));
    expect((await run({})).calls.filter((it) => it === 'StartQueryExecution')).toHaveLength(3);
  });

  it('HasLeader: where a former model was the best, it scores too', async () => {
    const { calls } = await run({ leader: true });
    expect(calls.filter((it) => it === 'CreateTransformJob')).toHaveLength(3);
    expect(calls).toContain('retrain close');
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

  it('HowToDeploy: a failed endpoint is deleted and made anew, one that serves updated, any other made', async () => {
    const failed = await run({ rollout: 'recreate' });
    expect(failed.calls).toEqual(expect.arrayContaining(['DeleteEndpoint', 'CreateEndpoint', 'retrain close']));
    const { calls } = await run({ rollout: 'update' });
    expect(calls).toEqual(expect.arrayContaining(['UpdateEndpoint', 'retrain close']));
    expect(calls).not.toContain('DeleteEndpoint');
    expect((await run({})).calls).toContain('CreateEndpoint');
  });

  it('HasFailed: the next training is considered at once when this one is over, and not when it failed', async () => {
    expect((await run({})).calls).toContain('retrain undefined');
    expect((await run({ trainingStatus: 'Stopped' })).calls).not.toContain('retrain undefined');
  });

  it.each(['Creating', 'Updating', 'SystemUpdating', 'RollingBack'])(
    'CheckEndpoint: waits while it is %s',
    async (it) => {
      const { status, calls } = await run({
        endpoint: [
          [it, 'old'],
          ['InService', NEW],
        ],
      });
      expect(status).toBe('SUCCEEDED');
      expect(calls.filter((call) => call === 'DescribeEndpoint')).toHaveLength(2);
    },
  );

  it('CheckEndpoint: in service with the old configuration is a rollback', async () => {
    const { failed } = await run({
      endpoint: [
        ['Updating', 'old'],
        ['InService', 'old'],
      ],
    });
    expect(failed?.Error).toBe('DeploymentRolledBack');
    expect(failed?.Cause).toContain(plan.errorAlarmName);
  });

  it.each(['Failed', 'OutOfService', 'UpdateRollbackFailed'])('CheckEndpoint: gives up when it is %s', async (it) => {
    const { failed } = await run({ endpoint: [[it, 'old']] });
    expect(failed?.Error).toBe('EndpointNotReplaced');
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
      ...[
        'CheckEndpoint',
        'HasChampion',
        'HasFailed',
        'HasLeader',
        'HasStaleAlarms',
        'HowToDeploy',
        'IsApprovalNeeded',
        'IsApproved',
      ],
      ...['IsChallengerBetter', 'IsGoingAhead', 'IsOfAnotherSchema', 'IsProbeNeeded', 'IsTrained', 'IsWorthTraining'],
    ]);
  });
});
