import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteModelCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  ListEndpointConfigsCommand,
  ListEndpointsCommand,
  ListModelsCommand,
  ListTagsCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ARN, IMAGE, localSageMaker, ROLE } from '../../../given/local/sagemaker.ts';

let local: Awaited<ReturnType<typeof localSageMaker>>;

beforeEach(async () => {
  local = await localSageMaker();
});
afterEach(() => local.close());

describe('models and configurations', () => {
  test('are described, listed, tagged and deleted', async () => {
    await local.putTrainingSet();
    await local.makeConfig('first');
    await local.makeConfig('second');
    expect(await local.send(new DescribeModelCommand({ ModelName: 'first' }))).toMatchObject({
      ModelArn: `${ARN}:model/first`,
      PrimaryContainer: { Image: IMAGE },
    });
    const config = await local.send(new DescribeEndpointConfigCommand({ EndpointConfigName: 'first' }));
    expect(config.ProductionVariants).toEqual([
      expect.objectContaining({ VariantName: 'AllTraffic', ModelName: 'first', InitialVariantWeight: 1 }),
    ]);
    const page = await local.send(new ListModelsCommand({ MaxResults: 1 }));
    expect(page.Models?.map((it) => it.ModelName)).toEqual(['second']);
    const rest = await local.send(new ListModelsCommand({ MaxResults: 1, NextToken: page.NextToken }));
    expect(rest.Models?.map((it) => it.ModelName)).toEqual(['first']);
    expect(rest.NextToken).toBeUndefined();
    const configs = await local.send(new ListEndpointConfigsCommand({ NameContains: 'fir' }));
    expect(configs.EndpointConfigs?.map((it) => it.EndpointConfigName)).toEqual(['first']);
    expect((await local.send(new ListEndpointsCommand({ StatusEquals: 'InService' }))).Endpoints).toEqual([]);
    const ResourceArn = `${ARN}:model/first`;
    await local.send(new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'hash', Value: '1' }] }));
    await local.send(new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'hash', Value: '2' }] }));
    expect((await local.send(new ListTagsCommand({ ResourceArn }))).Tags).toEqual([{ Key: 'hash', Value: '2' }]);
    await local.send(new DeleteModelCommand({ ModelName: 'first' }));
    await expect(local.send(new DescribeModelCommand({ ModelName: 'first' }))).rejects.toThrow(
      `Could not find model "${ARN}:model/first".`,
    );
  });

  test('are not made twice, nor from what does not exist', async () => {
    await local.putTrainingSet();
    await local.makeConfig('first');
    await local.makeEndpoint('scores', 'first');
    const PrimaryContainer = { Image: IMAGE, ModelDataUrl: 's3://data/models/first/output/model.tar.gz' };
    const model = { ModelName: 'first', ExecutionRoleArn: ROLE, PrimaryContainer };
    const variant = {
      VariantName: 'v',
      ModelName: 'first',
      InstanceType: 'ml.t2.medium',
      InitialInstanceCount: 1,
    } as const;
    const refused = async (sent: Promise<unknown>, message: string) =>
      expect(sent).rejects.toMatchObject({ name: 'ValidationException', message });
    await refused(
      local.send(new CreateModelCommand(model)),
      `Cannot create already existing model "${ARN}:model/first".`,
    );
    await refused(
      local.send(new CreateEndpointConfigCommand({ EndpointConfigName: 'first', ProductionVariants: [variant] })),
      `Cannot create already existing endpoint configuration "${ARN}:endpoint-config/first".`,
    );
    await refused(
      local.send(new CreateEndpointCommand({ EndpointName: 'scores', EndpointConfigName: 'first' })),
      `Cannot create already existing endpoint "${ARN}:endpoint/scores".`,
    );
    const ModelDataUrl = 's3://data/models/none/output/model.tar.gz';
    await refused(
      local.send(
        new CreateModelCommand({ ...model, ModelName: 'other', PrimaryContainer: { Image: IMAGE, ModelDataUrl } }),
      ),
      `Could not find model data at ${ModelDataUrl}.`,
    );
    await refused(
      local.send(
        new CreateEndpointConfigCommand({
          EndpointConfigName: 'other',
          ProductionVariants: [{ ...variant, ModelName: 'none' }],
        }),
      ),
      `Could not find model "${ARN}:model/none".`,
    );
    await refused(
      local.send(new CreateEndpointCommand({ EndpointName: 'other', EndpointConfigName: 'none' })),
      `Could not find endpoint configuration "${ARN}:endpoint-config/none".`,
    );
  });
});
