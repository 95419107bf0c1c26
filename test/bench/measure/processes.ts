import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** A section that takes longer has failed, such as one whose heap is too small to get on. */
const SECTION_MS_MAX = 600_000;

/** The young generation is made so large that measuring the heap needs no collection; all contestants have it. */
export const MEASURING = ['--max-semi-space-size=64'];

/** Modules are named from here. */
const BENCH_FOLDER = new URL('../', import.meta.url);

const hasTaskset = spawnSync('taskset', ['-V']).status === 0;

/** Runs a module of test/bench in a process of its own, on one core where that can be had: its argument list, JSON out. */
export function runApart<T>(module: string, args: readonly unknown[], nodeFlags: readonly string[]): T {
  const command = [process.execPath, ...nodeFlags, new URL(module, BENCH_FOLDER).pathname, JSON.stringify(args)];
  const pinned = hasTaskset ? ['taskset', '-c', String(availableParallelism() - 1), ...command] : command;
  const [file = '', ...rest] = pinned;
  const { status, stdout, stderr } = spawnSync(file, rest, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: SECTION_MS_MAX,
  });
  if (status !== 0) throw new Error(`${module} ended with ${status}: ${stderr.slice(-2_000)}`);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n', stdout.length - 2) + 1));
}

export interface RunningServer {
  readonly endpoint: string;
  close(): void;
}

/** Starts the server that answers everything. */
export async function startAnsweringServer({ delayMs = 0, tls = false } = {}): Promise<RunningServer> {
  const server = await startServer('measure/answering-server.ts', [String(delayMs), tls ? 'tls' : '']);
  return tls ? { ...server, endpoint: server.endpoint.replace('http:', 'https:') } : server;
}

/** Starts a server of test/bench, which prints its port, away from the core that is measured where there are several. */
export async function startServer(module: string, args: readonly string[] = []): Promise<RunningServer> {
  const child: ChildProcess = fork(new URL(module, BENCH_FOLDER), args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: [],
  });
  if (hasTaskset && availableParallelism() > 1) spawnSync('taskset', ['-cp', '0', String(child.pid)]);
  const port = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (text) => resolve(String(text).trim())),
  );
  return { endpoint: `http://127.0.0.1:${port}`, close: () => child.disconnect() };
}
