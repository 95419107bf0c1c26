import { notImplemented } from '../protocol/aws-error.ts';
import { type Tag, validationException } from './resources.ts';

/** Limits of SageMaker's requests that a deployment can run into. Source: SageMaker API. */
const TAGS_MAX = 50;
const TAG_KEY_MAX = 128;
const TAG_VALUE_MAX = 256;
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const HYPER_PARAMETERS_MAX = 100;
const HYPER_PARAMETER_KEY_MAX = 256;
const HYPER_PARAMETER_VALUE_MAX = 2_500;
const CHANNELS_MAX = 20;
const IMAGE_MAX = 255;
const ROLE_ARN = { min: 20, max: 2_048, pattern: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/ };
const INSTANCE_TYPE = /^ml\.[a-z0-9-]{1,20}\.[a-z0-9-]{1,20}$/;

/** @throws AwsError ValidationException */
export function checkTags(tags: readonly Tag[]): void {
  check(tags.length <= TAGS_MAX, 'tags', `Member must have length less than or equal to ${TAGS_MAX}`);
  const keys = new Set(tags.map(({ Key }) => Key));
  check(keys.size === tags.length, 'tags', 'Tag keys must be unique');
  for (const { Key, Value } of tags) {
    check(
      textOf(Key, 1, TAG_KEY_MAX) && TAG_TEXT.test(Key),
      'tags.key',
      `a key has 1 to ${TAG_KEY_MAX} letters, digits, spaces and _.:/=+-@`,
    );
    check(
      textOf(Value, 0, TAG_VALUE_MAX) && TAG_TEXT.test(Value),
      'tags.value',
      `a value has at most ${TAG_VALUE_MAX} letters, digits, spaces and _.:/=+-@`,
    );
    check(!Key.toLowerCase().startsWith('aws:'), 'tags.key', 'aws: prefixed tag keys are reserved');
  }
}

/** @throws AwsError ValidationException */
export function checkRoleArn(arn: string): void {
  const { min, max, pattern } = ROLE_ARN;
  check(
    textOf(arn, min, max) && pattern.test(arn),
    'roleArn',
    'Member must satisfy regular expression pattern: ^arn:aws[a-z\\-]*:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+$',
  );
}

/** @throws AwsError ValidationException */
export function checkHyperParameters(hyperParameters: Readonly<Record<string, string>>): void {
  const entries = Object.entries(hyperParameters);
  check(
    entries.length <= HYPER_PARAMETERS_MAX,
    'hyperParameters',
    `Member must have length less than or equal to ${HYPER_PARAMETERS_MAX}`,
  );
  for (const [key, value] of entries) {
    check(
      textOf(key, 1, HYPER_PARAMETER_KEY_MAX),
      'hyperParameters',
      `a key has at most ${HYPER_PARAMETER_KEY_MAX} characters`,
    );
    check(
      textOf(value, 0, HYPER_PARAMETER_VALUE_MAX),
      'hyperParameters',
      `${key} is no text of at most ${HYPER_PARAMETER_VALUE_MAX} characters`,
    );
  }
}

/** @throws AwsError ValidationException */
export function checkChannelCount(count: number): void {
  check(
    count >= 1 && count <= CHANNELS_MAX,
    'inputDataConfig',
    `Member must have length between 1 and ${CHANNELS_MAX}`,
  );
}

/** @throws AwsError ValidationException */
export function checkImageName(image: string): void {
  check(
    textOf(image, 1, IMAGE_MAX) && !/\s/.test(image),
    'image',
    `Member must have at most ${IMAGE_MAX} characters, and no white space`,
  );
}

/** Instances: how many, and of a type that has a name such as ml.m5.large. @throws AwsError ValidationException */
export function checkInstances(type: unknown, count: unknown): void {
  check(typeof type === 'string' && INSTANCE_TYPE.test(type), 'instanceType', `${String(type)} is no instance type`);
  check(
    Number.isInteger(count) && Number(count) >= 1,
    'instanceCount',
    'Member must have value greater than or equal to 1',
  );
}

/**
 * Content types of the algorithm. Source: linear-learner, "Input/output interface": recordIO-wrapped protobuf or CSV to
 * train on; CSV, JSON or protobuf to predict from.
 */
const TYPES = {
  train: ['text/csv', 'application/x-recordio-protobuf'],
  predict: ['text/csv', 'application/json', 'application/jsonlines', 'application/x-recordio-protobuf'],
  answer: ['application/json', 'application/jsonlines', 'application/x-recordio-protobuf'],
} as const;

/** Protobuf is the algorithm's, and not read here. */
const NOT_READ = 'application/x-recordio-protobuf';

/**
 * Whether linear-learner takes a content type.
 *
 * @throws AwsError NotImplementedException for one that it takes and the local cloud does not read.
 */
export function takesContentType(purpose: keyof typeof TYPES, contentType: string): boolean {
  if (contentType === NOT_READ) throw notImplemented('SageMaker', `the content type ${NOT_READ}`, 'Send text/csv.');
  return (TYPES[purpose] as readonly string[]).includes(contentType);
}

export function contentTypes(purpose: keyof typeof TYPES): string {
  return TYPES[purpose].join(', ');
}

function textOf(value: unknown, min: number, max: number): value is string {
  return typeof value === 'string' && value.length >= min && value.length <= max;
}

function check(holds: boolean, member: string, constraint: string): void {
  if (holds) return;
  throw validationException(
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}
