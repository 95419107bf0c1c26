import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startCloud } from '../../../../infra/local/cloud.ts';

const ORDERS = new URL('../../../fixtures/feature-groups/orders.ts', import.meta.url).pathname;
const SCRIPT = new URL('../../../fixtures/clients/calls.py', import.meta.url).pathname;
const STACK = 'tributary-orders-v2-dev';

/** Longest that all calls may take, in milliseconds: the CLI starts Python anew for each of its own. */
const CALLS_MS_MAX = 180_000;

const isThere =
  spawnSync('python3', ['-c', 'import boto3']).status === 0 && spawnSync('aws', ['--version']).status === 0;
if (!isThere)
  console.warn('SKIPPED: boto3 and the AWS CLI against the local cloud: python3 with boto3, and aws, are not there');

/** What is refused, each with what its message says to do. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'iam list_roles': /infra\/aws/,
  'ssm get_parameter': /serverless\.yml/,
  'sqs list_queues': /redrive/,
  'sns list_topics': /DescribeAlarms/,
  'events list_rules': /serverless\.yml/,
  'kms list_keys': /kmsKeyArn/,
  'tagging get_resources': /ListTags/,
  'sagemaker search': /ListTrainingJobs/,
};

test.skipIf(!isThere)(
  'boto3 and the AWS CLI read every answer and every refusal',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tributary-clients-'));
    const cloud = await startCloud({ dir, port: 0, featureGroup: ORDERS });
    try {
      const { stdout } = await promisify(execFile)('python3', [SCRIPT, cloud.endpoint, STACK], {
        timeout: CALLS_MS_MAX,
      });
      const calls = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { call: string; outcome: string; text: string });
      expect(calls.length).toBeGreaterThan(40);
      const refused = calls.filter(({ call }) => REFUSED[call]);
      expect(calls.filter((it) => !refused.includes(it) && it.outcome !== 'answered')).toEqual([]);
      expect(refused.map(({ call }) => call).sort()).toEqual(Object.keys(REFUSED).sort());
      for (const { call, outcome, text } of refused) {
        expect(outcome, call).toBe('NotImplementedException');
        expect(text).toMatch(REFUSED[call] ?? /never/);
      }
    } finally {
      await cloud.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
  CALLS_MS_MAX,
);
