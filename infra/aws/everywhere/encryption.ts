import { allow, roleOf, type Statement, withStatements } from '../cloudformation/iam.ts';
import { join, type Resource, type Resources, ref, type Text } from '../cloudformation/intrinsics.ts';

/** A resource's properties with the customer's key in the place its type has for one. */
type Encrypted = (properties: Resource['Properties'], keyArn: string) => Resource['Properties'];

/** What holds data, and where its type takes a key. */
const ENCRYPTED: Readonly<Record<string, Encrypted>> = {
  'AWS::S3::Bucket': (properties, keyArn) => ({
    ...properties,
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        {
          ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
          // One request to KMS for many objects, where there would be one for each.
          BucketKeyEnabled: true,
        },
      ],
    },
  }),
  'AWS::DynamoDB::Table': (properties, keyArn) => ({
    ...properties,
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: keyArn },
  }),
  'AWS::KinesisFirehose::DeliveryStream': (properties, keyArn) => ({
    ...properties,
    DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK', KeyARN: keyArn },
  }),
  'AWS::SageMaker::FeatureGroup': (properties, keyArn) => ({
    ...properties,
    OnlineStoreConfig: { ...(properties.OnlineStoreConfig as object), SecurityConfig: { KmsKeyId: keyArn } },
    OfflineStoreConfig: offlineStore(properties.OfflineStoreConfig as OfflineStoreConfig, keyArn),
  }),
  'AWS::Athena::WorkGroup': (properties, keyArn) => ({
    ...properties,
    WorkGroupConfiguration: workGroup(properties.WorkGroupConfiguration as WorkGroupConfiguration, keyArn),
  }),
  // What its jobs write. Without a key they take that of S3, whatever the bucket's is. Source: API, OutputDataConfig.
  'AWS::StepFunctions::StateMachine': (properties, keyArn) => ({
    ...properties,
    DefinitionString: JSON.stringify(JSON.parse(properties.DefinitionString as string), (name, value) =>
      /^(OutputDataConfig|TransformOutput)$/.test(name) ? { ...value, KmsKeyId: keyArn } : value,
    ),
  }),
};

interface OfflineStoreConfig {
  readonly S3StorageConfig: object;
}

interface WorkGroupConfiguration {
  readonly ResultConfiguration: object;
}

const offlineStore = (store: OfflineStoreConfig, keyArn: string) => ({
  ...store,
  S3StorageConfig: { ...store.S3StorageConfig, KmsKeyId: keyArn },
});

const workGroup = (group: WorkGroupConfiguration, keyArn: string) => ({
  ...group,
  ResultConfiguration: {
    ...group.ResultConfiguration,
    EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: keyArn },
  },
});

/** Services that ask KMS on the role's behalf, so that the role's right is of no use outside them. */
const VIA: readonly string[] = ['dynamodb', 's3', 'firehose', 'sagemaker'];

/**
 * Encrypts whatever holds data with the customer's own key, and lets the roles use it through these services.
 *
 * @param keyArn ARN of a KMS key in the deployment's region; `''` leaves the keys that AWS owns.
 */
export function encrypted(resources: Resources, keyArn: string): Resources {
  if (keyArn === '') return resources;
  if (!/^arn:[^:]+:kms:[^:]+:\d{12}:key\/[\w-]+$/.test(keyArn)) {
    throw new Error(`kmsKeyArn is ${keyArn}, which is no key's ARN: \`aws kms describe-key\` prints it.`);
  }
  return Object.fromEntries(
    Object.entries(resources).map(([logicalId, resource]) => [logicalId, withKey(logicalId, resource, keyArn)]),
  );
}

function withKey(logicalId: string, resource: Resource, keyArn: string): Resource {
  const change = ENCRYPTED[resource.Type];
  if (change) return { ...resource, Properties: change(resource.Properties, keyArn) };
  const statements = roleOf(resource)?.statements;
  return statements ? withStatements(resource, [...statements, ...useOfKey(logicalId, keyArn)]) : resource;
}

function useOfKey(logicalId: string, keyArn: string): Statement[] {
  const through: Text[] = VIA.map((service) => join(service, '.', ref('AWS::Region'), '.', ref('AWS::URLSuffix')));
  const statements = [
    allow(['kms:Decrypt', 'kms:GenerateDataKey'], [keyArn], { StringEquals: { 'kms:ViaService': through } }),
  ];
  // Feature Store makes a grant of its own for the online store.
  if (logicalId === 'FeatureGroupRole') {
    const condition = { Bool: { 'kms:GrantIsForAWSResource': 'true' } };
    statements.push(allow(['kms:CreateGrant'], [keyArn], condition), allow(['kms:DescribeKey'], [keyArn]));
  }
  return statements;
}
