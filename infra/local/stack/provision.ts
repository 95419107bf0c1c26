import { createHash } from 'node:crypto';
import type { GlueCatalog, TableInput } from '../athena/catalog.ts';
import type { WorkGroupProperties } from '../athena/work-groups.ts';
import type { LogStore } from '../cloudwatch/log-store.ts';
import type { EventSourceMappingInput } from '../event-source-mapping/config.ts';
import type { FeatureGroupProperties } from '../feature-store/feature-group.ts';
import type { DeliveryStreamOptions } from '../firehose/delivery-stream.ts';
import type { RoleProperties, StackRoles } from '../iam/roles.ts';
import type { Call } from '../protocol/service.ts';
import type { StateMachineInput } from '../step-functions/step-functions.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { createTable, type TableProperties } from './provision-table.ts';
import type { Stack, StackResource } from './stack.ts';

/** The parts of the services that make resources. */
export interface Targets {
  readonly call: Call;
  readonly objects: Pick<ObjectStore, 'createBucket'>;
  readonly featureStore: { createFeatureGroup(properties: FeatureGroupProperties): unknown };
  readonly firehose: { createDeliveryStream(options: DeliveryStreamOptions): Promise<void> };
  readonly catalog: Pick<GlueCatalog, 'deployTable'>;
  readonly athena: { createWorkGroup(properties: WorkGroupProperties): void };
  readonly stepFunctions: { createStateMachine(options: StateMachineInput): unknown };
  readonly alarms: {
    putAlarm(parameters: Record<string, unknown>): void;
    putDashboard(name: string, body: string): void;
  };
  readonly logs: Pick<LogStore, 'createGroup'>;
  readonly roles: Pick<StackRoles, 'put' | 'authorize' | 'checkTrust'>;
}

/** What becomes of a resource's type here, and why nothing does for those that exist in AWS only. */
type Provisioner = (resource: StackResource, targets: Targets) => unknown;

const NOTHING_TO_DO: Readonly<Record<string, string>> = {
  'AWS::S3::BucketPolicy': 'refuses calls without TLS, and loopback has none',
  'AWS::Logs::LogStream': 'is there with its first line',
  'AWS::Glue::Database': 'is there with its first table',
  'AWS::Athena::NamedQuery': 'is text to be opened in the console',
  'AWS::CodeDeploy::Application': 'a version that is deployed here takes over at once',
  'AWS::CodeDeploy::DeploymentGroup': 'a version that is deployed here takes over at once',
};

const PROVISIONERS: Readonly<Record<string, Provisioner>> = {
  'AWS::DynamoDB::Table': ({ ref, properties }, { call }) =>
    createTable(call, { ...(properties as unknown as TableProperties), TableName: ref }),
  'AWS::S3::Bucket': ({ ref }, { objects }) => objects.createBucket(ref),
  'AWS::KinesisFirehose::DeliveryStream': ({ ref, properties }, { firehose }) =>
    firehose.createDeliveryStream(deliveryStream(ref, properties as unknown as DeliveryStreamProperties)),
  'AWS::SageMaker::FeatureGroup': ({ properties }, { featureStore }) =>
    featureStore.createFeatureGroup(properties as unknown as FeatureGroupProperties),
  'AWS::Glue::Table': ({ properties }, { catalog }) =>
    catalog.deployTable(String(properties.DatabaseName), properties.TableInput as TableInput),
  'AWS::Athena::WorkGroup': ({ properties }, { athena }) =>
    athena.createWorkGroup(properties as unknown as WorkGroupProperties),
  'AWS::CloudWatch::Alarm': ({ properties }, { alarms }) => alarms.putAlarm(properties),
  'AWS::CloudWatch::Dashboard': ({ properties }, { alarms }) =>
    alarms.putDashboard(String(properties.DashboardName), String(properties.DashboardBody)),
  'AWS::Logs::LogGroup': ({ ref }, { logs }) => logs.createGroup(ref),
  'AWS::IAM::Role': ({ arn = '', properties }, { roles }) => roles.put(arn, properties as unknown as RoleProperties),
  'AWS::StepFunctions::StateMachine': async ({ ref, properties }, { stepFunctions, roles }) => {
    const name = String(properties.StateMachineName);
    const roleArn = String(properties.RoleArn);
    const definition = stateMachineDefinition(properties as unknown as StateMachineProperties);
    roles.checkTrust(roleArn, 'states.amazonaws.com');
    await roles.authorize({ roleArn, session: name }, 'states', 'CreateStateMachine', { definition });
    stepFunctions.createStateMachine({ name, arn: ref, roleArn, definition });
  },
};

/** Made before whatever is given one. */
const FIRST = 'AWS::IAM::Role';

/**
 * Makes the stack's resources in the local services. Done again over the same state folder it changes nothing, save
 * what the definition has changed.
 *
 * @throws Error naming a resource whose type the local cloud does not know, before anything is made.
 */
export async function provision(stack: Stack, targets: Targets): Promise<void> {
  const unknown = stack.resources.filter(({ type }) => !(type in PROVISIONERS) && !(type in NOTHING_TO_DO));
  if (unknown.length > 0) {
    const names = unknown.map(({ logicalId, type }) => `${logicalId} (${type})`).join(', ');
    throw new Error(
      `The local cloud does not know what to make of ${names}: add the type in infra/local/stack/provision.ts.`,
    );
  }
  const ordered = [...stack.resources].sort((a, b) => Number(b.type === FIRST) - Number(a.type === FIRST));
  for (const resource of ordered) await PROVISIONERS[resource.type]?.(resource, targets);
  for (const { name, roleArn } of stack.functions) {
    targets.roles.checkTrust(roleArn, 'lambda.amazonaws.com');
    targets.logs.createGroup(`/aws/lambda/${name}`);
  }
}

/** The event source mappings of a stack, whose tables are there. */
export async function eventSourceMappings(stack: Stack, call: Call): Promise<EventSourceMappingInput[]> {
  const mappings = stack.functions.flatMap(({ name, streams }) => streams.map((stream) => ({ name, ...stream })));
  return Promise.all(
    mappings.map(async ({ name, tableName, mapping }) => {
      const { Table } = (await call('dynamodb', 'DescribeTable', { TableName: tableName })) as {
        Table: { LatestStreamArn?: string };
      };
      if (!Table.LatestStreamArn) throw new Error(`Table ${tableName} has no stream for function ${name} to read.`);
      return { ...mapping, UUID: uuidOf(name, tableName), FunctionName: name, EventSourceArn: Table.LatestStreamArn };
    }),
  );
}

interface DeliveryStreamProperties {
  readonly ExtendedS3DestinationConfiguration: {
    readonly BucketARN: string;
    readonly RoleARN: string;
    readonly Prefix: string;
    readonly ErrorOutputPrefix: string;
    readonly BufferingHints: { readonly IntervalInSeconds: number; readonly SizeInMBs: number };
    readonly CompressionFormat: 'UNCOMPRESSED' | 'GZIP';
  };
}

function deliveryStream(
  name: string,
  { ExtendedS3DestinationConfiguration: s3 }: DeliveryStreamProperties,
): DeliveryStreamOptions {
  return {
    name,
    roleArn: s3.RoleARN,
    bucket: s3.BucketARN.replace(/^arn:aws:s3:::/, ''),
    prefix: s3.Prefix,
    errorPrefix: s3.ErrorOutputPrefix,
    bufferSeconds: s3.BufferingHints.IntervalInSeconds,
    bufferMB: s3.BufferingHints.SizeInMBs,
    compression: s3.CompressionFormat,
  };
}

interface StateMachineProperties {
  readonly DefinitionString: string;
  readonly DefinitionSubstitutions: Readonly<Record<string, string>>;
}

function stateMachineDefinition({ DefinitionString, DefinitionSubstitutions }: StateMachineProperties): object {
  return JSON.parse(
    DefinitionString.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = DefinitionSubstitutions[name];
      if (value === undefined)
        throw new Error(`The state machine's definition has \${${name}}, which nothing fills in.`);
      return value;
    }),
  );
}

/** The same at every start: a mapping's checkpoints are kept under it. */
function uuidOf(functionName: string, tableName: string): string {
  const hash = createHash('sha256').update(`${functionName}\n${tableName}`).digest('hex');
  return hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
