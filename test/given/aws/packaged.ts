import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { OSLS_CACHES } from './osls-caches.ts';

export const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
export const TEMPLATE = 'cloudformation-template-update-stack.json';

/** What the templates may be warned of, and nothing else. */
const KNOWN: readonly RegExp[] = [
  // osls writes a dependency that the role's ARN says already.
  /^W3005/,
  // Newer than cfn-lint's list of actions. Source: the client of Feature Store's runtime.
  /^W3037 '(batchwriterecord|listrecords)' is not one of/,
  // It is GetAtt already: AWS's validator takes one for a Ref when the role has a path.
  /^E3050 \w+: Ref to IAM role/,
];

/** How a shell, and pyenv's door to a program, say that there is no such program. */
const NOT_FOUND = 127;

/**
 * What osls says, whether it packages or refuses. Neither credentials nor a network are needed: every address leads
 * nowhere.
 *
 * @param home folder of the settings that osls looks for.
 */
export async function packaged(home: string, folder: string, ...options: string[]): Promise<string> {
  const osls = join(PROJECT, 'node_modules/osls/bin/serverless.js');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    HTTPS_PROXY: 'http://127.0.0.1:9',
    ...OSLS_CACHES,
    SLS_TELEMETRY_DISABLED: '1',
  };
  const argv = [osls, 'package', '--package', folder, ...options];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, argv, { cwd: PROJECT, env }).catch(
    (error: Error & { stdout: string; stderr: string }) => error,
  );
  return stdout + stderr;
}

/** What AWS's validator warns of, by file. @param expected of these files alone. */
export function validatorWarnings(files: readonly string[], expected: readonly RegExp[] = []): string[] {
  const engine = new RegoEngine();
  const found = files.flatMap((file) => {
    const { diagnostics } = engine.validateStandard(new TemplateFile(file), { severityLevel: 'WARN' });
    const warnings = diagnostics.map((it) => `${it.ruleId} ${it.entity?.logicalId}: ${it.message}`);
    return warnings
      .filter((it) => !isKnown(it) && !expected.some((known) => known.test(it)))
      .map((it) => `${file}: ${it}`);
  });
  engine.free();
  return found;
}

/** What cfn-lint says of templates, a line each; undefined when it is not installed. */
export function lintWarnings(files: readonly string[], ...options: string[]): string[] | undefined {
  const argv = ['--format', 'parseable', ...options, '--', ...files];
  const { stdout, stderr, status, error } = spawnSync('cfn-lint', argv, { encoding: 'utf8' });
  if (error !== undefined || status === NOT_FOUND) return undefined;
  const lines = `${stderr}${stdout}`.split('\n').filter((line) => line !== '');
  return lines.filter((line) => {
    const [, rule, message] = /^.+?(?::\d+){4}:(\w+):(.*)$/.exec(line) ?? [];
    return !isKnown(`${rule} ${message}`);
  });
}

const isKnown = (warning: string) => KNOWN.some((it) => it.test(warning));
