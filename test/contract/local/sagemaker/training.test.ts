import {
  CreateModelCommand,
  CreateTrainingJobCommand,
  type CreateTrainingJobCommandInput,
  DescribeTrainingJobCommand,
  ListTagsCommand,
  ListTrainingJobsCommand,
  StopTrainingJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { trainingImage } from '../../../../shared/training/images.ts';
import { ARN, channel, csv, IMAGE, job, localSageMaker, ROLE } from '../../../given/local/sagemaker.ts';

let local: Awaited<ReturnType<typeof localSageMaker>>;

beforeEach(async () => {
  local = await localSageMaker();
});
afterEach(() => local.close());

describe('a training job', () => {
  test('reads every object of its channels, and publishes metrics and a model artifact', async () => {
    await local.putTrainingSet();
    const done = await local.train('job-1', { Tags: [{ Key: 'team', Value: 'a' }] });
    expect(done).toMatchObject({
      TrainingJobName: 'job-1',
      TrainingJobArn: `${ARN}:training-job/job-1`,
      TrainingJobStatus: 'Completed',
      SecondaryStatus: 'Completed',
      ModelArtifacts: { S3ModelArtifacts: 's3://data/models/job-1/output/model.tar.gz' },
      HyperParameters: { predictor_type: 'binary_classifier' },
    });
    expect(done.SecondaryStatusTransitions?.map((it) => it.Status)).toEqual([
      ...['Starting', 'Downloading', 'Training', 'Uploading', 'Completed'],
    ]);
    expect(done.TrainingEndTime?.getTime()).toBeGreaterThanOrEqual(done.TrainingStartTime?.getTime() ?? Infinity);
    const metrics = new Map(done.FinalMetricDataList?.map((it) => [it.MetricName, it.Value ?? 0]));
    expect(metrics.get('validation:roc_auc_score')).toBeGreaterThan(0.8);
    expect(metrics.get('validation:binary_classification_accuracy')).toBeCloseTo(0.86, 1);
    const artifact = await local.objects.get('data', 'models/job-1/output/model.tar.gz');
    expect([artifact[0], artifact[1]]).toEqual([0x1f, 0x8b]);
    const tags = await local.send(new ListTagsCommand({ ResourceArn: done.TrainingJobArn }));
    expect(tags.Tags).toEqual([{ Key: 'team', Value: 'a' }]);
  });

  test('fails with the file and line of a bad row', async () => {
    await local.putTrainingSet();
    await local.objects.put('data', 'set/train/part-1', '1,2,3\nyes,2,3\n');
    expect(await local.train('job-1')).toMatchObject({
      TrainingJobStatus: 'Failed',
      SecondaryStatus: 'Failed',
      FailureReason: 'ClientError: s3://data/set/train/part-1, line 2: column 1 is "yes", not a number',
    });
  });

  test('fails when a channel has no object, or the channels differ in width', async () => {
    expect((await local.train('job-1')).FailureReason).toContain(
      'No S3 objects found under S3 URL "s3://data/set/train/"',
    );
    await local.putTrainingSet();
    await local.objects.put('data', 'set/validation/part-0', '1,2\n');
    const { FailureReason } = await local.train('job-2');
    expect(FailureReason).toBe('ClientError: channel train has 2 features, channel validation says 1');
  });

  test('has a name of its own for ever', async () => {
    await local.putTrainingSet();
    await local.train('job-1');
    await expect(local.train('job-1')).rejects.toMatchObject({
      name: 'ResourceInUse',
      message: expect.stringContaining('Training job names must be unique within an AWS account and region'),
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('stops at its longest run time', async () => {
    await local.objects.put('data', 'set/train/part-0', csv(3000).repeat(1500));
    const stopped = await local.train('job-1', {
      InputDataConfig: [channel('train', 's3://data/set/train/')],
      StoppingCondition: { MaxRuntimeInSeconds: 1 },
    });
    expect(stopped).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' });
    expect(stopped.ModelArtifacts).toBeUndefined();
  });

  test('can be stopped, once', async () => {
    await local.objects.put('data', 'set/train/part-0', csv(200_000));
    const overrides = { InputDataConfig: [channel('train', 's3://data/set/train/')] };
    await local.send(new CreateTrainingJobCommand(job('job-1', overrides)));
    await local.send(new StopTrainingJobCommand({ TrainingJobName: 'job-1' }));
    expect(await local.trained('job-1')).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' });
    await expect(local.send(new StopTrainingJobCommand({ TrainingJobName: 'job-1' }))).rejects.toThrow(
      'the training job is in status Stopped',
    );
  });

  test('left in progress by a stopped cloud is Failed when the cloud is back', async () => {
    await local.objects.put('data', 'set/train/part-0', csv(200_000));
    const overrides = { InputDataConfig: [channel('train', 's3://data/set/train/')] };
    await local.send(new CreateTrainingJobCommand(job('job-1', overrides)));
    await local.restart();
    expect(await local.send(new DescribeTrainingJobCommand({ TrainingJobName: 'job-1' }))).toMatchObject({
      TrainingJobStatus: 'Failed',
      FailureReason: expect.stringContaining('the local cloud was stopped'),
    });
  });

  test.each<[string, Partial<CreateTrainingJobCommandInput>, string]>([
    [
      'another image',
      { AlgorithmSpecification: { TrainingImage: '1.dkr/mine:1', TrainingInputMode: 'File' } },
      'runs no containers',
    ],
    [
      'Pipe mode',
      { AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'Pipe' } },
      'TrainingInputMode=Pipe',
    ],
    [
      'compressed channels',
      { InputDataConfig: [{ ...channel('train', 's3://data/x'), CompressionType: 'Gzip' }] },
      'CompressionType=Gzip',
    ],
    ['spot instances', { EnableManagedSpotTraining: true }, 'EnableManagedSpotTraining'],
    ['an unknown hyperparameter', { HyperParameters: { predictor_type: 'binary_classifier', depth: '3' } }, 'depth'],
    ['a bad name', { TrainingJobName: 'a_b' }, "Value 'a_b' at 'trainingJobName' failed to satisfy constraint"],
    [
      'no role',
      { RoleArn: undefined },
      "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
    ],
  ])('is refused with %s', async (_, overrides, message) => {
    await expect(local.send(new CreateTrainingJobCommand(job('job-1', overrides)))).rejects.toThrow(message);
    expect((await local.send(new ListTrainingJobsCommand({}))).TrainingJobSummaries).toEqual([]);
  });
});

test('xgboost is refused by name, for training and for serving, with the way out', async () => {
  const image = trainingImage('xgboost', 'us-east-1');
  const refusal = {
    name: 'NotImplementedException',
    message: `The local cloud does not implement xgboost (image ${image}; the parameter trainingAlgorithm has to be linear-learner here) of SageMaker. It implements what Tributary calls; use real AWS, or add it in infra/local.`,
    $metadata: { httpStatusCode: 400, attempts: 1 },
  };
  await local.putTrainingSet();
  const training = job('job-1', {
    AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File' },
    HyperParameters: { objective: 'binary:logistic', num_round: '100' },
  });
  await expect(local.send(new CreateTrainingJobCommand(training))).rejects.toMatchObject(refusal);
  const PrimaryContainer = { Image: image, ModelDataUrl: 's3://data/set/train/part-1' };
  const model = { ModelName: 'model-1', ExecutionRoleArn: ROLE, PrimaryContainer };
  await expect(local.send(new CreateModelCommand(model))).rejects.toMatchObject(refusal);
});
