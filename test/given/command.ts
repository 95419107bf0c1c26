import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** Longest that a command may take on a machine that is busy with other tests, in milliseconds. */
const TIMEOUT_MS = 240_000;

/** Runs one of the project's commands as a user does, to its end; `tmpdir`: where it keeps what it keeps for a while. */
export function runScript(
  name: string,
  args: string[],
  tmpdir?: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      'npm',
      ['run', '--silent', name, '--', ...args],
      { cwd: PROJECT_FOLDER, timeout: TIMEOUT_MS, env: { ...process.env, ...(tmpdir && { TMPDIR: tmpdir }) } },
      (error, stdout, stderr) => {
        const killed = error?.signal ? `\nIt was ended by ${error.signal}.` : '';
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr: `${stderr}${killed}` });
      },
    );
  });
}
