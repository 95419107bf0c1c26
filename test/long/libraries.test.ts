import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { dynamoDbUnderTest, type Fetched, fetchSuite, type PeersSuite } from '../given/local/peers-suite.ts';
import { served } from '../given/served.ts';

/** Suites of libraries over DynamoDB, as their authors run them against DynamoDB Local: fetched, never kept here. */

const ELECTRODB: PeersSuite = {
  repository: process.env.ELECTRODB_REPOSITORY ?? 'https://github.com/tywalch/electrodb',
  commit: '0ceff2015d85eae80b8eb951af7a706540b42fa2',
  without: ['aws-cdk-lib', 'browserify', 'coveralls', 'jest', 'nyc', 'sst', 'tsd', 'prettier', 'prettier-plugin-astro'],
};
const ONETABLE: PeersSuite = {
  repository: process.env.ONETABLE_REPOSITORY ?? 'https://github.com/sensedeep/dynamodb-onetable',
  commit: 'd0151dc65fb45508c5a6c232eca21dc40f1b395f',
};

/**
 * Failures of ElectroDB's suite that say nothing. One test expects attributes in the order of DynamoDB Local, which AWS
 * promises nowhere; one expects the full stop of DynamoDB Local after "The conditional request failed"; one expects the
 * words of DynamoDB Local for a Limit below 1; and its own limits of time are for an idle machine.
 */
const SAYING_NOTHING = [
  /transactWrite should perform transaction operation/,
  /Should trigger the setter of a watcher because the attribute being watched is supplied regardless/,
  /should throw if 'limit' option is less than one or not a valid number/,
  /Timeout of \d+ms exceeded/,
];

/** A test that takes this long hangs, in milliseconds. Their own limits of a few seconds are for an idle machine. */
const HANGS_MS = '300000';

/** OneTable's own configuration starts DynamoDB Local, and checks the types of all of AWS's SDK. */
const ONETABLE_CONFIG = `const { globalSetup, globalTeardown, ...config } = require('./jest.config.js');
const options = { diagnostics: false, isolatedModules: true };
module.exports = { ...config, transform: { '^.+\\\\.(js|ts)$': ['ts-jest', options] } };
`;

interface Outcome {
  readonly passed: number;
  readonly failed: readonly string[];
}

const fetched: Fetched[] = [];
afterAll(() => Promise.all(fetched.map((it) => it.remove())));

/** Runs a suite against the DynamoDB under test; undefined where it could not be fetched. */
async function outcomeOf(
  suite: PeersSuite,
  runSuite: (suite: Fetched, endpoint: string) => Promise<Outcome>,
): Promise<Outcome | undefined> {
  const own = await fetchSuite(suite);
  fetched.push(own);
  if (own.missing !== undefined) return undefined;
  const { name, open } = dynamoDbUnderTest();
  const backEnd = await open();
  const cloud = await served(backEnd.services);
  const outcome = await runSuite(own, cloud.endpoint);
  await cloud.close();
  await backEnd.close();
  const { passed, failed } = outcome;
  console.log(`${name}: ${passed} passed, ${failed.length} failed of ${suite.repository}\n${failed.join('\n')}`);
  return outcome;
}

async function runElectroDb(suite: Fetched, endpoint: string): Promise<Outcome> {
  const env = { LOCAL_DYNAMO_ENDPOINT: endpoint, TS_NODE_TRANSPILE_ONLY: 'true' };
  await suite.run('node', ['test/init.js', '--recreate'], env);
  const glob = ['-r', 'ts-node/register', '--timeout', HANGS_MS, 'test/*connected*.spec.*'];
  const printed = await suite.run('npx', ['mocha', ...glob, '--reporter', 'json'], env);
  // Tests print, too, before the report.
  const report = JSON.parse(printed.slice(printed.lastIndexOf('\n{\n  "stats"') + 1)) as {
    readonly stats: { readonly passes: number };
    readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
  };
  const failed = report.failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message?.split('\n')[0]}`);
  return { passed: report.stats.passes, failed };
}

async function runOneTable(suite: Fetched, endpoint: string): Promise<Outcome> {
  await writeFile(join(suite.dir, 'jest.own.cjs'), ONETABLE_CONFIG);
  const output = join(suite.dir, 'results.json');
  const args = ['--config', 'jest.own.cjs', '--testTimeout', HANGS_MS, '--json', `--outputFile=${output}`];
  await suite.run('npx', ['jest', ...args], { DYNAMODB_PORT: new URL(endpoint).port });
  const { numPassedTests, testResults } = JSON.parse(await readFile(output, 'utf8')) as {
    readonly numPassedTests: number;
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
    }[];
  };
  const failed = testResults.flatMap((file) => file.assertionResults.filter((it) => it.status === 'failed'));
  return { passed: numPassedTests, failed: failed.map((it) => it.fullName) };
}

describe('against the embedded DynamoDB', () => {
  test('OneTable holds to its own suite', async ({ skip }) => {
    const outcome = await outcomeOf(ONETABLE, runOneTable);
    if (!outcome) return skip();
    expect(outcome.failed).toEqual([]);
  });

  test('ElectroDB holds to the part of its own suite that calls DynamoDB', async ({ skip }) => {
    const outcome = await outcomeOf(ELECTRODB, runElectroDb);
    if (!outcome) return skip();
    expect(outcome.failed.filter((it) => !SAYING_NOTHING.some((known) => known.test(it)))).toEqual([]);
  });
});
