import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../infra/aws/bundle.ts';
import { timingOf } from './rounds.ts';

const FUNCTIONS = ['ingest', 'predict', 'retrain', 'redrive'];

/** From import to ready: the bundle is loaded, and ingest has answered an empty batch, for which it calls nobody. */
const SCRIPT = `
const start = process.cpuUsage(), wall = performance.now();
const { handler } = await import(process.argv[1]);
if (process.argv[2] === 'ingest') await handler({ Records: [] }, { getRemainingTimeInMillis: () => 60_000 });
const { user, system } = process.cpuUsage(start);
process.stderr.write(JSON.stringify({ cpuMs: (user + system) / 1000, wallMs: performance.now() - wall }));
`;

const ENVIRONMENT = {
  PATH: process.env.PATH,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  FEATURE_GROUP: 'bank-marketing',
  STATE_TABLE: 'state',
  CHANGE_LOG_STREAM: 'change-log',
  QUARANTINE_BUCKET: 'quarantine',
};

/** Time from import to ready of each function's bundle, each time in a new process. */
export async function coldStart({ quick }: { quick: boolean }) {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-cold-start-'));
  try {
    const results: Record<string, object> = {};
    for (const name of FUNCTIONS) {
      const options = bundleOptions(process.cwd(), `functions/${name}`, folder);
      await build(options);
      const file = options.outfile as string;
      const runs = Array.from({ length: quick ? 5 : 15 }, () => start(file, name));
      results[name] = {
        bundleBytes: statSync(file).size,
        cpu: timingOf(runs.map(({ cpuMs }) => cpuMs)),
        wall: timingOf(runs.map(({ wallMs }) => wallMs)),
      };
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function start(file: string, name: string): { cpuMs: number; wallMs: number } {
  const flags = ['--input-type=module', '-e', SCRIPT, file, name];
  const { status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8', env: ENVIRONMENT });
  if (status !== 0) throw new Error(`${name} did not start: ${stderr}`);
  return JSON.parse(stderr.slice(stderr.lastIndexOf('{"cpuMs"')));
}
