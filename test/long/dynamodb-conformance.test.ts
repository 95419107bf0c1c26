import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dynamoDbUnderTest, type Fetched, fetchSuite } from '../given/local/peers-suite.ts';
import { served } from '../given/served.ts';

/**
 * nubo-db/dynamodb-conformance (MIT): what its authors recorded of AWS, held against the embedded DynamoDB. It is
 * fetched, never kept here.
 */
const SUITE = {
  repository: process.env.DYNAMODB_CONFORMANCE_REPOSITORY ?? 'https://github.com/nubo-db/dynamodb-conformance',
  commit: '0ba4393668860db921afa5728feffe68b55e3e93',
};

/** Fewest of its 601 tests that pass, all of tiers 1 and 2 among them. */
const PASSED_MIN = 590;

interface Results {
  readonly numPassedTests: number;
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

let suite: Fetched;

beforeAll(async () => {
  suite = await fetchSuite(SUITE);
});
afterAll(() => suite.remove());

test('the embedded DynamoDB conforms to what was recorded of AWS', async ({ skip }) => {
  if (suite.missing !== undefined) skip();
  const { name, open } = dynamoDbUnderTest();
  const backEnd = await open();
  const cloud = await served(backEnd.services);
  const report = join(suite.dir, 'results.json');
  const reported = ['--reporter=json', `--outputFile=${report}`];
  await suite.run('npx', ['vitest', 'run', ...reported], { DYNAMODB_ENDPOINT: cloud.endpoint });
  await cloud.close();
  await backEnd.close();
  const { numPassedTests, numTotalTests, testResults } = JSON.parse(await readFile(report, 'utf8')) as Results;
  const failed = testResults.flatMap((file) =>
    file.assertionResults.filter((it) => it.status === 'failed').map((it) => `${file.name}: ${it.fullName}`),
  );
  console.log(`${name}: ${numPassedTests} of ${numTotalTests} of dynamodb-conformance passed\n${failed.join('\n')}`);
  expect(failed.filter((it) => /tests\/tier[12]\//.test(it))).toEqual([]);
  expect(numPassedTests).toBeGreaterThanOrEqual(PASSED_MIN);
});
