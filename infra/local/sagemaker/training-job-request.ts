import { notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import { linearLearnerOptions } from './learner/linear-learner.ts';
import {
  checkChannelCount,
  checkHyperParameters,
  checkImageName,
  checkInstances,
  checkRoleArn,
  checkTags,
  contentTypes,
  takesContentType,
} from './limits.ts';
import { required, type Tag, validationException } from './resources.ts';
import { parseS3Uri } from './s3-uri.ts';

/** Longest run of a training job, in seconds. Source: SageMaker API, StoppingCondition: 28 days. */
const MAX_RUNTIME_SECONDS_MAX = 2_419_200;

interface Channel {
  readonly ChannelName: string;
  readonly DataSource: { readonly S3DataSource: { readonly S3DataType: string; readonly S3Uri: string } };
  readonly ContentType?: string;
}

export interface CreateTrainingJobInput {
  readonly TrainingJobName: string;
  readonly HyperParameters?: Readonly<Record<string, string>>;
  readonly AlgorithmSpecification: { readonly TrainingImage?: string; readonly TrainingInputMode: string };
  readonly RoleArn: string;
  readonly InputDataConfig: readonly Channel[];
  readonly OutputDataConfig: { readonly S3OutputPath: string };
  readonly ResourceConfig: { readonly InstanceType?: string; readonly InstanceCount?: number };
  readonly StoppingCondition: { readonly MaxRuntimeInSeconds: number };
  readonly Tags?: readonly Tag[];
}

/**
 * Checks a CreateTrainingJob request and refuses every part of it that the local cloud would otherwise ignore.
 * The instance type, the instance count and the volume are kept and shown, and change nothing. Training is isolated
 * from the network whatever EnableNetworkIsolation says: it calls nothing.
 *
 * @throws AwsError ValidationException or NotImplementedException
 */
export function checkTrainingJob(input: CreateTrainingJobInput): void {
  refuseUnknown('SageMaker', 'CreateTrainingJob', input, [
    ...['TrainingJobName', 'HyperParameters', 'AlgorithmSpecification', 'RoleArn', 'InputDataConfig'],
    ...['OutputDataConfig', 'ResourceConfig', 'StoppingCondition', 'Tags', 'EnableNetworkIsolation'],
  ]);
  checkRoleArn(required(input.RoleArn, 'RoleArn'));
  checkTags(input.Tags ?? []);
  checkHyperParameters(input.HyperParameters ?? {});
  const algorithm = required(input.AlgorithmSpecification, 'AlgorithmSpecification');
  refuseUnknown('SageMaker', 'AlgorithmSpecification', algorithm, ['TrainingImage', 'TrainingInputMode']);
  checkImage(required(algorithm.TrainingImage, 'AlgorithmSpecification.TrainingImage'));
  only('TrainingInputMode', algorithm.TrainingInputMode, ['File', 'FastFile']);
  linearLearnerOptions(input.HyperParameters ?? {});
  const output = required(input.OutputDataConfig, 'OutputDataConfig');
  refuseUnknown('SageMaker', 'OutputDataConfig', output, ['S3OutputPath']);
  parseS3Uri(required(output.S3OutputPath, 'OutputDataConfig.S3OutputPath'));
  const { InstanceType, InstanceCount } = required(input.ResourceConfig, 'ResourceConfig');
  checkInstances(InstanceType, InstanceCount);
  const stopping = required(input.StoppingCondition, 'StoppingCondition');
  refuseUnknown('SageMaker', 'StoppingCondition', stopping, ['MaxRuntimeInSeconds']);
  const seconds = required(stopping.MaxRuntimeInSeconds, 'StoppingCondition.MaxRuntimeInSeconds');
  if (!(seconds >= 1 && seconds <= MAX_RUNTIME_SECONDS_MAX)) {
    throw validationException(`MaxRuntimeInSeconds is ${seconds}, not 1 to ${MAX_RUNTIME_SECONDS_MAX}`);
  }
  checkChannels(required(input.InputDataConfig, 'InputDataConfig'));
}

/** Refuses images of anything but linear-learner, for training and for serving alike. */
export function checkImage(image: string): void {
  checkImageName(image);
  const repository = /\/([^/:@]+)(?:[:@][^/]*)?$/.exec(image)?.[1];
  if (repository === 'linear-learner') return;
  throw notImplemented(
    'SageMaker',
    repository === 'sagemaker-xgboost'
      ? `xgboost (image ${image}; the parameter trainingAlgorithm has to be linear-learner here)`
      : `the image ${image} (it runs no containers, and stands in for linear-learner only)`,
  );
}

function checkChannels(channels: readonly Channel[]): void {
  checkChannelCount(channels.length);
  for (const channel of channels) {
    refuseUnknown('SageMaker', 'Channel', channel, [
      ...['ChannelName', 'DataSource', 'ContentType', 'CompressionType', 'RecordWrapperType', 'InputMode'],
    ]);
    only('ChannelName', channel.ChannelName, ['train', 'validation']);
    refuseUnknown('SageMaker', 'DataSource', channel.DataSource, ['S3DataSource']);
    const source = required(channel.DataSource.S3DataSource, 'S3DataSource');
    refuseUnknown('SageMaker', 'S3DataSource', source, ['S3DataType', 'S3Uri', 'S3DataDistributionType']);
    parseS3Uri(required(source.S3Uri, 'S3DataSource.S3Uri'));
    only('S3DataType', source.S3DataType, ['S3Prefix']);
    const type = required(channel.ContentType, 'ContentType').replace(/;\s*label_size=1$/, '');
    if (!takesContentType('train', type)) {
      throw validationException(
        `linear-learner trains on ${contentTypes('train')}, not on ${type} (channel ${channel.ChannelName})`,
      );
    }
    const options = { CompressionType: 'None', RecordWrapperType: 'None', InputMode: 'File', ...channel };
    only('CompressionType', options.CompressionType, ['None']);
    only('RecordWrapperType', options.RecordWrapperType, ['None']);
    only('InputMode', options.InputMode, ['File', 'FastFile']);
  }
  if (!channels.some((it) => it.ChannelName === 'train')) {
    throw validationException('linear-learner requires a channel named train');
  }
}

function only(parameter: string, value: string, honoured: readonly string[]): void {
  if (!honoured.includes(value)) throw notImplemented('SageMaker', `${parameter}=${value}`);
}
