import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A DynamoDB that does not answer this long after its start will not, in milliseconds. */
const START_MS_MAX = 50_000;

/** A DynamoDB in a process of its own. */
export interface DynamoDbProcess {
  readonly endpoint: string;
  readonly pid: number;
  close(): Promise<void>;
}

/**
 * Starts a program that serves DynamoDB on a port of 127.0.0.1, and waits until it answers.
 *
 * @throws Error when it does not.
 */
export async function dynamoDbProcess(
  program: string,
  argumentsAt: (port: number) => readonly string[],
  cwd?: string,
): Promise<DynamoDbProcess> {
  const port = await freePort();
  const server = spawn(program, argumentsAt(port), { stdio: 'ignore', ...(cwd !== undefined && { cwd }) });
  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_MS_MAX;
  while (!(await fetch(endpoint).catch(() => undefined))) {
    if (Date.now() > deadline || server.exitCode !== null) throw new Error(`${program} does not answer at ${endpoint}`);
    await sleep(100);
  }
  return {
    endpoint,
    pid: server.pid ?? 0,
    async close() {
      const exited = once(server, 'exit');
      server.kill();
      await exited;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
