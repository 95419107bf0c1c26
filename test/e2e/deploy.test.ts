import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNT } from '../../infra/local/protocol/arn.ts';
import {
  everything,
  keysOf,
  leaveTraining,
  makeNeighbors,
  makeStack,
  NEIGHBORS,
  protect,
  readTable,
} from '../fixtures/moto/account.ts';
import { OSLS_CACHES } from '../given/aws/osls-caches.ts';
import { may, stages, statementsOfRole } from '../given/aws/pipeline-roles.ts';
import { PROJECT, projectCopy } from '../given/aws/project-copy.ts';
import { permissionsOf, recordedCalls } from '../given/aws/recorded-calls.ts';

/** The deploy path against moto's CloudFormation. It runs no function, and knows some types by name only. */

const MOTO = fileURLToPath(new URL('../fixtures/moto/server.py', import.meta.url));
const RECORDER = fileURLToPath(new URL('../fixtures/moto/recorder.cjs', import.meta.url));
const DEFINITION = 'shared/feature-groups/bank-marketing.ts';

const hasMoto = spawnSync('python3', ['-c', 'import moto.server']).status === 0;
if (!hasMoto) console.warn('SKIPPED: serverless deploy, info, update and remove: Python has no moto[server].');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

describe.skipIf(!hasMoto)('a stack', () => {
  let dir: string;
  let moto: ChildProcess;
  let said = '';
  let endpoint: string;

  function run(command: string, argv: readonly string[]) {
    const env = {
      PATH: `${join(PROJECT, 'node_modules/.bin')}:${process.env.PATH}`,
      HOME: dir,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'nobody',
      AWS_SECRET_ACCESS_KEY: 'nothing',
      NODE_OPTIONS: `--require ${RECORDER}`,
      RECORDED_CALLS: join(dir, 'calls.jsonl'),
      ...OSLS_CACHES,
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
    };
    return promisify(execFile)(command, argv, { cwd: dir, env });
  }

  /** What osls says, whether it succeeds or not. */
  async function serverless(...argv: string[]): Promise<string> {
    const osls = join(dir, 'node_modules/osls/bin/serverless.js');
    const { stdout, stderr } = await run(process.execPath, [osls, ...argv]).catch(
      (error: Error & { stdout: string; stderr: string }) => error,
    );
    return `${stdout}${stderr}`;
  }

  /** Runs the command as a person does, with the example's definition. The last of two equal options counts. */
  async function remove(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const stack = ['--definition', 'bank-marketing', '--stage', 'dev', '--region', 'us-east-1'];
    const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'remove', '--', ...stack, ...options]).then(
      (ran) => ({ code: 0, ...ran }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    return { code, stdout, stderr };
  }

  const lock = () => readFile(join(dir, DEFINITION.replace('.ts', '.lock.json')), 'utf8');

  const edit = async (change: (definition: string) => string) =>
    writeFile(join(dir, DEFINITION), change(await readFile(join(dir, DEFINITION), 'utf8')));

  beforeAll(async () => {
    dir = await projectCopy('deploy');
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    moto = spawn('python3', [MOTO, String(port), join(dir, 'refused')], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [moto.stdout, moto.stderr]) stream?.on('data', (chunk) => (said += chunk));
    const up = () =>
      fetch(`${endpoint}/moto-api/`).then(
        () => true,
        () => false,
      );
    for (const deadline = Date.now() + 60_000; !(await up()); await sleep(200)) {
      if (Date.now() > deadline || moto.exitCode !== null) throw new Error(`moto does not start:\n${said}`);
    }
  });

  afterAll(async () => {
    moto?.kill();
    const byName = [...said.matchAll(/^name only: (.+)$/gm)].map(([, type]) => type);
    console.warn(`NOT PROVEN by moto, which knows them by name only: ${byName.join(', ')}`);
    await rm(dir, { recursive: true, force: true });
  });

  it('leaves nothing behind when a first deployment fails in the middle', async () => {
    await writeFile(join(dir, 'refused'), 'AWS::SageMaker::FeatureGroup');
    const output = await serverless('deploy');
    expect(output).toContain('AWS::SageMaker::FeatureGroup is refused, as the test asks');
    expect(output).not.toContain('Service deployed');
    // Where osls uploads to is in the stack that it made first.
    const [bucket, ...others] = await everything(endpoint);
    expect(bucket).toMatch(/^bucket tributary-bank-marketin-serverlessdeploymentbucket-/);
    expect(others).toEqual(['stack tributary-bank-marketing-dev']);
  });

  it('is deployed by the second try, and its info shows it', async () => {
    expect(await serverless('deploy', '--force')).toContain('Service deployed to stack tributary-bank-marketing-dev');
    expect(await serverless('info')).toContain('stack: tributary-bank-marketing-dev');
  });

  it('is updated when a definition gains a feature, by the second try too when the first is rolled back', async () => {
    await edit((it) => it.replace('features: {', 'features: { extra: fractional({ optional: true, since: 2 }),'));
    await writeFile(join(dir, 'refused'), 'AWS::Lambda::Version');
    const refused = await serverless('deploy');
    expect(refused).toContain('has new features (extra Fractional)');
    expect(refused).toContain('AWS::Lambda::Version is refused, as the test asks');
    expect(refused).not.toContain('Service deployed');
    expect(await lock()).not.toContain('extra Fractional');
    // Of what was rolled back osls may find that it is deployed.
    const deployed = await serverless('deploy', '--force');
    expect(deployed).toContain('Service deployed to stack tributary-bank-marketing-dev');
    expect(deployed).toContain('bank-marketing.lock.json says what is deployed now: commit it.');
    expect(await lock()).toContain('extra Fractional');
  });

  it('is left alone by a change that would replace what holds data: it is refused by name', async () => {
    await edit((it) => it.replace('extra: fractional', 'extra: integral'));
    expect(await serverless('deploy')).toContain('extra was Fractional and is Integral');
    await edit((it) => it.replace('extra: integral', 'extra: fractional'));
  });

  it('is not taken over by another feature group or stage whose names fold to its own, nor given ARNs of another account', async () => {
    const file = join(dir, 'shared/feature-groups/bank.ts');
    const definition = (await readFile(join(dir, DEFINITION), 'utf8')).replace(
      "name: 'bank-marketing'",
      "name: 'bank'",
    );
    await writeFile(file, definition.replace("table: 'bank-marketing'", "table: 'bank'"));
    const topic = 'arn:aws:sns:us-east-1:999999999999:alarms';
    const options = ['--param', 'featureGroup=bank', '--stage', 'marketing-dev', '--param', `alarmTopicArn=${topic}`];
    const said = await serverless('deploy', ...options);
    expect(said).toContain(
      'the stack tributary-bank-marketing-dev is there already, of the feature group bank-marketing in the stage dev',
    );
    expect(said).toContain('alarmTopicArn is of the account 999999999999');
    expect(said).not.toContain('Service deployed');
    await rm(file);
    expect(existsSync(file.replace('.ts', '.lock.json')), 'what was not deployed has no lock').toBe(false);
  });

  it('is only looked at by remove without --yes, which says what it would remove and what it would keep', async () => {
    await leaveTraining(endpoint);
    await makeNeighbors(endpoint);
    const before = await everything(endpoint);
    const { code, stdout } = await remove();
    expect(code).toBe(0);
    for (const line of [
      'Would remove tributary-bank-marketing-dev:',
      /execution +arn:.*:execution:tributary-bank-marketing-dev-retraining:/,
      /training job +tributary-bank-marketing-dev-e2-a1-t1\n/,
      /transform job +tributary-bank-marketing-dev-e2-a1-t1-new\n/,
      /endpoint +tributary-bank-marketing-dev \(InService\)/,
      /endpoint config +tributary-bank-marketing-dev-e1-a1-t0\n/,
      /model +tributary-bank-marketing-dev-e1-a1-t0\n/,
      /alarm +tributary-bank-marketing-dev-e1-a1-t0-errors\n/,
      /stack +tributary-bank-marketing-dev \(UPDATE_COMPLETE\)/,
      /bucket +tributary-bank-marketing-dev-databucket-/,
      /table +bank-marketing\n/,
      'Nothing was removed. Add --yes to remove all of this; there is no way back.',
    ]) {
      expect(stdout).toMatch(line);
    }
    expect(await everything(endpoint)).toEqual(before);
  });

  it('keeps its table when a function of another stack reads it', async () => {
    const stopReading = await readTable(endpoint);
    const { stdout } = await remove();
    expect(stdout).toMatch(/Would keep:\n +table +bank-marketing, as tributary-bank-marketing-dev-eu-ingest reads it/);
    expect(stdout).not.toMatch(/table +bank-marketing\n/);
    await stopReading();
  });

  it('is removed as far as it goes, and what is in the way is named', async () => {
    await protect(endpoint, 'bank-marketing', true);
    const { code, stdout, stderr } = await remove('--yes');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^Error: Deleting table bank-marketing failed \(.*DeletionProtectionEnabled.*\)\. Mend that, and run this again\.$/m,
    );
    expect(await serverless('info')).toContain('does not exist');
  });

  it('is removed to the end by the same command, whose way on the stack no longer shows; neighbors stay', async () => {
    await protect(endpoint, 'bank-marketing', false);
    // As pipelines call it.
    const { stdout } = await run('infra/aws/remove-all.sh', ['bank-marketing', 'dev', 'us-east-1']);
    expect(stdout).toMatch(/^Removed tributary-bank-marketing-dev:\n(.*\n)* +table +bank-marketing\n/);
    expect(stdout).toMatch(/Kept:\n(.*\n)* +log groups +\/aws\/sagemaker/);
    expect(await everything(endpoint)).toEqual(NEIGHBORS);
    expect(await keysOf(endpoint, 'tributary-bank-marketing-dev-eu-databucket')).toEqual(['theirs']);
  });

  it('is removed again to no effect', async () => {
    const { code, stdout } = await remove('--yes');
    expect([code, stdout]).toEqual([0, 'Nothing is left of tributary-bank-marketing-dev.\n']);
    expect(await everything(endpoint)).toEqual(NEIGHBORS);
  });

  it('is not taken for another one whose names differ in a hyphen only', async () => {
    await makeStack(endpoint, 'tributary-bank-marketing-eu-prod', 'bank-marketing-eu');
    const { code, stderr } = await remove('--yes', '--stage', 'eu-prod');
    expect(code).toBe(1);
    expect(stderr).toContain('is of feature group bank-marketing-eu, not of bank-marketing');
  });

  it.each(stages)(
    'was deployed and removed by no call that the $name’s build may not make',
    ({ name, region, codeBuild }) => {
      const statements = statementsOfRole(codeBuild);
      // Nothing but the live test is removed by a pipeline.
      const calls = recordedCalls(join(dir, 'calls.jsonl')).filter(
        ({ by }) => by === 'serverless.js' || name === 'live test',
      );
      expect(new Set(calls.map(({ by }) => by)).size).toBe(name === 'live test' ? 2 : 1);
      const refused = calls
        .flatMap((it) => permissionsOf(it, { region, account: ACCOUNT }))
        .filter(({ action, resource }) => !may(statements, region, action, resource));
      expect(refused).toEqual([]);
    },
  );
});
