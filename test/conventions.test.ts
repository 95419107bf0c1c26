import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** The project's conventions, each with what to do instead. */

const FOLDERS = ['functions', 'shared', 'infra', 'test'];
const LINES_PER_FILE_MAX = 300;
/** Words that name no idea: a file is named for what it means or what it talks to. */
const EMPTY_NAMES = /^(utils?|helpers?|common|services?|types?|misc|lib)$/;

const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|cjs|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name)),
).map((path) => ({ path, text: readFileSync(path, 'utf8') }));

const sources = files.filter(({ path }) => !path.startsWith('test/'));

/** Files of this project that a file imports, statically or by a literal path. */
function importsOf({ path, text }: { path: string; text: string }): string[] {
  const specifiers = text.matchAll(/(?:from|import|require)\s*\(?\s*'(\.[^']+)'/g);
  return [...specifiers].map(([, specifier = '']) => normalize(join(dirname(path), specifier)));
}

const violations = (check: (file: { path: string; text: string }) => string | undefined, among = files) =>
  among.flatMap((file) => check(file) ?? []);

test('imports point one way: functions -> shared, infra/local alone, test sees everything', () => {
  const allowed: Record<string, RegExp> = {
    functions: /^(functions|shared)\//,
    shared: /^shared\//,
    'infra/aws': /^(infra\/aws|shared)\//,
    'infra/terminal': /^infra\/terminal\//,
    'infra/local': /^(infra\/local|shared\/definition)\//,
    'infra/demo': /^(infra\/(demo|local|terminal)|shared\/feature-groups)\//,
    'infra/commands': /^(infra\/(commands|demo|local|aws|terminal)|shared)\//,
  };
  const found = violations((file) => {
    const place = Object.keys(allowed).find((folder) => file.path.startsWith(`${folder}/`)) ?? '';
    const wrong = importsOf(file).filter((path) => !allowed[place]?.test(path));
    return wrong.length > 0 ? `${file.path} imports ${wrong.join(', ')}` : undefined;
  }, sources);
  expect(found).toEqual([]);
});

test('process.env is read in shared/config/variables.ts and nowhere else in what ships: add the variable there', () => {
  const found = violations(
    ({ path, text }) => (text.includes('process.env') && path !== 'shared/config/variables.ts' ? path : undefined),
    sources.filter(({ path }) => /^(functions|shared)\//.test(path)),
  );
  expect(found).toEqual([]);
});

test('nothing that ships asks whether it runs locally: make it configuration', () => {
  const found = violations(
    ({ path, text }) => (/\b(isLocal|IS_LOCAL|localhost|127\.0\.0\.1|infra\/local)\b/.test(text) ? path : undefined),
    sources.filter(({ path }) => /^(functions|shared)\//.test(path)),
  );
  expect(found).toEqual([]);
});

test('only the definition, the demo and the default of commands know about banks: take it from the definition', () => {
  const places = /^(shared\/feature-groups\/bank-marketing\.ts|infra\/demo\/|infra\/commands\/|test\/)/;
  const found = violations(({ path, text }) =>
    !places.test(path) && /bank|poutcome|euribor|telephone/i.test(text) ? path : undefined,
  );
  expect(found).toEqual([]);
});

test('files are named for what they mean or talk to, and there are no barrels', () => {
  const found = violations(({ path }) => {
    const names = path
      .split('/')
      .slice(1)
      .map((name) => name.replace(/\..*$/, ''));
    const wrong = names.find((name) => EMPTY_NAMES.test(name) || name === 'index');
    return wrong === undefined || path.endsWith('service.ts') ? undefined : `${path}: "${wrong}" says nothing`;
  });
  expect(found).toEqual([]);
});

test(`files have at most ${LINES_PER_FILE_MAX} lines: split by idea`, () => {
  const found = violations(({ path, text }) => {
    const lines = text.split('\n').length;
    return lines > LINES_PER_FILE_MAX ? `${path}: ${lines} lines` : undefined;
  }, sources);
  expect(found).toEqual([]);
});

test('no file is dead: each is imported, deployed, or a command', () => {
  const deployed = ['serverless.yml', 'package.json', 'infra/aws/pipeline.yml', 'infra/aws/remove-all.sh']
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const imported = new Set(files.flatMap(importsOf));
  const found = violations(({ path }) => {
    const used =
      imported.has(path) ||
      deployed.includes(path) ||
      deployed.includes(path.replace(/\.ts$/, '.handler')) ||
      path.startsWith('shared/feature-groups/') ||
      // Worker threads are started by the name of their file.
      files.some(({ path: other, text }) => other !== path && text.includes(`${path.split('/').at(-1)}'`));
    return used ? undefined : path;
  }, sources);
  expect(found).toEqual([]);
});

test('nothing is left to be done later: finish it or take it out', () => {
  const words = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|XX${'X'})\\b`);
  expect(violations(({ path, text }) => (words.test(text) ? path : undefined))).toEqual([]);
});
