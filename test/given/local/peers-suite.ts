import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import type { DynamoDbBackEnd } from '../../../infra/local/dynamodb/back-end.ts';
import { dynamoDbLocal } from '../../../infra/local/dynamodb/dynamodb-local.ts';
import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import { remoteDynamoDb } from '../../../infra/local/dynamodb/remote.ts';

/** A test suite of another project: it is fetched at a commit and run, never kept here. */
export interface PeersSuite {
  readonly repository: string;
  readonly commit: string;
  /** Packages that its tests do not need, and that take long to install. */
  readonly without?: readonly string[];
}

/** Most bytes that a suite may print. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const run = promisify(execFile);

/** A suite's folder, with what it needs installed. */
export interface Fetched {
  readonly dir: string;
  /** Why it could not be fetched. */
  readonly missing: string | undefined;
  /** Runs a program in the folder. That it fails means that a test does: its report says which. @returns what it prints. */
  run(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string>;
  remove(): Promise<void>;
}

export async function fetchSuite({ repository, commit, without = [] }: PeersSuite): Promise<Fetched> {
  const dir = await mkdtemp(join(tmpdir(), 'peers-suite-'));
  let missing: string | undefined;
  try {
    await run('git', ['clone', '--quiet', repository, dir]);
    await run('git', ['checkout', '--quiet', commit], { cwd: dir });
    // Its lock file may name versions of AWS's SDK that not every registry has.
    await rm(join(dir, 'package-lock.json'), { force: true });
    await leaveOut(join(dir, 'package.json'), without);
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: dir });
  } catch (error) {
    missing = (error as Error).message.split('\n').slice(0, 2).join(' ');
    console.warn(`SKIPPED: ${repository} could not be fetched: ${missing}`);
  }
  return {
    dir,
    missing,
    async run(program, args, more) {
      const env = { ...process.env, ...more, VITEST: undefined };
      const ended = run(program, args, { cwd: dir, env, maxBuffer: OUTPUT_BYTES_MAX });
      const { stdout } = await ended.catch((error: { stdout?: string }) => error);
      return stdout ?? '';
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

async function leaveOut(file: string, packages: readonly string[]): Promise<void> {
  const found = JSON.parse(await readFile(file, 'utf8')) as { devDependencies: Record<string, string> };
  for (const name of packages) delete found.devDependencies[name];
  await writeFile(file, JSON.stringify(found));
}

/** Which DynamoDB the suites are held against: DYNAMODB_UNDER_TEST, as --dynamodb takes it. Default: embedded. */
export function dynamoDbUnderTest(): { name: string; open(): Promise<DynamoDbBackEnd> } {
  const name = process.env.DYNAMODB_UNDER_TEST ?? 'embedded';
  return {
    name,
    async open() {
      if (name === 'embedded') return embeddedDynamoDb();
      return name === 'local' ? dynamoDbLocal({ db: new DatabaseSync(':memory:') }) : remoteDynamoDb(name);
    },
  };
}
