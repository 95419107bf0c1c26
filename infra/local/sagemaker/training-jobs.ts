import { Worker } from 'node:worker_threads';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { packModel } from './learner/model-artifact.ts';
import type { TrainingFile, TrainingMessage, TrainingTask } from './learner/training-worker.ts';
import { type OnBehalf, SESSION } from './models.ts';
import { arnOf, epochSeconds, type ListInput, nameIn, page, type Resources, validationException } from './resources.ts';
import { parseS3Uri } from './s3-uri.ts';
import { type CreateTrainingJobInput, checkTrainingJob } from './training-job-request.ts';

type JobStatus = 'InProgress' | 'Completed' | 'Failed' | 'Stopping' | 'Stopped';

/** DescribeTrainingJob's answer: the request, and what has become of it. Times are epoch seconds. */
interface TrainingJob extends Omit<CreateTrainingJobInput, 'Tags'> {
  readonly TrainingJobArn: string;
  readonly CreationTime: number;
  readonly TrainingJobStatus: JobStatus;
  readonly SecondaryStatus: string;
  readonly SecondaryStatusTransitions: readonly { Status: string; StartTime: number; EndTime?: number }[];
  readonly LastModifiedTime: number;
  readonly TrainingStartTime?: number;
  readonly TrainingEndTime?: number;
  readonly TrainingTimeInSeconds?: number;
  readonly ModelArtifacts?: { readonly S3ModelArtifacts: string };
  readonly FinalMetricDataList?: readonly { MetricName: string; Value: number; Timestamp: number }[];
  readonly FailureReason?: string;
}

/** A job that is running in this process. */
interface Running {
  /** Ends the job as Stopped, with this secondary status. */
  stop(secondaryStatus: 'Stopped' | 'MaxRuntimeExceeded'): void;
  readonly done: Promise<void>;
}

const WORKER = new URL('./learner/training-worker.ts', import.meta.url);

/** Longest delay a timer of Node takes, in milliseconds: 2^31 - 1, about 24 days. */
const TIMER_MS_MAX = 2_147_483_647;

/** Training jobs, each trained in a worker thread. One that a stopped process left in progress is marked Failed. */
export class TrainingJobs {
  readonly #resources: Resources;
  readonly #onBehalf: OnBehalf;
  readonly #running = new Map<string, Running>();
  #closed = false;

  constructor({ resources, onBehalf }: { resources: Resources; onBehalf: OnBehalf }) {
    this.#resources = resources;
    this.#onBehalf = onBehalf;
    for (const { name, body } of resources.all<TrainingJob>('training-job')) {
      if (body.TrainingJobStatus !== 'InProgress' && body.TrainingJobStatus !== 'Stopping') continue;
      const reason = 'InternalServerError: the local cloud was stopped while the training job was in progress';
      this.#update(name, { TrainingEndTime: epochSeconds(), ...failure(reason) });
    }
  }

  readonly operations: Record<string, Operation> = {
    CreateTrainingJob: (input: CreateTrainingJobInput) => this.#create(input),

    DescribeTrainingJob: (input: object) => {
      refuseUnknown('SageMaker', 'DescribeTrainingJob', input, ['TrainingJobName']);
      return this.#job(nameIn(input, 'training-job'));
    },

    StopTrainingJob: (input: object) => {
      refuseUnknown('SageMaker', 'StopTrainingJob', input, ['TrainingJobName']);
      const name = nameIn(input, 'training-job');
      const { TrainingJobStatus } = this.#job(name);
      const running = this.#running.get(name);
      if (!running) {
        throw validationException(
          `The request was rejected because the training job is in status ${TrainingJobStatus}.`,
        );
      }
      this.#update(name, { TrainingJobStatus: 'Stopping', SecondaryStatus: 'Stopping' });
      running.stop('Stopped');
      return {};
    },

    ListTrainingJobs: (input: ListInput) => {
      const jobs = this.#resources
        .all<TrainingJob>('training-job')
        .map(({ name, body }) => ({ name, body, status: body.TrainingJobStatus }));
      const { found, next } = page('ListTrainingJobs', input, jobs, true);
      return { TrainingJobSummaries: found.map(({ body }) => summaryOf(body)), ...next };
    },
  };

  /** Ends the threads. Jobs in progress stay so on record, and are Failed when the record is next opened. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running.values()];
    for (const it of running) it.stop('Stopped');
    await Promise.all(running.map((it) => it.done));
  }

  #create(input: CreateTrainingJobInput): { TrainingJobArn: string } {
    const name = nameIn(input, 'training-job');
    checkTrainingJob(input);
    const TrainingJobArn = arnOf('training-job', name);
    const { Tags, ...request } = input;
    const now = epochSeconds();
    const body: TrainingJob = {
      ...request,
      TrainingJobArn,
      CreationTime: now,
      LastModifiedTime: now,
      TrainingJobStatus: 'InProgress',
      SecondaryStatus: 'Starting',
      SecondaryStatusTransitions: [{ Status: 'Starting', StartTime: now }],
    };
    if (!this.#resources.add('training-job', name, body, Tags)) {
      throw new AwsError(
        'ResourceInUse',
        `Training job names must be unique within an AWS account and region, and a training job with this name already exists (${TrainingJobArn})`,
      );
    }
    this.#start(name, input);
    return { TrainingJobArn };
  }

  #start(name: string, input: CreateTrainingJobInput): void {
    const stopped = Promise.withResolvers<Partial<TrainingJob>>();
    const stop: Running['stop'] = (SecondaryStatus) =>
      stopped.resolve({ TrainingJobStatus: 'Stopped', SecondaryStatus });
    const runtimeMs = Math.min(input.StoppingCondition.MaxRuntimeInSeconds * 1000, TIMER_MS_MAX);
    const deadline = setTimeout(() => stop('MaxRuntimeExceeded'), runtimeMs);
    const attempt: Attempt = { ended: false };
    const update = (changes: Partial<TrainingJob>) => {
      if (!attempt.ended) this.#update(name, changes);
    };
    const done = Promise.race([train(input, this.#onBehalf, update, attempt), stopped.promise])
      .catch((error): Partial<TrainingJob> => failure(error.message))
      .then(async (outcome) => {
        clearTimeout(deadline);
        this.#running.delete(name);
        update({ TrainingEndTime: epochSeconds(), ...outcome });
        attempt.ended = true;
        await attempt.worker?.terminate();
      });
    this.#running.set(name, { done, stop });
  }

  #job(name: string): TrainingJob {
    const found = this.#resources.get<TrainingJob>('training-job', name);
    if (!found) throw validationException('Requested resource not found.');
    return found;
  }

  #update(name: string, changes: Partial<TrainingJob>): void {
    if (!this.#closed) this.#resources.set('training-job', name, withTransition(this.#job(name), changes));
  }
}

/** One run of a job: its thread once there is one, and whether the job has ended, by itself or by being stopped. */
interface Attempt {
  worker?: Worker;
  ended: boolean;
}

async function train(
  input: CreateTrainingJobInput,
  { objectsAs, pullImage }: OnBehalf,
  update: (changes: Partial<TrainingJob>) => void,
  attempt: Attempt,
): Promise<Partial<TrainingJob>> {
  update({ SecondaryStatus: 'Downloading', TrainingStartTime: epochSeconds() });
  const caller = { roleArn: input.RoleArn, session: SESSION };
  await pullImage(caller, input.AlgorithmSpecification.TrainingImage ?? '');
  const objects = objectsAs(caller);
  const files = async (channel: string) => {
    const found = input.InputDataConfig.find((it) => it.ChannelName === channel);
    return found && filesUnder(objects, found.DataSource.S3DataSource.S3Uri, input.RoleArn);
  };
  const task: TrainingTask = {
    train: (await files('train')) ?? [],
    validation: await files('validation'),
    hyperParameters: input.HyperParameters ?? {},
  };
  if (attempt.ended) return {};
  update({ SecondaryStatus: 'Training' });
  attempt.worker = new Worker(WORKER, { workerData: task, execArgv: [] });
  const message = await answerOf(attempt.worker);
  if (message.kind === 'failed') return failure(message.reason);
  if (attempt.ended) return {};
  update({ SecondaryStatus: 'Uploading' });
  const folder = input.OutputDataConfig.S3OutputPath.replace(/\/$/, '');
  const artifact = `${folder}/${input.TrainingJobName}/output/model.tar.gz`;
  const { bucket, key } = parseS3Uri(artifact);
  await objects.put(bucket, key, packModel(message.model));
  const Timestamp = epochSeconds();
  return {
    TrainingJobStatus: 'Completed',
    SecondaryStatus: 'Completed',
    ModelArtifacts: { S3ModelArtifacts: artifact },
    FinalMetricDataList: message.metrics.map((it) => ({ MetricName: it.name, Value: it.value, Timestamp })),
  };
}

/** Every object under a prefix that is not empty. @throws Error with SageMaker's failure reason when there is none. */
async function filesUnder(objects: ObjectStore, uri: string, role: string): Promise<TrainingFile[]> {
  const { bucket, key } = parseS3Uri(uri);
  const found = await objects.list(bucket, key).catch((error) => {
    if (error instanceof AwsError && error.code === 'NoSuchBucket') return [];
    throw error;
  });
  if (found.length === 0) {
    throw new Error(
      `ClientError: Data download failed: No S3 objects found under S3 URL "${uri}" given in input data source. Please ensure that the bucket exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that the role "${role}" has "s3:ListBucket" permissions on bucket "${bucket}".`,
    );
  }
  return found
    .filter((it) => it.size > 0)
    .map((it) => ({ uri: `s3://${bucket}/${it.key}`, path: objects.path(bucket, it.key) }));
}

function answerOf(worker: Worker): Promise<TrainingMessage> {
  return new Promise((resolve) => {
    worker.once('message', resolve);
    worker.once('error', (error) => resolve({ kind: 'failed', reason: `InternalServerError: ${error.message}` }));
  });
}

function failure(FailureReason: string): Partial<TrainingJob> {
  return { TrainingJobStatus: 'Failed', SecondaryStatus: 'Failed', FailureReason };
}

function withTransition(before: TrainingJob, changes: Partial<TrainingJob>): TrainingJob {
  const now = epochSeconds();
  const after = { ...before, ...changes, LastModifiedTime: now };
  if (after.TrainingStartTime !== undefined && changes.TrainingEndTime !== undefined) {
    Object.assign(after, { TrainingTimeInSeconds: Math.ceil(changes.TrainingEndTime - after.TrainingStartTime) });
  }
  if (after.SecondaryStatus === before.SecondaryStatus) return after;
  const ended = before.SecondaryStatusTransitions.map((it) => ({ EndTime: now, ...it }));
  return { ...after, SecondaryStatusTransitions: [...ended, { Status: after.SecondaryStatus, StartTime: now }] };
}

function summaryOf(body: TrainingJob) {
  const { TrainingJobName, TrainingJobArn, CreationTime, TrainingEndTime, LastModifiedTime } = body;
  const { TrainingJobStatus, SecondaryStatus } = body;
  return {
    ...{ TrainingJobName, TrainingJobArn, CreationTime, TrainingEndTime, LastModifiedTime },
    ...{ TrainingJobStatus, SecondaryStatus },
  };
}
