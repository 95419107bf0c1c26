import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** The project's conventions, each with what to do instead. */

const FOLDERS = ['functions', 'shared', 'infra', 'test'];
const LINES_PER_FILE_MAX = 300;
const FILES_PER_FOLDER_MAX = 14;
/** Words that name no idea: a file is named for what it means or what it talks to. */
const EMPTY_NAMES = /^(utils?|helpers?|common|services?|types?|misc|lib)$/;

/** Folders of rooms. */
const HOUSES = ['shared', 'infra', 'infra/aws', 'infra/local', 'infra/demo'];

/**
 * Rooms and what they may import besides themselves; docs/concepts/architecture.md says what each is for. A definition
 * is loaded by its name (shared/definition/import-definition.ts), which is no import.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'shared/calls': [],
  'shared/definition': [],
  'shared/bytes': ['shared/definition'],
  'shared/changes': ['shared/definition'],
  'shared/feature-groups': ['shared/definition'],
  'shared/model': ['shared/definition'],
  'shared/quarantine': ['shared/calls'],
  'shared/change-log': ['shared/bytes', 'shared/calls', 'shared/changes', 'shared/definition'],
  'shared/prediction-log': ['shared/bytes', 'shared/calls', 'shared/change-log'],
  'shared/history': [
    'shared/bytes',
    'shared/calls',
    'shared/change-log',
    'shared/changes',
    'shared/definition',
    'shared/delivery',
    'shared/online-store',
    'shared/sinks',
    'shared/state',
  ],
  'shared/online-store': ['shared/bytes', 'shared/changes', 'shared/definition'],
  'shared/prediction': ['shared/calls', 'shared/definition', 'shared/model'],
  'shared/state': ['shared/calls', 'shared/changes', 'shared/definition', 'shared/model'],
  'shared/promotion': ['shared/calls', 'shared/definition', 'shared/model', 'shared/state'],
  'shared/sinks': [
    'shared/calls',
    'shared/change-log',
    'shared/changes',
    'shared/definition',
    'shared/online-store',
    'shared/quarantine',
    'shared/state',
  ],
  'shared/config': ['shared/promotion'],
  'shared/delivery': [
    'shared/calls',
    'shared/changes',
    'shared/definition',
    'shared/online-store',
    'shared/sinks',
    'shared/state',
  ],
  'shared/training': [
    'shared/calls',
    'shared/change-log',
    'shared/definition',
    'shared/model',
    'shared/promotion',
    'shared/state',
  ],
  'shared/rehearsal': [
    'shared/bytes',
    'shared/changes',
    'shared/definition',
    'shared/delivery',
    'shared/online-store',
    'shared/quarantine',
  ],
  functions: [
    'shared/calls',
    'shared/changes',
    'shared/config',
    'shared/definition',
    'shared/delivery',
    'shared/history',
    'shared/model',
    'shared/prediction',
    'shared/prediction-log',
    'shared/quarantine',
    'shared/rehearsal',
    'shared/sinks',
    'shared/state',
    'shared/training',
  ],
  'infra/aws/cost': [],
  'infra/local/protocol': [],
  'infra/terminal': ['shared/definition'],
  'infra/aws/cloudformation': ['shared/definition', 'shared/model'],
  'infra/aws/definitions': ['infra/terminal', 'shared/definition'],
  'infra/local/cloudwatch': ['infra/local/protocol'],
  'infra/local/dynamodb': ['infra/local/protocol'],
  'infra/local/feature-store': ['infra/local/protocol'],
  'infra/local/storage': ['infra/local/protocol'],
  'infra/local/step-functions': ['infra/local/protocol', 'infra/local/storage'],
  'infra/aws/everywhere': ['infra/aws/cloudformation'],
  'infra/local/application-autoscaling': ['infra/local/protocol'],
  'infra/aws/checks': [
    'infra/aws/cloudformation',
    'infra/terminal',
    'shared/config',
    'shared/definition',
    'shared/training',
  ],
  'infra/local/athena': ['infra/local/protocol', 'infra/local/storage'],
  'infra/local/event-source-mapping': ['infra/local/protocol', 'infra/local/storage'],
  'infra/local/firehose': ['infra/local/protocol', 'infra/local/storage'],
  'infra/local/iam': ['infra/local/athena', 'infra/local/protocol', 'infra/local/storage'],
  'infra/local/lambda': ['infra/local/protocol'],
  'infra/local/s3': ['infra/local/protocol', 'infra/local/storage'],
  'infra/local/sagemaker': ['infra/local/cloudwatch', 'infra/local/protocol', 'infra/local/storage'],
  'infra/aws/live-test': [
    'infra/aws/cloudformation',
    'infra/aws/definitions',
    'infra/demo',
    'infra/terminal',
    'shared/change-log',
    'shared/changes',
    'shared/config',
    'shared/definition',
    'shared/state',
    'shared/training',
  ],
  'infra/local/stack': [
    'infra/aws/packaging',
    'infra/local/athena',
    'infra/local/cloudwatch',
    'infra/local/event-source-mapping',
    'infra/local/feature-store',
    'infra/local/firehose',
    'infra/local/iam',
    'infra/local/protocol',
    'infra/local/step-functions',
    'infra/local/storage',
    'shared/definition',
  ],
  'infra/local/functions': [
    'infra/aws/packaging',
    'infra/local/cloudwatch',
    'infra/local/dynamodb',
    'infra/local/event-source-mapping',
    'infra/local/iam',
    'infra/local/lambda',
    'infra/local/protocol',
    'infra/local/stack',
    'infra/local/storage',
    'shared/definition',
  ],
  'infra/insight': [
    'shared/calls',
    'shared/change-log',
    'shared/changes',
    'shared/config',
    'shared/definition',
    'shared/model',
    'shared/prediction-log',
    'shared/quarantine',
    'shared/state',
    'shared/training',
  ],
  'infra/console': ['infra/insight', 'infra/local/protocol', 'shared/definition', 'shared/model'],
  'infra/replay': [
    'functions',
    'infra/aws/data',
    'infra/local/dynamodb',
    'infra/local/feature-store',
    'infra/local/protocol',
    'infra/local/stack',
    'infra/local/storage',
    'shared/calls',
    'shared/changes',
    'shared/config',
    'shared/definition',
    'shared/delivery',
    'shared/rehearsal',
    'shared/state',
  ],
  'infra/draft': ['shared/changes', 'shared/definition', 'shared/feature-groups'],
  'infra/demo': ['infra/local/protocol', 'infra/local/stack', 'infra/terminal', 'shared/definition'],
  'infra/local': [
    'infra/local/application-autoscaling',
    'infra/local/athena',
    'infra/local/cloudwatch',
    'infra/local/dynamodb',
    'infra/local/event-source-mapping',
    'infra/local/feature-store',
    'infra/local/firehose',
    'infra/local/functions',
    'infra/local/iam',
    'infra/local/lambda',
    'infra/local/protocol',
    'infra/local/s3',
    'infra/local/sagemaker',
    'infra/local/stack',
    'infra/local/step-functions',
    'infra/local/storage',
  ],
  'infra/aws/history': ['infra/aws/cloudformation', 'shared/history'],
  'infra/aws/data': [
    'infra/aws/cloudformation',
    'shared/change-log',
    'shared/definition',
    'shared/history',
    'shared/prediction-log',
    'shared/quarantine',
    'shared/state',
    'shared/training',
  ],
  'infra/commands': [
    'infra/aws/checks',
    'infra/aws/cloudformation',
    'infra/aws/cost',
    'infra/aws/data',
    'infra/aws/definitions',
    'infra/aws/live-test',
    'infra/aws/packaging',
    'infra/console',
    'infra/demo',
    'infra/draft',
    'infra/insight',
    'infra/local',
    'infra/local/protocol',
    'infra/local/stack',
    'infra/local/storage',
    'infra/replay',
    'infra/terminal',
    'shared/calls',
    'shared/change-log',
    'shared/changes',
    'shared/config',
    'shared/definition',
    'shared/delivery',
    'shared/feature-groups',
    'shared/history',
    'shared/model',
    'shared/online-store',
    'shared/promotion',
    'shared/sinks',
    'shared/state',
    'shared/training',
  ],
  'infra/aws/retraining': ['infra/aws/cloudformation', 'infra/aws/data', 'shared/change-log', 'shared/training'],
  'infra/aws/watch': ['infra/aws/cloudformation', 'infra/aws/data', 'shared/definition'],
  'infra/aws/functions': [
    'infra/aws/cloudformation',
    'infra/aws/data',
    'infra/aws/retraining',
    'shared/change-log',
    'shared/definition',
    'shared/history',
    'shared/quarantine',
    'shared/state',
    'shared/training',
  ],
  'infra/aws': [
    'infra/aws/cloudformation',
    'infra/aws/data',
    'infra/aws/everywhere',
    'infra/aws/functions',
    'infra/aws/history',
    'infra/aws/retraining',
    'infra/aws/watch',
    'shared/definition',
    'shared/prediction-log',
  ],
  'infra/aws/packaging': [
    'infra/aws',
    'infra/aws/checks',
    'infra/aws/cloudformation',
    'infra/aws/data',
    'infra/aws/definitions',
    'infra/aws/functions',
    'shared/config',
    'shared/definition',
    'shared/feature-groups',
    'shared/model',
    'shared/training',
  ],
};

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

/** The room that a file stands in: the longest name in the table that its path begins with. */
const roomOf = (path: string): string =>
  Object.keys(ROOMS)
    .filter((room) => path.startsWith(`${room}/`))
    .sort((one, other) => other.length - one.length)[0] ?? '';

test('a file imports only rooms that its room may: move the shared part down, or hand it in', () => {
  const found = violations((file) => {
    const room = roomOf(file.path);
    const wrong = importsOf(file).filter((path) => roomOf(path) !== room && !ROOMS[room]?.includes(roomOf(path)));
    return wrong.length > 0 ? `${file.path} imports ${wrong.join(', ')}` : undefined;
  }, sources);
  expect(found).toEqual([]);
});

test('the table of rooms has no circle: what two rooms need of each other belongs in a room below both', () => {
  const below = new Set<string>();
  let above = Object.keys(ROOMS);
  for (let before = -1; above.length > 0 && above.length !== before; ) {
    before = above.length;
    for (const room of above) if (ROOMS[room]?.every((it) => below.has(it))) below.add(room);
    above = above.filter((room) => !below.has(room));
  }
  expect(above).toEqual([]);
});

test('every file stands in a room: a house holds folders, and at most one file, its door', () => {
  const loose = HOUSES.flatMap((house) => {
    const inside = sources.filter(({ path }) => dirname(path) === house).map(({ path }) => path);
    return inside.length > 1 || (inside.length > 0 && !(house in ROOMS)) ? inside : [];
  });
  expect([...loose, ...sources.flatMap(({ path }) => (roomOf(path) === '' ? path : []))]).toEqual([]);
});

test(`a folder holds at most ${FILES_PER_FOLDER_MAX} files: make a room`, () => {
  const folders = Map.groupBy(files, ({ path }) => dirname(path));
  const full = [...folders].filter(([, inside]) => inside.length > FILES_PER_FOLDER_MAX);
  expect(full.map(([folder, inside]) => `${folder}: ${inside.length} files`)).toEqual([]);
});

test('every room of the table is there: take out what has gone', () => {
  const inhabited = new Set(sources.map(({ path }) => roomOf(path)));
  expect(Object.keys(ROOMS).filter((room) => !inhabited.has(room))).toEqual([]);
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
