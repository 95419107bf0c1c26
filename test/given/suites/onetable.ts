import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJestReport } from './jest-report.ts';
import { HANGS_MS, peersSuite } from './peers-suite.ts';

/** Its own configuration starts DynamoDB Local, and checks the types of all of AWS's SDK. */
const CONFIG = `const { globalSetup, globalTeardown, ...config } = require('./jest.config.js');
const options = { diagnostics: false, isolatedModules: true };
module.exports = { ...config, transform: { '^.+\\\\.(js|ts)$': ['ts-jest', options] } };
`;

/** The suite of OneTable, a library over DynamoDB, as its authors run it against DynamoDB Local. */
export const oneTable = peersSuite('OneTable', {
  repository: 'sensedeep/dynamodb-onetable',
  commit: 'd0151dc65fb45508c5a6c232eca21dc40f1b395f',
  async run({ dir, run }, endpoint) {
    await writeFile(join(dir, 'jest.own.cjs'), CONFIG);
    const output = join(dir, 'results.json');
    const args = ['--config', 'jest.own.cjs', '--testTimeout', HANGS_MS, '--json', `--outputFile=${output}`];
    await run('npx', ['jest', ...args], { DYNAMODB_PORT: new URL(endpoint).port });
    return readJestReport(output, dir);
  },
});
