import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OSLS_CACHES } from '../given/aws/osls-caches.ts';

/** The deploy path against moto's CloudFormation. It runs no function, and knows some types by name only. */

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const MOTO = fileURLToPath(new URL('../fixtures/moto/server.py', import.meta.url));
const DEFINITION = 'shared/feature-groups/bank-marketing.ts';

const hasMoto = spawnSync('python3', ['-c', 'import moto.server']).status === 0;
if (!hasMoto) console.warn('SKIPPED: serverless deploy, info, update and remove: Python has no moto[server].');

const hasAwsCli = spawnSync('aws', ['--version']).status === 0;
if (hasMoto && !hasAwsCli) console.warn('SKIPPED: infra/aws/remove-all.sh: the AWS CLI is not installed.');

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

  const edit = async (change: (definition: string) => string) =>
    writeFile(join(dir, DEFINITION), change(await readFile(join(dir, DEFINITION), 'utf8')));

  beforeAll(async () => {
    // A copy, as a definition is changed in it.
    dir = await mkdtemp(join(tmpdir(), 'tributary-deploy-'));
    await mkdir(join(dir, 'infra'));
    for (const part of ['serverless.yml', 'package.json', 'functions', 'shared', 'infra/aws', 'infra/commands']) {
      await cp(join(PROJECT, part), join(dir, part), { recursive: true });
    }
    await symlink(join(PROJECT, 'node_modules'), join(dir, 'node_modules'));
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    moto = spawn('python3', [MOTO, String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
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

  it('is deployed, and its info shows it', async () => {
    expect(await serverless('deploy')).toContain('Service deployed to stack tributary-bank-marketing-dev');
    expect(await serverless('info')).toContain('stack: tributary-bank-marketing-dev');
  });

  it('is updated when a definition gains a feature, which the lock then remembers', async () => {
    await edit((it) => it.replace('features: {', 'features: { extra: fractional({ optional: true, since: 2 }),'));
    const output = await serverless('deploy');
    expect(output).toContain('has new features (extra Fractional)');
    expect(output).toContain('Service deployed to stack tributary-bank-marketing-dev');
  });

  it('is left alone by a change that would replace what holds data: it is refused by name', async () => {
    await edit((it) => it.replace('extra: fractional', 'extra: integral'));
    expect(await serverless('deploy')).toContain('extra was Fractional and is Integral');
    await edit((it) => it.replace('extra: integral', 'extra: fractional'));
  });

  it.skipIf(hasAwsCli)('is removed', async () => {
    expect(await serverless('remove')).toContain('has been successfully removed');
    expect(await serverless('info')).toContain('does not exist');
  });

  it.skipIf(!hasAwsCli)('is removed with all that outlives it: remove, then its buckets and tables', async () => {
    const { stdout } = await run('infra/aws/remove-all.sh', ['bank-marketing', 'dev', 'us-east-1']);
    expect(stdout).toMatch(
      /^Removed tributary-bank-marketing-dev, its buckets \(.*databucket.*\) and its tables \(.*\)/m,
    );
    expect(await serverless('info')).toContain('does not exist');
    const left = await run('aws', ['dynamodb', 'list-tables', '--region', 'us-east-1', '--output', 'text']);
    expect(left.stdout.trim()).toBe('');
  });
});
