import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';

export type FeatureType = 'String' | 'Integral' | 'Fractional';

/** Properties of CloudFormation's AWS::SageMaker::FeatureGroup that the local cloud reads or may leave aside. */
export interface FeatureGroupProperties {
  readonly FeatureGroupName: string;
  readonly RecordIdentifierFeatureName: string;
  readonly EventTimeFeatureName: string;
  readonly FeatureDefinitions: readonly { readonly FeatureName: string; readonly FeatureType: FeatureType }[];
  readonly OnlineStoreConfig?: { readonly EnableOnlineStore?: boolean; readonly StorageType?: string };
  readonly OfflineStoreConfig?: object;
  readonly RoleArn?: string;
  readonly Description?: string;
  readonly Tags?: readonly object[];
}

/** A feature group as the runtime needs it. */
export interface FeatureGroup {
  readonly name: string;
  readonly recordIdentifier: string;
  readonly eventTime: string;
  readonly eventTimeType: 'String' | 'Fractional';
  /** In the order of the definition, which is the order GetRecord answers in. */
  readonly features: ReadonlyMap<string, FeatureType>;
  readonly hasOfflineStore: boolean;
}

const PROPERTIES = [
  'FeatureGroupName',
  'RecordIdentifierFeatureName',
  'EventTimeFeatureName',
  'FeatureDefinitions',
  'OnlineStoreConfig',
  'OfflineStoreConfig',
  'RoleArn',
  'Description',
  'Tags',
];

/** Group and feature names. Source: CreateFeatureGroup, 64 characters that end in a letter or a digit. */
const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9_-]{0,62}[a-zA-Z0-9])?$/;
/** Columns Feature Store adds to the offline store itself. Source: CreateFeatureGroup, FeatureDefinitions. */
const RESERVED = new Set(['is_deleted', 'write_time', 'api_invocation_time']);
/** Source: Feature Store quotas. */
const FEATURES_MAX = 2_500;
/** In characters. Source: CreateFeatureGroup. */
const DESCRIPTION_MAX = 128;

/**
 * Checks a feature group's properties by the rules of CreateFeatureGroup.
 *
 * @throws AwsError ValidationException naming the property; NotImplementedException for what the local cloud lacks.
 */
export function featureGroupOf(properties: FeatureGroupProperties): FeatureGroup {
  refuseUnknown('featurestore', 'CreateFeatureGroup', properties, PROPERTIES);
  const { OnlineStoreConfig: online = {} } = properties;
  refuseUnknown('featurestore', 'CreateFeatureGroup', online, ['EnableOnlineStore', 'StorageType', 'SecurityConfig']);
  if (!isTrue(online.EnableOnlineStore)) {
    throw notImplemented('featurestore', 'a feature group without an online store');
  }
  if ((online.StorageType ?? 'Standard') !== 'Standard') {
    throw notImplemented('featurestore', `online storage type ${online.StorageType}`);
  }
  const features = new Map<string, FeatureType>();
  for (const { FeatureName: name, FeatureType: type, ...rest } of properties.FeatureDefinitions) {
    refuseUnknown('featurestore', 'FeatureDefinitions', rest, []);
    check(NAME.test(name) && !RESERVED.has(name), `feature name ${name} is not allowed`);
    check(['String', 'Integral', 'Fractional'].includes(type), `feature ${name} has the unknown type ${type}`);
    check(!features.has(name), `feature ${name} is defined twice`);
    features.set(name, type);
  }
  check(features.size <= FEATURES_MAX, `${features.size} features of at most ${FEATURES_MAX}`);
  check(NAME.test(properties.FeatureGroupName), `feature group name ${properties.FeatureGroupName} is not allowed`);
  check(
    (properties.Description ?? '').length <= DESCRIPTION_MAX,
    `Description has more than ${DESCRIPTION_MAX} characters`,
  );
  const { RecordIdentifierFeatureName: recordIdentifier, EventTimeFeatureName: eventTime } = properties;
  check(features.has(recordIdentifier), `record identifier ${recordIdentifier} is not among the feature definitions`);
  const eventTimeType = features.get(eventTime);
  if (eventTimeType !== 'String' && eventTimeType !== 'Fractional') {
    throw new AwsError('ValidationException', `Event time ${eventTime} must be a feature of type String or Fractional`);
  }
  return {
    name: properties.FeatureGroupName,
    recordIdentifier,
    eventTime,
    eventTimeType,
    features,
    hasOfflineStore: properties.OfflineStoreConfig !== undefined,
  };
}

/**
 * Checks that a group may become `next`: features can be added, and nothing else changes without a replacement.
 *
 * @throws AwsError ValidationException
 */
export function checkUpdate(stored: FeatureGroup, next: FeatureGroup): void {
  const kept = [...stored.features].every(([name, type]) => next.features.get(name) === type);
  check(
    kept && stored.recordIdentifier === next.recordIdentifier && stored.eventTime === next.eventTime,
    `feature group ${next.name} exists with other features: features can be added, never removed or changed`,
  );
}

/** CloudFormation's own templates spell booleans as text, too. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function check(holds: boolean, problem: string): void {
  if (!holds) throw new AwsError('ValidationException', `Validation Error: ${problem}`);
}
