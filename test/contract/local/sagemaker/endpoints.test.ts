import {
  CreateEndpointCommand,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DescribeEndpointCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ARN, csv, localSageMaker } from '../../../given/local/sagemaker.ts';

let local: Awaited<ReturnType<typeof localSageMaker>>;

beforeEach(async () => {
  local = await localSageMaker();
});
afterEach(() => local.close());

describe('an endpoint', () => {
  beforeEach(async () => {
    await local.putTrainingSet();
    await local.makeConfig('first');
  });

  test('is Creating, then in service, and answers as linear-learner does', async () => {
    await local.send(new CreateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'first' }));
    expect((await local.send(new DescribeEndpointCommand({ EndpointName: 'scores' }))).EndpointStatus).toBe('Creating');
    await expect(local.invoke('9,1')).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Endpoint scores of account 000000000000 not found.',
    });
    expect(await local.deployed('scores')).toMatchObject({
      EndpointArn: `${ARN}:endpoint/scores`,
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      ProductionVariants: [{ VariantName: 'AllTraffic', CurrentInstanceCount: 1 }],
    });
    const one = await local.invoke('9.5,1');
    expect(one).toMatchObject({ ContentType: 'application/json', InvokedProductionVariant: 'AllTraffic' });
    expect(one.text).toMatch(/^\{"predictions":\[\{"score":0\.\d+,"predicted_label":1\.0\}\]\}$/);
    const many = JSON.parse((await local.invoke('9.5,1\n0.5,2\r\n9.5,1\n')).text).predictions;
    expect(many.map((it: { predicted_label: number }) => it.predicted_label)).toEqual([1, 0, 1]);
    const lines = await local.invoke('9.5,1\n0.5,2', { Accept: 'application/jsonlines' });
    expect(
      lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(many.slice(0, 2));
  });

  test('passes on what the model refuses as ModelError', async () => {
    await local.makeEndpoint('scores', 'first');
    await expect(local.invoke('1,2,3')).rejects.toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 400,
      OriginalMessage: 'row 1 has 3 features; the model takes 2',
      $metadata: { httpStatusCode: 424 },
    });
    await expect(local.invoke('1,2\n1,x')).rejects.toMatchObject({
      OriginalMessage: 'row 2: column 2 is "x", not a number',
    });
    await expect(local.invoke('{}', { ContentType: 'text/plain' })).rejects.toMatchObject({
      OriginalStatusCode: 415,
    });
    await expect(local.invoke('1,2', { Accept: 'text/html' })).rejects.toMatchObject({ OriginalStatusCode: 406 });
    await expect(local.invoke('1'.repeat(6_291_457))).rejects.toThrow('less than or equal to 6291456');
  });

  test('is updated without a gap: the old configuration serves and shows until the new one does', async () => {
    await local.makeEndpoint('scores', 'first');
    await local.objects.put('data', 'set/train/part-2', csv(50, 500));
    await local.makeConfig('second');
    const before = (await local.invoke('9.5,1')).text;
    await local.send(new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' }));
    expect(await local.send(new DescribeEndpointCommand({ EndpointName: 'scores' }))).toMatchObject({
      EndpointStatus: 'Updating',
      EndpointConfigName: 'first',
    });
    expect((await local.invoke('9.5,1')).text).toBe(before);
    const again = new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' });
    await expect(local.send(again)).rejects.toThrow(`Cannot update in-progress endpoint "${ARN}:endpoint/scores".`);
    expect(await local.deployed('scores')).toMatchObject({ EndpointStatus: 'InService', EndpointConfigName: 'second' });
    expect((await local.invoke('9.5,1')).text).not.toBe(before);
  });

  test('goes back to the old configuration when the new one cannot be deployed', async () => {
    await local.makeEndpoint('scores', 'first');
    await local.makeConfig('second');
    await local.objects.put('data', 'models/second/output/model.tar.gz', 'not an archive');
    await local.send(new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' }));
    expect(await local.deployed('scores')).toMatchObject({
      EndpointStatus: 'InService',
      EndpointConfigName: 'first',
      FailureReason: expect.stringContaining('endpoint configuration second'),
    });
    expect((await local.invoke('9.5,1')).text).toContain('predicted_label');
  });

  test('that never had a model is Failed, and can be deleted', async () => {
    await local.objects.delete('data', 'models/first/output/model.tar.gz');
    expect(await local.makeEndpoint('scores', 'first')).toMatchObject({
      EndpointStatus: 'Failed',
      FailureReason: expect.stringContaining('The specified key does not exist'),
    });
    await local.send(new DeleteEndpointCommand({ EndpointName: 'scores' }));
    await expect(local.send(new DescribeEndpointCommand({ EndpointName: 'scores' }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: `Could not find endpoint "${ARN}:endpoint/scores".`,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('serves the same after a restart, even when its artifact is gone', async () => {
    await local.makeEndpoint('scores', 'first');
    const before = (await local.invoke('9.5,1')).text;
    await local.objects.delete('data', 'models/first/output/model.tar.gz');
    await local.restart();
    expect((await local.invoke('9.5,1')).text).toBe(before);
  });

  test('cannot be updated once its own configuration is deleted', async () => {
    await local.makeEndpoint('scores', 'first');
    await local.makeConfig('second');
    await local.send(new DeleteEndpointConfigCommand({ EndpointConfigName: 'first' }));
    const update = new UpdateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'second' });
    await expect(local.send(update)).rejects.toThrow(
      `Could not find endpoint configuration "${ARN}:endpoint-config/first".`,
    );
  });

  test('waits as long as a blue/green policy says, and refuses the policies that are not carried out', async () => {
    await local.makeEndpoint('scores', 'first');
    const update = (TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE' | 'CANARY'; WaitIntervalInSeconds: number }) =>
      local.send(
        new UpdateEndpointCommand({
          EndpointName: 'scores',
          EndpointConfigName: 'first',
          DeploymentConfig: { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration } },
        }),
      );
    // One instance has no half.
    await expect(update({ Type: 'CANARY', WaitIntervalInSeconds: 1 })).rejects.toThrow('canarySize');
    const alarms = { AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'errors' }] } };
    const withAlarms = new UpdateEndpointCommand({
      ...{ EndpointName: 'scores', EndpointConfigName: 'first' },
      DeploymentConfig: { BlueGreenUpdatePolicy: undefined, ...alarms },
    });
    await expect(local.send(withAlarms)).rejects.toThrow('Could not find CloudWatch alarm "errors"');
    const began = Date.now();
    await update({ Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 1 });
    await local.deployed('scores');
    expect(Date.now() - began).toBeGreaterThanOrEqual(1000);
  });
});
