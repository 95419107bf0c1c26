import { columnsOf, type Feature, type FeatureGroup, type Label } from '../../../shared/definition/feature-group.ts';
import { allow, role } from '../cloudformation/iam.ts';
import { arn, getAtt, join, type Resources, ref } from '../cloudformation/intrinsics.ts';
import { OFFLINE_STORE_PREFIX } from './buckets.ts';

/** Feature Store's type of a feature or the label. Its only others are collections. @param label of the definition. */
export function featureType(
  feature: Feature | 'label',
  label: Label | undefined,
): 'String' | 'Integral' | 'Fractional' {
  if (feature === 'label') return label?.type ? 'Fractional' : 'Integral';
  switch (feature.type) {
    case 'integral':
    case 'boolean':
      return 'Integral';
    case 'fractional':
    case 'timestamp':
      return 'Fractional';
    case 'string':
    case 'categorical':
    case 'hashed':
      return 'String';
  }
}

/** ARN of the feature group; SageMaker writes names in ARNs in lower case. */
export const featureGroupArn = (group: FeatureGroup) => arn('sagemaker', `feature-group/${group.name.toLowerCase()}`);

/** The feature group with its online store, and its offline store in the data bucket. */
export function featureGroup(group: FeatureGroup): Resources {
  const definition = (name: string, type: string) => ({ FeatureName: name, FeatureType: type });
  return {
    FeatureGroup: {
      Type: 'AWS::SageMaker::FeatureGroup',
      // Feature Store checks at creation that the role may write to the bucket.
      DependsOn: 'DataBucketPolicy',
      Properties: {
        FeatureGroupName: group.name,
        RecordIdentifierFeatureName: group.recordIdentifier.name,
        EventTimeFeatureName: group.eventTime.name,
        // Features can only be added, at the end: the order is the change log's, which is append-only.
        FeatureDefinitions: [
          definition(group.recordIdentifier.name, 'String'),
          definition(group.eventTime.name, 'String'),
          ...columnsOf(group).map(({ name, feature }) => definition(name, featureType(feature, group.label))),
        ],
        OnlineStoreConfig: { EnableOnlineStore: true },
        OfflineStoreConfig: {
          S3StorageConfig: { S3Uri: join('s3://', ref('DataBucket'), `/${OFFLINE_STORE_PREFIX}`) },
          DisableGlueTableCreation: false,
        },
        RoleArn: getAtt('FeatureGroupRole', 'Arn'),
        // Both could only be changed by making the group anew, which the definition's lock refuses.
        ...(group.description !== undefined && { Description: group.description }),
        ...(group.owner !== undefined && { Tags: [{ Key: 'owner', Value: group.owner }] }),
      },
    },
    FeatureGroupRole: role('sagemaker.amazonaws.com', [
      allow(['s3:GetBucketAcl', 's3:GetBucketLocation', 's3:ListBucket'], [getAtt('DataBucket', 'Arn')]),
      allow(
        ['s3:GetObject', 's3:PutObject', 's3:PutObjectAcl'],
        [join(getAtt('DataBucket', 'Arn'), `/${OFFLINE_STORE_PREFIX}*`)],
      ),
      allow(
        ['glue:CreateDatabase', 'glue:CreateTable', 'glue:GetDatabase', 'glue:GetTable', 'glue:UpdateTable'],
        [
          arn('glue', 'catalog'),
          arn('glue', 'database/sagemaker_featurestore'),
          arn('glue', 'table/sagemaker_featurestore/*'),
        ],
      ),
    ]),
  };
}
