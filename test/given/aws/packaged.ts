import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { OSLS_CACHES } from './osls-caches.ts';

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
 * What osls says when it packages a project. Neither credentials nor a network are needed: every address leads nowhere.
 *
 * @param project a copy of the project, also the folder of the settings that osls looks for.
 * @param folder where to the package goes, within the project or beside it.
 * @throws Error with what osls says when it refuses.
 */
export async function packaged(project: string, folder: string, ...options: string[]): Promise<string> {
  const { code, said } = await osls(project, folder, options);
  if (code !== 0) throw new Error(said);
  return said;
}

/** What osls says when it refuses to package a project, as `packaged` has it. @throws Error when it packages it. */
export async function refusedPackage(project: string, folder: string, ...options: string[]): Promise<string> {
  const { code, said } = await osls(project, folder, options);
  if (code === 0) throw new Error(`It was packaged:\n${said}`);
  return said;
}

async function osls(project: string, folder: string, options: readonly string[]) {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: project,
    HTTPS_PROXY: 'http://127.0.0.1:9',
    ...OSLS_CACHES,
    SLS_TELEMETRY_DISABLED: '1',
  };
  const argv = [join(project, 'node_modules/osls/bin/serverless.js'), 'package', '--package', folder, ...options];
  const { code, stdout, stderr } = await promisify(execFile)(process.execPath, argv, { cwd: project, env }).then(
    (ran) => ({ code: 0, ...ran }),
    (error: Error & { code: number; stdout: string; stderr: string }) => error,
  );
  return { code, said: stdout + stderr };
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
