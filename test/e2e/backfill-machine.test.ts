import { once } from 'node:events';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import { readFileProgress } from '../../shared/state/backfill/progress.ts';
import { readBackfill } from '../../shared/state/backfill/run.ts';
import { runScript } from '../given/command.ts';
import { type Backfill, backfill, tellBackfill, workerOf } from '../given/history/backfill-story.ts';

const STORY = { items: 2_400, kills: 1, rate: 120, lifeMs: 1_000, pauseMs: 100 };

/** How long until the table is exported and a file is begun, and how often to look, in milliseconds. */
const BEGUN = { timeout: 180_000, interval: 500 };

/** The command is interrupted, and then the execution is stopped while its workers are at their files. */
const byMachine: Backfill = async ({ dynamodb, stateTable }, { rate }) => {
  const table = { name: stateTable, dynamodb };
  const child = backfill(['--state-machine', '--workers', '3', '--rate', String(rate)]);
  await expect.poll(() => workerOf(dynamodb, stateTable), BEGUN).toMatch(/:execution:tributary-.*-backfill:/);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(code).not.toBe(0);
  const owner = await workerOf(dynamodb, stateTable);
  expect((await runScript('backfill', ['--status'])).stdout).toMatch(/the state machine works on it \(.+\): arn:/);
  expect((await runScript('backfill', ['--state-machine'])).stderr).toContain('A backfill is under way');

  const { runId = '' } = (await readBackfill(table)) ?? {};
  const lineOf = async () => (await readFileProgress(table, { runId, file: '000-000000' }))?.line ?? 0;
  await expect.poll(lineOf, BEGUN).toBeGreaterThan(0);
  const sfn = new SFNClient();
  await sfn.send(new StopExecutionCommand({ executionArn: owner }));
  sfn.destroy();
  return runScript('backfill', ['--state-machine', '--resume', '--workers', '3']);
};

test('a state machine exports the table, is stopped and taken up again, and ends equal, with labels counted once', () =>
  tellBackfill(STORY, async () => [], byMachine));
