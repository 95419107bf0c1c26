import { type AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { Caller, Operation } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { unpackModel } from './learner/model-artifact.ts';
import type { LearnedModel } from './learner/prediction-text.ts';
import { checkRoleArn, checkTags } from './limits.ts';
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
import { checkImage } from './training-job-request.ts';

/** DescribeModel's answer. Times are epoch seconds. */
export interface Model {
  readonly ModelName: string;
  readonly ModelArn: string;
  readonly PrimaryContainer: { readonly Image: string; readonly ModelDataUrl: string };
  readonly ExecutionRoleArn: string;
  /** Kept and shown. A model calls nothing here, whatever it says. */
  readonly EnableNetworkIsolation: boolean;
  readonly CreationTime: number;
}

type CreateModelInput = Partial<Omit<Model, 'ModelArn' | 'CreationTime'>> & { readonly Tags?: readonly Tag[] };

/** The objects as a role may use them. */
export type ObjectsAs = (caller: Caller) => ObjectStore;

/** Whether a role may fetch an image. Rejects with what says that it may not. */
export type PullImage = (caller: Caller, image: string) => Promise<void>;

/** What jobs and models do on behalf of their roles. */
export interface OnBehalf {
  readonly objectsAs: ObjectsAs;
  readonly pullImage: PullImage;
}

/** Session of the roles that SageMaker assumes. */
export const SESSION = 'SageMaker';

/** Reads a model's artifact. @throws Error when it is not there, or was not written by the local training. */
export async function loadModel({ objectsAs, pullImage }: OnBehalf, model: Model): Promise<LearnedModel> {
  const { Image, ModelDataUrl } = model.PrimaryContainer;
  const { bucket, key } = parseS3Uri(ModelDataUrl);
  const caller = { roleArn: model.ExecutionRoleArn, session: SESSION };
  await pullImage(caller, Image);
  return unpackModel(await objectsAs(caller).get(bucket, key));
}

/** Models: a name for an artifact in S3 and the image that can read it. */
export function models({
  resources,
  objectsAs,
}: {
  resources: Resources;
  objectsAs: ObjectsAs;
}): Record<string, Operation> {
  const nameOfExisting = (operation: string, input: object) => {
    refuseUnknown('SageMaker', operation, input, ['ModelName']);
    const name = nameIn(input, 'model');
    const model = resources.get<Model>('model', name);
    if (!model) throw validationException(`Could not find model "${arnOf('model', name)}".`);
    return { name, model };
  };

  return {
    CreateModel: async (input: CreateModelInput) => {
      refuseUnknown('SageMaker', 'CreateModel', input, [
        ...['ModelName', 'PrimaryContainer', 'ExecutionRoleArn', 'EnableNetworkIsolation', 'Tags'],
      ]);
      const ModelName = nameIn(input, 'model');
      const container = required(input.PrimaryContainer, 'PrimaryContainer');
      // Environment is kept and shown: a place for a note about the model. No container reads it here.
      const honoured = ['Image', 'ModelDataUrl', 'Mode', 'Environment'];
      refuseUnknown('SageMaker', 'PrimaryContainer', container, honoured);
      if ('Mode' in container && container.Mode !== 'SingleModel') {
        throw notImplemented('SageMaker', `Mode=${container.Mode} of PrimaryContainer`);
      }
      checkImage(required(container.Image, 'PrimaryContainer.Image'));
      const { bucket, key } = parseS3Uri(required(container.ModelDataUrl, 'PrimaryContainer.ModelDataUrl'));
      const roleArn = required(input.ExecutionRoleArn, 'ExecutionRoleArn');
      checkRoleArn(roleArn);
      checkTags(input.Tags ?? []);
      await objectsAs({ roleArn, session: SESSION })
        .get(bucket, key)
        .catch((error: AwsError) => {
          throw validationException(
            error.code === 'AccessDenied'
              ? `Could not access model data at ${container.ModelDataUrl}. ${error.message}`
              : `Could not find model data at ${container.ModelDataUrl}.`,
          );
        });
      const ModelArn = arnOf('model', ModelName);
      const body: Model = {
        ModelName,
        ModelArn,
        PrimaryContainer: container,
        ExecutionRoleArn: roleArn,
        EnableNetworkIsolation: input.EnableNetworkIsolation ?? false,
        CreationTime: epochSeconds(),
      };
      if (!resources.add('model', ModelName, body, input.Tags)) {
        throw validationException(`Cannot create already existing model "${ModelArn}".`);
      }
      return { ModelArn };
    },

    DescribeModel: (input: object) => nameOfExisting('DescribeModel', input).model,

    DeleteModel: (input: object) => {
      resources.delete('model', nameOfExisting('DeleteModel', input).name);
      return {};
    },

    ListModels: (input: ListInput) => {
      const { found, next } = page('ListModels', input, resources.all<Model>('model'));
      return {
        Models: found.map(({ body: { ModelName, ModelArn, CreationTime } }) => ({ ModelName, ModelArn, CreationTime })),
        ...next,
      };
    },
  };
}
