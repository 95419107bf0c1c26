import { notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import { jsonPrediction, predictionOf } from './learner/prediction-text.ts';
import { readNumbers } from './learner/training-data.ts';
import { checkTags, contentTypes, takesContentType } from './limits.ts';
import { loadModel, type Model, type OnBehalf, SESSION } from './models.ts';
import {
  arnOf,
  epochSeconds,
  type ListInput,
  nameIn,
  page,
  type Resources,
  required,
  type Tag,
  validationException,
} from './resources.ts';
import { parseS3Uri } from './s3-uri.ts';

/** Values that are carried out, of parameters that would change the answer. */
const CARRIED_OUT: Readonly<Record<string, readonly unknown[]>> = {
  'TransformInput.DataSource.S3DataSource.S3DataType': ['S3Prefix'],
  'TransformInput.ContentType': ['text/csv'],
  'TransformInput.SplitType': ['Line'],
  'TransformInput.CompressionType': [undefined, 'None'],
  'TransformOutput.Accept': ['application/jsonlines'],
  'TransformOutput.AssembleWith': ['Line'],
  BatchStrategy: [undefined, 'MultiRecord'],
  'DataProcessing.OutputFilter': [undefined, '$'],
  'DataProcessing.JoinSource': [undefined, 'None'],
};

/**
 * Filters of a CSV row's fields that are carried out: all of them, or a slice up to the last. Whether the end of a slice is
 * in it, SageMaker's guide and the JsonPath that it refers to say differently.
 */
const ROW_FILTER = /^\$(?:\[(\d{0,9}):\])?$/;

const PARAMETERS = [
  ...['TransformJobName', 'ModelName', 'TransformInput', 'TransformOutput', 'TransformResources', 'DataProcessing'],
  ...['BatchStrategy', 'MaxPayloadInMB', 'MaxConcurrentTransforms', 'Tags'],
];

interface TransformRequest {
  readonly TransformJobName: string;
  readonly ModelName: string;
  readonly TransformInput: { readonly DataSource: { readonly S3DataSource: { readonly S3Uri: string } } };
  readonly TransformOutput: { readonly S3OutputPath: string };
  readonly TransformResources: object;
  readonly DataProcessing?: { readonly InputFilter?: string };
}

/** DescribeTransformJob's answer. Times are epoch seconds. */
interface TransformJob extends TransformRequest {
  readonly TransformJobArn: string;
  readonly TransformJobStatus: 'InProgress' | 'Completed' | 'Failed' | 'Stopped';
  readonly CreationTime: number;
  readonly TransformEndTime?: number;
  readonly FailureReason?: string;
}

/** Batch transform: a model's answers to every row of the files under a prefix, as one `.out` for each file. */
export function transformJobs({ resources, onBehalf }: { resources: Resources; onBehalf: OnBehalf }): {
  operations: Record<string, Operation>;
  close(): Promise<void>;
} {
  const running = new Map<string, Promise<void>>();
  const existing = (operation: string, input: object): TransformJob => {
    refuseUnknown('SageMaker', operation, input, ['TransformJobName']);
    const job = resources.get<TransformJob>('transform-job', nameIn(input, 'transform-job'));
    if (!job) throw validationException('Could not find requested job with name.');
    return job;
  };
  const end = (name: string, changes: Partial<TransformJob>) => {
    const job = resources.get<TransformJob>('transform-job', name);
    if (job?.TransformJobStatus !== 'InProgress') return;
    resources.set('transform-job', name, { ...job, ...changes, TransformEndTime: epochSeconds() });
  };

  return {
    operations: {
      CreateTransformJob: (input: TransformRequest & { readonly Tags?: readonly Tag[] }) => {
        check(input);
        checkTags(input.Tags ?? []);
        const name = nameIn(input, 'transform-job');
        const model = resources.get<Model>('model', nameIn(input, 'model'));
        if (!model) throw validationException(`Could not find model "${arnOf('model', input.ModelName)}".`);
        const { Tags, ...request } = input;
        const TransformJobArn = arnOf('transform-job', name);
        const body: TransformJob = {
          ...{ ...request, TransformJobArn, TransformJobStatus: 'InProgress', CreationTime: epochSeconds() },
        };
        if (!resources.add('transform-job', name, body, Tags)) {
          throw validationException(`Job name must be unique within an AWS account and region: ${TransformJobArn}`);
        }
        const work = transform(onBehalf, model, input).then(
          () => end(name, { TransformJobStatus: 'Completed' }),
          (error) => end(name, { TransformJobStatus: 'Failed', FailureReason: `ClientError: ${error.message}` }),
        );
        running.set(
          name,
          work.finally(() => running.delete(name)),
        );
        return { TransformJobArn };
      },

      DescribeTransformJob: (input: object) => existing('DescribeTransformJob', input),

      ListTransformJobs: (input: ListInput) => {
        const jobs = resources
          .all<TransformJob>('transform-job')
          .map(({ name, body }) => ({ name, body, status: body.TransformJobStatus }));
        const { found, next } = page('ListTransformJobs', input, jobs, true);
        return {
          TransformJobSummaries: found.map(({ name, body }) => ({
            ...{ TransformJobName: name, TransformJobArn: body.TransformJobArn, CreationTime: body.CreationTime },
            ...{ TransformJobStatus: body.TransformJobStatus, TransformEndTime: body.TransformEndTime },
          })),
          ...next,
        };
      },

      StopTransformJob: (input: object) => {
        end(existing('StopTransformJob', input).TransformJobName, { TransformJobStatus: 'Stopped' });
        return {};
      },
    },
    async close() {
      await Promise.all(running.values());
    },
  };
}

async function transform(onBehalf: OnBehalf, model: Model, request: TransformRequest): Promise<void> {
  const source = parseS3Uri(request.TransformInput.DataSource.S3DataSource.S3Uri);
  const target = parseS3Uri(request.TransformOutput.S3OutputPath);
  const loaded = await loadModel(onBehalf, model);
  const objects = onBehalf.objectsAs({ roleArn: model.ExecutionRoleArn, session: SESSION });
  const [, from] = ROW_FILTER.exec(request.DataProcessing?.InputFilter ?? '$') ?? [];
  const files = await objects.list(source.bucket, source.key);
  if (files.length === 0) throw new Error(`No objects under s3://${source.bucket}/${source.key}`);
  for (const { key } of files) {
    const text = new TextDecoder().decode(await objects.get(source.bucket, key));
    const lines = text.split(/\r?\n/).filter((line) => line !== '');
    const scored = lines.map((line, index) => {
      const fields = readNumbers(line.split(',').slice(Number(from || 0)), `${key}, line ${index + 1}`);
      return `${jsonPrediction(predictionOf(loaded, fields))}\n`;
    });
    const folder = target.key.replace(/\/?$/, '/');
    await objects.put(target.bucket, `${folder}${key.split('/').at(-1)}.out`, Buffer.from(scored.join('')));
  }
}

/** @throws AwsError NotImplementedException for what the job would do otherwise than asked. */
function check(input: TransformRequest): void {
  refuseUnknown('SageMaker', 'CreateTransformJob', input, PARAMETERS);
  required(input.TransformResources, 'TransformResources');
  for (const [path, purpose] of [
    ['ContentType', 'predict'],
    ['Accept', 'answer'],
  ] as const) {
    const part = (purpose === 'predict' ? input.TransformInput : input.TransformOutput) as Record<string, unknown>;
    const type = String(part[path] ?? 'text/csv');
    if (part[path] !== undefined && !takesContentType(purpose, type)) {
      throw validationException(`linear-learner has no ${path} ${type}: it has ${contentTypes(purpose)}`);
    }
  }
  const filter = input.DataProcessing?.InputFilter ?? '$';
  if (!ROW_FILTER.test(filter)) throw notImplemented('SageMaker', `InputFilter=${filter} of CreateTransformJob`);
  for (const [path, honoured] of Object.entries(CARRIED_OUT)) {
    const value = path.split('.').reduce<unknown>((it, member) => (it as Record<string, unknown>)?.[member], input);
    if (!honoured.includes(value)) throw notImplemented('SageMaker', `${path}=${value} of CreateTransformJob`);
  }
}
