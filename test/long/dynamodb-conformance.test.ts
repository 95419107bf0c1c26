import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedDynamoDb } from '../../infra/local/dynamodb/embedded.ts';
import { served } from '../given/served.ts';

/**
 * nubo-db/dynamodb-conformance (MIT): what its authors recorded of AWS, held against the embedded DynamoDB. It is
 * fetched, never kept here.
 */
const REPOSITORY = process.env.DYNAMODB_CONFORMANCE_REPOSITORY ?? 'https://github.com/nubo-db/dynamodb-conformance';
const COMMIT = '0ba4393668860db921afa5728feffe68b55e3e93';
const MINUTES_MAX = 20;

/** Fewest of its 601 tests that pass, all of tiers 1 and 2 among them. */
const PASSED_MIN = 590;

interface Results {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

const run = promisify(execFile);
let dir: string;
let unfetched: string | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dynamodb-conformance-'));
  try {
    await run('git', ['clone', '--quiet', REPOSITORY, dir]);
    await run('git', ['checkout', '--quiet', COMMIT], { cwd: dir });
    // Its lock file names versions of AWS's SDK that not every registry has.
    await rm(join(dir, 'package-lock.json'));
    await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: dir });
  } catch (error) {
    unfetched = (error as Error).message.split('\n').slice(0, 2).join(' ');
  }
}, MINUTES_MAX * 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

test(
  'the embedded DynamoDB conforms to what was recorded of AWS',
  async ({ skip }) => {
    if (unfetched !== undefined) {
      console.warn(`SKIPPED: dynamodb-conformance could not be fetched: ${unfetched}`);
      skip();
    }
    const backEnd = await embeddedDynamoDb();
    const cloud = await served(backEnd.services);
    const report = join(dir, 'results.json');
    const env = { ...process.env, DYNAMODB_ENDPOINT: cloud.endpoint, VITEST: undefined };
    // It fails while a single test fails: the report says which.
    await run('npx', ['vitest', 'run', '--reporter=json', `--outputFile=${report}`], { cwd: dir, env }).catch(() => {});
    await cloud.close();
    await backEnd.close();
    const { numPassedTests, testResults } = JSON.parse(await readFile(report, 'utf8')) as Results;
    const failed = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.filter((it) => it.status === 'failed').map((it) => `${name}: ${it.fullName}`),
    );
    expect(failed.filter((it) => /tests\/tier[12]\//.test(it))).toEqual([]);
    expect(numPassedTests).toBeGreaterThanOrEqual(PASSED_MIN);
  },
  MINUTES_MAX * 60_000,
);
