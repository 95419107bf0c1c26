import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };

const { scripts } = manifest;
const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** Longest that a command may take on a machine that is busy with other tests, in milliseconds. */
const TIMEOUT_MS = 240_000;

/**
 * Runs one of the project's commands to its end as `npm run` does: its script, in a shell, with the project's tools on the
 * path. The start of npm itself takes as long as that of most commands.
 *
 * @param tmpdir where it keeps what it keeps for a while.
 */
export function runScript(
  name: keyof typeof scripts,
  args: string[],
  tmpdir?: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const PATH = `${PROJECT_FOLDER}node_modules/.bin:${process.env.PATH}`;
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-c', `${scripts[name]} "$@"`, name, ...args],
      { cwd: PROJECT_FOLDER, timeout: TIMEOUT_MS, env: { ...process.env, PATH, ...(tmpdir && { TMPDIR: tmpdir }) } },
      (error, stdout, stderr) => {
        const killed = error?.signal ? `\nIt was ended by ${error.signal}.` : '';
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr: `${stderr}${killed}` });
      },
    );
  });
}
