import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Suite } from './peers-suite.ts';

const SCRIPT = new URL('../../fixtures/clients/dynamodb.py', import.meta.url).pathname;

/** Calls of an application by boto3, this project's own. The script takes seconds; one that takes this long hangs. */
const HANGS_MS = 300_000;

export const boto3: Suite = {
  name: 'boto3',
  async prepare() {
    const isThere = spawnSync('python3', ['-c', 'import boto3']).status === 0;
    return {
      missing: isThere ? undefined : 'python3 with boto3 is not there',
      async run(endpoint) {
        const { stdout } = await promisify(execFile)('python3', [SCRIPT, endpoint], { timeout: HANGS_MS });
        return stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { check: string; problem: string })
          .map(({ check, problem }) => ({ name: check, ...(problem !== '' && { problem }) }));
      },
      remove: async () => undefined,
    };
  },
};
