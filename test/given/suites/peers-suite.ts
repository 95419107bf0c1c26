import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import type { DynamoDbBackEnd } from '../../../infra/local/dynamodb/back-end.ts';
import { dynamoDbLocal } from '../../../infra/local/dynamodb/dynamodb-local.ts';
import { embeddedDynamoDb } from '../../../infra/local/dynamodb/embedded.ts';
import { remoteDynamoDb } from '../../../infra/local/dynamodb/remote.ts';
import { served } from '../served.ts';

/** What one test has come to. */
export interface Tested {
  readonly name: string;
  /** Why it failed. Undefined: it passed. */
  readonly problem?: string;
}

/** Tests that a DynamoDB can be held to at an endpoint. */
export interface Suite {
  readonly name: string;
  /** Gets what the suite needs. `from` is a folder of clones, in place of GitHub. */
  prepare(from?: string): Promise<PreparedSuite>;
}
export interface PreparedSuite {
  /** Why it cannot be run. */
  readonly missing: string | undefined;
  run(endpoint: string): Promise<readonly Tested[]>;
  remove(): Promise<void>;
}

/** A test suite of another project: it is fetched at a commit and run, never kept here. */
interface PeersSuite {
  /** Owner and name on GitHub. */
  readonly repository: string;
  readonly commit: string;
  /** Packages that its tests do not need, and that take long to install. */
  readonly without?: readonly string[];
  /** Runs it in its folder. */
  run(fetched: Fetched, endpoint: string): Promise<readonly Tested[]>;
}

/** A suite's folder, with what it needs installed. */
export interface Fetched {
  readonly dir: string;
  /** Runs a program in the folder. That it fails means that a test does: its report says which. @returns what it prints. */
  run(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string>;
}

/** A test that takes this long hangs, in milliseconds. Suites' own limits of a few seconds are for an idle machine. */
export const HANGS_MS = '300000';

/** Most bytes that a suite may print. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const run = promisify(execFile);

/** A suite that is fetched from GitHub, or from a folder of clones that have the names of their repositories. */
export function peersSuite(name: string, { repository, commit, without = [], run: runIn }: PeersSuite): Suite {
  return {
    name,
    async prepare(from) {
      const dir = await mkdtemp(join(tmpdir(), 'peers-suite-'));
      const source = from === undefined ? `https://github.com/${repository}` : resolve(from, basename(repository));
      const missing = await fetchInto(dir, source, { commit, without }).then(
        () => undefined,
        (error: Error) => `${source} could not be fetched: ${error.message.split('\n').slice(0, 2).join(' ')}`,
      );
      const fetched: Fetched = {
        dir,
        async run(program, args, more) {
          const env = { ...process.env, ...more, VITEST: undefined };
          const ended = run(program, args, { cwd: dir, env, maxBuffer: OUTPUT_BYTES_MAX });
          const { stdout } = await ended.catch((error: { stdout?: string }) => error);
          return stdout ?? '';
        },
      };
      return {
        missing,
        run: (endpoint) => runIn(fetched, endpoint),
        remove: () => rm(dir, { recursive: true, force: true }),
      };
    },
  };
}

/** @throws Error when it cannot be cloned, or what it needs cannot be installed. */
async function fetchInto(
  dir: string,
  source: string,
  { commit, without }: Required<Pick<PeersSuite, 'commit' | 'without'>>,
): Promise<void> {
  await run('git', ['clone', '--quiet', source, dir]);
  await run('git', ['checkout', '--quiet', commit], { cwd: dir });
  // Its lock file may name versions of AWS's SDK that not every registry has.
  await rm(join(dir, 'package-lock.json'), { force: true });
  await leaveOut(join(dir, 'package.json'), without);
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: dir });
}

async function leaveOut(file: string, packages: readonly string[]): Promise<void> {
  const found = JSON.parse(await readFile(file, 'utf8')) as { devDependencies: Record<string, string> };
  for (const name of packages) delete found.devDependencies[name];
  await writeFile(file, JSON.stringify(found));
}

/**
 * Holds a DynamoDB to a suite: that of DYNAMODB_UNDER_TEST, which is what --dynamodb takes, or the embedded one.
 * SUITES is a folder of clones, in place of GitHub.
 *
 * @returns undefined where the suite cannot be run, which is said then.
 */
export async function testedBy(suite: Suite): Promise<readonly Tested[] | undefined> {
  const { DYNAMODB_UNDER_TEST: name = 'embedded', SUITES } = process.env;
  const prepared = await suite.prepare(SUITES);
  try {
    if (prepared.missing !== undefined) {
      console.warn(`SKIPPED: ${suite.name}: ${prepared.missing}`);
      return undefined;
    }
    const backEnd = await dynamoDbNamed(name);
    const cloud = await served(backEnd.services);
    const tested = await prepared.run(cloud.endpoint);
    await cloud.close();
    await backEnd.close();
    const failed = tested.filter(({ problem }) => problem !== undefined);
    const lines = failed.map((it) => `${it.name}: ${it.problem}`);
    console.log(`${name}: ${tested.length - failed.length} of ${tested.length} of ${suite.name}\n${lines.join('\n')}`);
    return tested;
  } finally {
    await prepared.remove();
  }
}

function dynamoDbNamed(name: string): Promise<DynamoDbBackEnd> | DynamoDbBackEnd {
  if (name === 'embedded') return embeddedDynamoDb();
  return name === 'local' ? dynamoDbLocal({ db: new DatabaseSync(':memory:') }) : remoteDynamoDb(name);
}
