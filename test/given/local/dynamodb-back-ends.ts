import { spawnSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { DynamoDbBackEnd } from '../../../infra/local/dynamodb/back-end.ts';
import { dynamoDbLocal, dynamoDbLocalJar, hasJava } from '../../../infra/local/dynamodb/dynamodb-local.ts';
import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import { remoteDynamoDb } from '../../../infra/local/dynamodb/remote.ts';
import { dynamoDbProcess } from './dynamodb-process.ts';

/** An implementation the contract is held against, or why it is not here. */
export interface BackEndUnderTest {
  readonly name: string;
  readonly missing: string | undefined;
  /** Names of the rules it is known not to keep. */
  readonly deviations: readonly string[];
  open(): Promise<DynamoDbBackEnd>;
}

const noJar = dynamoDbLocalJar() ? undefined : 'no jar (DYNAMODB_LOCAL_JAR)';
const hasMoto = spawnSync('python3', ['-c', 'import moto.server'], { stdio: 'ignore' }).status === 0;
const MOTO = fileURLToPath(new URL('../../fixtures/moto/one-at-a-time.py', import.meta.url));

export const backEnds: readonly BackEndUnderTest[] = [
  {
    name: 'embedded',
    missing: undefined,
    deviations: [],
    open: () => embeddedDynamoDb(),
  },
  {
    name: 'DynamoDB Local',
    missing: noJar ?? (hasJava() ? undefined : 'no Java'),
    deviations: ['a page holds at most 1 MB'],
    open: () => dynamoDbLocal({ db: new DatabaseSync(':memory:') }),
  },
  {
    name: 'moto server',
    missing: hasMoto ? undefined : 'Python has no moto[server]',
    deviations: [
      'an update carries the images before and after, whatever it returns to its caller',
      'a write that changes nothing puts no record on the stream',
      'times are whole seconds, within the write, and the same when read again',
      'a batch write puts one record on the stream for each item it changed',
      'a page holds at most 1 MB',
      'trailing zeros of a number are not kept',
      'a stream cannot be enabled twice, and one enabled anew is another stream',
      'the shard of a deleted table is closed, and can still be read',
      'a stream or shard that is not there is said to be not found',
    ],
    open: openMoto,
  },
];

async function openMoto(): Promise<DynamoDbBackEnd> {
  const { endpoint, close } = await dynamoDbProcess('python3', (port) => [MOTO, String(port)]);
  return { ...remoteDynamoDb(endpoint), close };
}
