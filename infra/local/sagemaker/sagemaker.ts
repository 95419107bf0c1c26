import type { DatabaseSync } from 'node:sqlite';
import type { AlarmStateOf } from '../cloudwatch/cloudwatch.ts';
import { refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation, Service } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { endpointConfigs } from './endpoint-configs.ts';
import { NOT_SCALED, type Scaling } from './endpoint-update.ts';
import { endpoints } from './endpoints.ts';
import { checkTags } from './limits.ts';
import { models, type ObjectsAs, type PullImage } from './models.ts';
import { Resources, type Tag } from './resources.ts';
import { type OnAnswer, sageMakerRuntime } from './runtime.ts';
import { TrainingJobs } from './training-jobs.ts';
import { transformJobs } from './transform-jobs.ts';

/**
 * SageMaker's training jobs, models and endpoints, over the local object store. Training is real and honest work on
 * the real CSV, but by a stand-in for linear-learner: see sagemaker/linear-learner.ts for how the two differ. Instance
 * types, counts and roles are kept and shown and mean nothing here.
 */
export function sageMaker({
  db,
  objects,
  alarmStateOf = () => undefined,
  objectsAs = () => objects,
  pullImage = async () => undefined,
  onAnswer,
  operations = {},
  scaling = NOT_SCALED,
}: {
  db: DatabaseSync;
  objects: ObjectStore;
  /** CloudWatch's alarms. Default: there are none. */
  alarmStateOf?: AlarmStateOf;
  /** The objects as a job's or a model's role may use them. Default: as anybody may. */
  objectsAs?: ObjectsAs;
  /** Default: anybody may. */
  pullImage?: PullImage;
  /** Hears of every answer of an endpoint. */
  onAnswer?: OnAnswer;
  /** Operations of other services that SageMaker's API has too. */
  operations?: Record<string, Operation>;
  /** Default: no endpoint is scaled. */
  scaling?: Scaling;
}): {
  services: Service[];
  /** Lets endpoints act on a change of an alarm's state. */
  onAlarm(): Promise<void>;
  close(): Promise<void>;
} {
  const resources = new Resources(db);
  const onBehalf = { objectsAs, pullImage };
  const training = new TrainingJobs({ resources, onBehalf });
  const transforms = transformJobs({ resources, onBehalf });
  const hosting = endpoints({ resources, onBehalf, alarmStateOf, scaling });
  const controlPlane: Service = {
    name: 'sagemaker',
    target: 'SageMaker',
    operations: {
      ...operations,
      ...training.operations,
      ...transforms.operations,
      ...models({ resources, objectsAs }),
      ...endpointConfigs({ resources }),
      ...hosting.operations,
      ...tagging(resources),
    },
  };
  return {
    services: [controlPlane, sageMakerRuntime(hosting.findDeployment, onAnswer)],
    onAlarm: hosting.settle,
    async close() {
      await transforms.close();
      await training.close();
    },
  };
}

function tagging(resources: Resources): Record<string, Operation> {
  return {
    AddTags: (input: { ResourceArn: string; Tags: readonly Tag[] }) => {
      refuseUnknown('SageMaker', 'AddTags', input, ['ResourceArn', 'Tags']);
      const merged = new Map([...resources.tags(input.ResourceArn), ...input.Tags].map((it) => [it.Key, it]));
      checkTags([...merged.values()]);
      resources.setTags(input.ResourceArn, [...merged.values()]);
      return { Tags: [...merged.values()] };
    },
    ListTags: (input: { ResourceArn: string }) => {
      refuseUnknown('SageMaker', 'ListTags', input, ['ResourceArn']);
      return { Tags: resources.tags(input.ResourceArn) };
    },
  };
}
