import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectCopy } from '../../../given/aws/project-copy.ts';

const CLOCK = 'functions/clock.ts';
const NAME = 'bundled-here';
const DEFINITION = `shared/feature-groups/${NAME}.ts`;

const definition = (feature: string) => `
import { defineFeatureGroup, equals, fractional } from './define.ts';
export default defineFeatureGroup({
  name: '${NAME}', recordIdentifier: 'id', items: { kind: equals('reading') }, features: { ${feature}: fractional() },
});
`;

/** A function that loads the definition. More of them would show nothing more, and take longer. */
const REAL = 'functions/ingest.ts';

/** A project of its own, with a real function and one more: nothing else changes files while its bundles are made. */
let project: string;

beforeAll(async () => {
  project = await projectCopy('bundled');
  for (const file of await readdir(join(project, 'functions'))) {
    if (`functions/${file}` !== REAL) await rm(join(project, 'functions', file));
  }
  await writeFile(
    join(project, CLOCK),
    `import { late } from '../shared/late.ts';

interface Given { readonly fails: boolean }

export async function handler({ fails }: Given) {
  if (fails) late();
  return 'on time';
}
`,
  );
  await writeFile(
    join(project, 'shared/late.ts'),
    `export function late(): never {
  throw new RangeError('late');
}
`,
  );
  await writeFile(join(project, DEFINITION), definition('celsius'));
  await rest();
});

/** The bundles, which lie with those of the project that the tests run in. */
const made = new Set<string>();

afterAll(async () => {
  for (const folder of [...made, project]) await rm(folder, { recursive: true, force: true });
});

/** Long enough for a file's time to lie before that of a bundle that is begun after it. */
const rest = () => new Promise((done) => setTimeout(done, 20));

/** Runs a module of the project in a process of its own, and gives what it prints, as JSON. */
async function running<Printed>(lines: string): Promise<Printed> {
  const script = `import { bundledFunctions } from './infra/local/functions/bundled-functions.ts';${lines}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: project,
  });
  return JSON.parse(stdout);
}

async function bundled(featureGroup: string): Promise<string> {
  const folder = await running<string>(`
    console.log(JSON.stringify(await bundledFunctions(${JSON.stringify(featureGroup)})));`);
  made.add(folder);
  return folder;
}

test('functions are bundled once, and again when a file that they were made of has changed', async () => {
  const [first, again] = [await bundled(NAME), await bundled(NAME)];
  expect(again).toBe(first);
  await appendFile(join(project, 'shared/late.ts'), '// A comment.\n');
  await rest();
  const changed = await bundled(NAME);
  expect(changed).not.toBe(first);
  // Functions that run from the old one may still load what they have not loaded yet.
  expect(existsSync(join(first, 'functions/clock.mjs'))).toBe(true);
  expect(await bundled(NAME)).toBe(changed);
});

test('a bundle has the definition that it is for: another definition, or a changed one, is another bundle', async () => {
  const celsius = await bundled(NAME);
  expect(await bundled('bank-marketing')).not.toBe(celsius);
  await writeFile(join(project, DEFINITION), definition('kelvin'));
  expect(await bundled(NAME)).not.toBe(celsius);
  await writeFile(join(project, DEFINITION), definition('celsius'));
  expect(await bundled(NAME)).toBe(celsius);
});

test('a bundle that was made while a file was written is not used again', async () => {
  const future = new Date(Date.now() + 3_600_000);
  await utimes(join(project, CLOCK), future, future);
  const [first, again] = [await bundled(NAME), await bundled(NAME)];
  expect(again).not.toBe(first);
  const past = new Date(Date.now() - 3_600_000);
  await utimes(join(project, CLOCK), past, past);
});

test('bundles that are asked for at once are made one after another', async () => {
  await appendFile(join(project, CLOCK), '// Another.\n');
  await rest();
  const [one, two, other] = await running<string[]>(`
    const asked = ['${NAME}', '${NAME}', 'bank-marketing'];
    console.log(JSON.stringify(await Promise.all(asked.map((it) => bundledFunctions(it)))));`);
  for (const folder of [one, two, other]) made.add(String(folder));
  expect(two).toBe(one);
  expect(await readFile(join(String(other), 'functions/clock.mjs'), 'utf8')).toContain('on time');
});

test('a bundle that somebody has removed is made again', async () => {
  const first = await bundled(NAME);
  await rm(first, { recursive: true });
  const again = await bundled(NAME);
  expect(existsSync(join(again, 'functions/clock.mjs'))).toBe(true);
});

test('the trace of an error names the lines that people wrote', async () => {
  const folder = await bundled(NAME);
  const printed = await running<{ trace: string[] }>(`
    const { ExecutionEnvironment } = await import('./infra/local/lambda/execution-environment.ts');
    const lambda = {
      ...{ name: 'clock', handlerFile: '${folder}/functions/clock.mjs', exportName: 'handler' },
      ...{ environment: {}, timeoutSeconds: 5, memoryMB: 128, aliases: [], url: false },
    };
    const environment = new ExecutionEnvironment(lambda, 'http://127.0.0.1:1', () => {});
    const answer = await environment.invoke('1', '{"fails":true}');
    console.log(JSON.stringify(answer.error));
    await environment.close();`);
  expect(printed.trace[0]).toBe('RangeError: late');
  expect(printed.trace[1]).toMatch(/shared\/late\.ts:2:9/);
  expect(printed.trace[2]).toMatch(/functions\/clock\.ts:6/);
});
