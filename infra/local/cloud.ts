import type { Server } from 'node:http';
import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { athena } from './athena/athena.ts';
import { GlueCatalog } from './athena/catalog.ts';
import { cloudWatch } from './cloudwatch/cloudwatch.ts';
import type { DynamoDbBackEnd } from './dynamodb/back-end.ts';
import { dynamoDbLocal } from './dynamodb/dynamodb-local.ts';
import { embeddedDynamoDb } from './dynamodb/embedded.ts';
import { remoteDynamoDb } from './dynamodb/remote.ts';
import { startEventSourceMapping } from './event-source-mapping/event-source-mapping.ts';
import { featureStore } from './feature-store/feature-store.ts';
import type { TieRule } from './feature-store/online-store.ts';
import { firehose } from './firehose/firehose.ts';
import type { LambdaFunction } from './lambda/function.ts';
import { type LambdaRuntime, lambdaRuntime } from './lambda/runtime.ts';
import { startSchedule } from './lambda/schedule.ts';
import { lambdaService } from './lambda/service.ts';
import { Faults } from './protocol/faults.ts';
import { callInProcess, HOST, serve } from './protocol/server.ts';
import type { Call, Service } from './protocol/service.ts';
import { s3 } from './s3/s3.ts';
import { sageMaker } from './sagemaker/sagemaker.ts';
import { eventSourceMappings, provision } from './stack/provision.ts';
import { loadStack, type Stack } from './stack/stack.ts';
import { stepFunctions } from './step-functions/step-functions.ts';
import { Closers } from './storage/closers.ts';
import { ObjectStore } from './storage/object-store.ts';
import { openStateFolder } from './storage/state-folder.ts';

const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

export interface CloudOptions {
  /** Folder of the state, which survives a restart. Made if it is not there. */
  readonly dir: string;
  /** Port of 127.0.0.1; 0 for one that is free. */
  readonly port: number;
  /** Name of a definition, or path to one. */
  readonly featureGroup: string;
  /** Values for `params` of serverless.yml, in place of its defaults. */
  readonly params?: Readonly<Record<string, string | number>>;
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
  /** Resolves when what was on the streams at the call, and what handling it put on streams, is handled. */
  idle(): Promise<void>;
  /** Delivers what Firehose has gathered, now. */
  flushDeliveryStreams(): Promise<void>;
  /** Deploys the functions again: they load the definition as it is now. Whoever invokes them notices nothing. */
  deployFunctions(): Promise<void>;
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
    throw error;
  }
}

async function start(options: CloudOptions, closers: Closers): Promise<Cloud> {
  const dir = resolve(options.dir);
  const { params, featureGroup, onLog = () => undefined } = options;
  const db = closers.add(await openStateFolder(dir), (it) => it.close());
  const stack = await loadStack({ featureGroup, ...(params && { params }) });
  const dynamodb = closers.add(await dynamoDb(options.dynamodb ?? 'embedded', dir, db), (it) => it.close());

  const faults = new Faults();
  const services: Service[] = [];
  const call = callInProcess(services, faults);
  const objects = new ObjectStore(join(dir, 's3'));
  const features = featureStore({ db, faults, tieRule: options.tieRule ?? 'greater' });
  const deliveries = closers.add(firehose({ objects, db, faults }), (it) => it.close());
  const catalog = new GlueCatalog();
  const queries = closers.add(athena({ objects, catalog, dir, db }), (it) => it.close());
  const alarms = cloudWatch({ db });
  const models = closers.add(sageMaker({ db, objects, alarmStateOf: alarms.stateOf }), (it) => it.close());
  alarms.onChange(models.onAlarm);

  // What calls the other services over the wire is stopped before the server, and so added after it.
  let port = 0;
  const endpoint = () => `http://${HOST}:${port}`;
  const runtime = lambdaRuntime({ functions: stack.functions.map(asLambda), endpointUrl: endpoint, onLog });
  const executions = stepFunctions({ db, call });
  services.push(...dynamodb.services, features.service, deliveries.service, queries.service, executions.service);
  const lambda = { ...lambdaService(runtime), operations: { Invoke: invokeInProcess(runtime) } };
  services.push(...models.services, alarms.service, lambda, s3({ objects }).service);
  const served = await serve(services, faults, options.port);
  closers.add(served.server, closeServer);
  port = served.port;
  closers.add(lambda, (it) => it.close?.());
  closers.add(executions, (it) => it.close());

  await provision(stack, {
    ...{ call, objects, catalog, featureStore: features, firehose: deliveries },
    ...{ athena: queries, stepFunctions: executions },
  });
  const report = (problem: string) => onLog('local cloud', problem);
  const triggers = { call, runtime, objects, db, report, onWrite: dynamodb.onWrite };
  const idle = options.eventSourceMappings === false ? async () => {} : await startTriggers(stack, triggers, closers);
  return {
    ...{ endpoint: endpoint(), port, stack, faults, call, objects, idle },
    async flushDeliveryStreams() {
      const streams = stack.resources.filter(({ type }) => type === 'AWS::KinesisFirehose::DeliveryStream');
      for (const { ref } of streams) await deliveries.flush(ref);
    },
    deployFunctions: () => runtime.renew(),
    close: () => closers.close(),
  };
}

function dynamoDb(backEnd: string, dir: string, db: DatabaseSync): Promise<DynamoDbBackEnd> | DynamoDbBackEnd {
  if (backEnd === 'embedded') return embeddedDynamoDb({ dir, db });
  if (backEnd === 'local') return dynamoDbLocal({ dir, db });
  if (URL.canParse(backEnd)) return remoteDynamoDb(backEnd);
  throw new Error(`--dynamodb: found "${backEnd}", expected embedded, local or a URL such as http://127.0.0.1:8000.`);
}

function asLambda({ handler, ...it }: Stack['functions'][number]): LambdaFunction {
  const [, module = '', exportName = ''] = /^(.*)\.([^./]+)$/.exec(handler) ?? [];
  const { name, environment, timeoutSeconds, memoryMB } = it;
  return { name, environment, timeoutSeconds, memoryMB, exportName, handlerFile: join(PROJECT_FOLDER, `${module}.ts`) };
}

/** Invoke for callers in this process (Step Functions); over the wire it is lambdaService's. */
function invokeInProcess(runtime: LambdaRuntime) {
  return async ({ FunctionName, Payload }: { FunctionName: string; Payload: string }) => {
    const { payload, functionError } = await runtime.invoke(FunctionName, Payload);
    return { StatusCode: 200, Payload: payload, ...(functionError && { FunctionError: functionError }) };
  };
}

interface TriggerDeps {
  readonly call: Call;
  readonly runtime: LambdaRuntime;
  readonly objects: ObjectStore;
  readonly db: DatabaseSync;
  readonly report: (problem: string) => void;
  readonly onWrite: DynamoDbBackEnd['onWrite'];
}

/** Starts event source mappings and schedules; gives what waits for the streams to be handled. */
async function startTriggers(stack: Stack, deps: TriggerDeps, closers: Closers): Promise<() => Promise<void>> {
  const { runtime, report, ...rest } = deps;
  const invoke = (functionName: string, payload: string) => runtime.invoke(functionName, payload);
  const mappings = (await eventSourceMappings(stack, deps.call)).map((mapping) =>
    closers.add(startEventSourceMapping(mapping, { ...rest, invoke, report }), (it) => it.stop()),
  );
  for (const { name, schedules } of stack.functions) {
    for (const schedule of schedules) {
      closers.add(
        startSchedule(schedule, (payload) => invoke(name, payload), report),
        (stop) => stop(),
      );
    }
  }
  return async () => {
    // Handling one table's stream writes to the next one's: as many rounds as there are streams reach the last.
    for (const _ of mappings) await Promise.all(mappings.map((mapping) => mapping.idle()));
  };
}

function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeAllConnections();
  return closed;
}
