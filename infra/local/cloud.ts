import type { RequestListener, Server } from 'node:http';
import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { applicationAutoscaling } from './application-autoscaling/application-autoscaling.ts';
import { athena } from './athena/athena.ts';
import { GlueCatalog } from './athena/catalog.ts';
import { glue } from './athena/glue.ts';
import { KeptTables } from './athena/tables/kept-tables.ts';
import { cloudWatch } from './cloudwatch/cloudwatch.ts';
import { cloudWatchLogs } from './cloudwatch/logs.ts';
import { vendedMetrics } from './cloudwatch/vended-metrics.ts';
import type { DynamoDbBackEnd } from './dynamodb/back-end.ts';
import { dynamoDbLocal } from './dynamodb/dynamodb-local.ts';
import { embeddedDynamoDb } from './dynamodb/embedded.ts';
import { remoteDynamoDb } from './dynamodb/remote.ts';
import type { EventSourceMappingInput } from './event-source-mapping/config.ts';
import { featureStore } from './feature-store/feature-store.ts';
import type { TieRule } from './feature-store/online-store.ts';
import { firehose } from './firehose/firehose.ts';
import { bundledFunctions } from './functions/bundled-functions.ts';
import { deployedFunctions, invokeInProcess, observeInvocations } from './functions/deployed-functions.ts';
import { startTriggers } from './functions/triggers.ts';
import { factsOf } from './iam/facts.ts';
import { GuardedObjects } from './iam/guarded-objects.ts';
import { imagePermissions } from './iam/model-permissions.ts';
import { StackRoles } from './iam/roles.ts';
import { sts } from './iam/sts.ts';
import { lambdaRuntime } from './lambda/runtime.ts';
import { lambdaService } from './lambda/service.ts';
import { Faults } from './protocol/faults.ts';
import { callInProcess, HOST, serve } from './protocol/server.ts';
import type { Call, Caller, Service } from './protocol/service.ts';
import { s3 } from './s3/s3.ts';
import { sageMaker } from './sagemaker/sagemaker.ts';
import { cloudFormation } from './stack/cloudformation.ts';
import { eventSourceMappings, provision } from './stack/provision.ts';
import { loadStack, type Stack } from './stack/stack.ts';
import { stepFunctions } from './step-functions/step-functions.ts';
import { Closers } from './storage/closers.ts';
import { ObjectStore } from './storage/object-store.ts';
import { damageOf, openStateFolder } from './storage/state-folder.ts';

/** Where the DynamoDBs that keep their state in the cloud's folder keep it. */
const DYNAMODB_FOLDERS: Readonly<Record<string, string>> = { embedded: 'dynamodb', local: 'dynamodb-local' };

export interface CloudOptions {
  /** Folder of the state, which survives a restart. Made if it is not there. */
  readonly dir: string;
  /** Port of 127.0.0.1; 0 for one that is free. */
  readonly port: number;
  /** Name of a definition, or path to one. */
  readonly featureGroup: string;
  /** Values for `params` of serverless.yml, in place of its defaults. */
  readonly params?: Readonly<Record<string, string | number>>;
  /** What {@link loadStack} gave for them, where that is known already. */
  readonly stack?: Stack;
  /** `embedded` (default), `local` (AWS's DynamoDB Local), or the URL of a compatible endpoint. */
  readonly dynamodb?: string;
  /** Whether streams and schedules invoke functions. Without them functions run only when called. Default: true. */
  readonly eventSourceMappings?: boolean;
  /** What Feature Store does with a record whose event time equals the stored one's. Default: greater. */
  readonly tieRule?: TieRule;
  /** Takes every line functions log, and what goes wrong between services. Default: nobody. */
  readonly onLog?: (source: string, line: string) => void;
}

/** The local cloud, with the stack of one feature group deployed into it. */
export interface Cloud {
  /** URL of every service, to be given to clients as AWS_ENDPOINT_URL. */
  readonly endpoint: string;
  readonly port: number;
  readonly stack: Stack;
  /** Makes calls fail, to see what becomes of it. */
  readonly faults: Faults;
  /** Calls a service in process, as services call each other. */
  readonly call: Call;
  readonly objects: ObjectStore;
  /** What the stack's roles may do: every call of a function, the state machine or a job is checked against it. */
  readonly roles: StackRoles;
  /** Resolves when what was on the streams at the call, and what handling it put on streams, is handled. */
  idle(): Promise<void>;
  /** Delivers what Firehose has gathered, now. */
  flushDeliveryStreams(): Promise<void>;
  /** Starts the functions anew: they load a definition by its path as it is now. Who invokes them notices nothing. */
  deployFunctions(): Promise<void>;
  /** Serves pages below a path such as `/_pages/`, which are refused to other sites as everything is. */
  servePages(prefix: string, listener: RequestListener): void;
  /** Stops everything; the state stays in the folder. */
  close(): Promise<void>;
}

/**
 * Starts the local cloud and deploys serverless.yml into it. It is ready when this resolves.
 *
 * @throws Error in one sentence with the way out (folder, port, definition); then nothing is left running.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const closers = new Closers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.close().catch(() => undefined);
    throw damageOf(error, resolve(options.dir)) ?? error;
  }
}

async function start(options: CloudOptions, closers: Closers): Promise<Cloud> {
  const dir = resolve(options.dir);
  const { params, featureGroup, onLog = () => undefined } = options;
  const report = (problem: string) => onLog('local cloud', problem);
  const backEnd = options.dynamodb ?? 'embedded';
  const folder = DYNAMODB_FOLDERS[backEnd];
  const kept = { name: backEnd, ...(folder !== undefined && { folder }) };
  const db = closers.add(await openStateFolder(dir, kept), (it) => it.close());
  const stack = options.stack ?? (await loadStack({ featureGroup, ...(params && { params }) }));
  const objects = new ObjectStore(join(dir, 's3'));
  const dynamodb = closers.add(await dynamoDb(backEnd, dir, { db, buckets: objects }), (it) => it.close());

  const faults = new Faults();
  const services: Service[] = [];
  const call = callInProcess(services, faults);
  const catalog = new GlueCatalog(new KeptTables(db));
  const roles = new StackRoles(factsOf({ call, catalog, objects }), report);
  const callAs = (caller: Caller) => callInProcess(services, faults, { roles, caller });
  const objectsAs = (caller: Caller) =>
    new GuardedObjects(objects, (permission) => roles.require(caller, 's3', [permission]));
  const alarms = cloudWatch({ db });
  const vended = vendedMetrics(alarms.record);
  const logs = cloudWatchLogs({ db });
  const features = featureStore({ db, faults, tieRule: options.tieRule ?? 'greater' });
  const onDelivery = vended.delivery;
  const deliveries = closers.add(firehose({ objects, db, faults, objectsAs, onDelivery }), (it) => it.close());
  const queries = closers.add(athena({ objects, catalog, dir, db }), (it) => it.close());
  const onAnswer = vended.endpoint;
  const operations = features.groupOperations;
  const pullImage = async (caller: Caller, image: string) =>
    roles.require(caller, 'sagemaker', imagePermissions(image));
  const autoscaling = applicationAutoscaling({ db, call });
  const { scaling } = autoscaling;
  const training = { db, objects, objectsAs, pullImage, alarmStateOf: alarms.stateOf, onAnswer, operations, scaling };
  const models = closers.add(sageMaker(training), (it) => it.close());
  alarms.onChange(models.onAlarm);

  // What calls the other services over the wire is stopped before the server, and so added after it.
  let port = 0;
  let mappings: readonly EventSourceMappingInput[] = [];
  const endpointUrl = () => `http://${HOST}:${port}`;
  const runtime = lambdaRuntime({
    ...{ functions: deployedFunctions(stack, await bundledFunctions(featureGroup), roles), endpointUrl, onLog },
    onInvocation: observeInvocations({ record: alarms.record, vended, logs: logs.store, roles }),
  });
  const executions = stepFunctions({ db, call, callAs, roles, onExecution: vended.execution });
  const overTheWire = lambdaService(runtime, {
    endpointUrl,
    mappings: () => mappings,
    onUrlRequest: vended.urlRequest,
  });
  const lambda = { ...overTheWire, operations: { ...overTheWire.operations, Invoke: invokeInProcess(runtime) } };
  services.push(...dynamodb.services, features.service, deliveries.service, queries.service, executions.service);
  services.push(...models.services, alarms.service, logs.service, lambda, glue({ catalog, objects }));
  services.push(sts(roles), cloudFormation(stack), s3({ objects }).service, autoscaling.service);
  const served = await serve(services, faults, options.port, roles);
  closers.add(served.server, closeServer);
  port = served.port;
  closers.add(lambda, (it) => it.close?.());
  closers.add(executions, (it) => it.close());

  await provision(stack, {
    ...{ call, objects, catalog, featureStore: features, firehose: deliveries, alarms, logs: logs.store },
    ...{ athena: queries, stepFunctions: executions, roles },
  });
  mappings = await eventSourceMappings(stack, call);
  const triggers = { callAs, objectsAs, runtime, vended, db, report, onWrite: dynamodb.onWrite };
  const idle =
    options.eventSourceMappings === false ? async () => {} : startTriggers(stack, mappings, triggers, closers);
  return {
    ...{ endpoint: endpointUrl(), port, stack, faults, call, objects, roles, idle },
    async flushDeliveryStreams() {
      const streams = stack.resources.filter(({ type }) => type === 'AWS::KinesisFirehose::DeliveryStream');
      for (const { ref } of streams) await deliveries.flush(ref);
    },
    deployFunctions: () => runtime.renew(),
    servePages: served.mount,
    close: () => closers.close(),
  };
}

function dynamoDb(
  backEnd: string,
  dir: string,
  exports: { db: DatabaseSync; buckets: ObjectStore },
): Promise<DynamoDbBackEnd> | DynamoDbBackEnd {
  if (backEnd === 'embedded') return embeddedDynamoDb({ dir, exports });
  if (backEnd === 'local') return dynamoDbLocal({ dir, db: exports.db });
  if (URL.canParse(backEnd)) return remoteDynamoDb(backEnd);
  throw new Error(`--dynamodb: found "${backEnd}", expected embedded, local or a URL such as http://127.0.0.1:8000.`);
}

function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeAllConnections();
  return closed;
}
