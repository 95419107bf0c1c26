import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, bytesOf, loadedAtStart } from '../../../infra/aws/packaging/bundle.ts';
import { timingOf } from '../measure/rounds.ts';

const FUNCTIONS = ['ingest', 'predict', 'retrain', 'redrive', 'compare', 'history', 'rehearse'];

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

/** Time from import to ready of each function's bundle, each time in a new process, function after function. */
export async function coldStart({ quick }: { quick: boolean }) {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-cold-start-'));
  try {
    const bundles = await Promise.all(FUNCTIONS.map((name) => bundled(name, join(folder, name))));
    const runs = Array.from({ length: quick ? 4 : 15 }, () => bundles.map(({ file, name }) => start(file, name)));
    return Object.fromEntries(
      bundles.map(({ name, bundleBytes, startBytes }, index) => {
        const own = runs.flatMap((round) => round[index] ?? []);
        const cpu = timingOf(own.map(({ cpuMs }) => cpuMs));
        return [name, { bundleBytes, startBytes, cpu, wall: timingOf(own.map(({ wallMs }) => wallMs)) }];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A function's bundle, the bytes of all its files and of those that are loaded at its start. */
async function bundled(name: string, folder: string) {
  const module = `functions/${name}`;
  const { outputs } = (await bundle(process.cwd(), [module], folder)).metafile;
  return {
    name,
    file: join(folder, `${module}.mjs`),
    bundleBytes: bytesOf(outputs, Object.keys(outputs)),
    startBytes: bytesOf(outputs, loadedAtStart(outputs, module)),
  };
}

function start(file: string, name: string): { cpuMs: number; wallMs: number } {
  const flags = ['--input-type=module', '-e', SCRIPT, file, name];
  const { status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8', env: ENVIRONMENT });
  if (status !== 0) throw new Error(`${name} did not start: ${stderr}`);
  return JSON.parse(stderr.slice(stderr.lastIndexOf('{"cpuMs"')));
}
