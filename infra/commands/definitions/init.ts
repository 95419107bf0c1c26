import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { sampleItem } from '../../aws/live-test/sample-item.ts';
import { type Draft, definitionName, draft } from '../../draft/draft.ts';
import { kindsOf } from '../../draft/entity.ts';
import { givenKey, guessKey } from '../../draft/key.ts';
import { type Sample, sampleFile, sampleTable } from '../../draft/sample.ts';
import { definitionText, testText } from '../../draft/text.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import { note } from '../../terminal/note.ts';
import { regionOption, wholeNumber } from '../../terminal/options.ts';
import { settingsOfEnvironment } from '../target.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const SAMPLE = 1_000;
const SAMPLE_MAX = 100_000;

/** The key attribute of items that have none. */
const MADE_UP_KEY = 'id';

export const command = newCommand(
  'init',
  'Writes a definition that takes in every item of a sample, with what it guessed and why, and a first test. It overwrites nothing.',
)
  .option('--table <TABLE>', 'the table that items are read from; with --items, its name')
  .option(
    '--items <FILE>',
    "items in place of a table's: JSON lines, a JSON array, of DynamoDB's JSON or plain, or CSV",
  )
  .option('--sample <N>', 'items to look at, at most', wholeNumber('sample', 1, SAMPLE_MAX), SAMPLE)
  .option(
    '--key <ATTRIBUTES>',
    'key attributes of the items of a file, with a comma between them; without it, what tells them apart',
  )
  .option('--kind <TEXT>', 'of several kinds of items, the one to describe; without it, the most frequent one')
  .option('--name <NAME>', 'name of the definition; without it, that of the table or file')
  .option('--out <FILE>', 'file of the definition; without it, shared/feature-groups/<NAME>.ts')
  .addOption(regionOption())
  .action(exiting(init));

interface InitOptions {
  readonly table?: string | undefined;
  readonly items?: string | undefined;
  readonly sample: number;
  readonly key?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly out?: string | undefined;
  readonly region?: string | undefined;
}

async function init(options: InitOptions): Promise<number> {
  const { table, items, name: named } = options;
  if (table === undefined && items === undefined) {
    throw new Error('Say where the items are: --table TABLE, or --items FILE.');
  }
  const of = table ?? basename(items ?? '', extname(items ?? ''));
  const name = named ?? definitionName(of);
  const file = resolve(options.out ?? join(PROJECT, 'shared/feature-groups', `${name}.ts`));
  const test = options.out
    ? file.replace(/\.ts$/, '.test.ts')
    : join(PROJECT, 'test/unit/feature-groups', `${name}.test.ts`);
  for (const it of [file, test]) {
    if (existsSync(it))
      throw new Error(`${relative('.', it)} is there already, and nothing is overwritten: give another --name.`);
  }
  const sample = await sampleOf(options);
  if (sample.items.length === 0) throw new Error(`The table ${of} has no items to guess a definition from.`);
  const drafted = draftOf(sample, { ...options, name, table: of });
  const source = items === undefined ? `the table ${of}` : `the file ${basename(items)}`;
  await write(file, definitionText(drafted, moduleFrom(file, 'shared/feature-groups/define.ts'), source));
  await write(
    test,
    testText(drafted, sampleItem(drafted.group, 'me'), {
      definition: moduleFrom(test, file),
      replayEvents: moduleFrom(test, 'infra/replay/replay-events.ts'),
      streamOf: moduleFrom(test, 'infra/replay/stream-records.ts'),
    }),
  );
  await format([file, test]);
  console.log(told(drafted, relative('.', file), relative('.', test)).join('\n'));
  return 0;
}

async function sampleOf({ table = '', items, sample, region }: InitOptions): Promise<Sample> {
  if (items !== undefined) return sampleFile(items, sample);
  const settings = { ...settingsOfEnvironment(), ...(region !== undefined && { region }) };
  const dynamodb = new DynamoDBClient(settings);
  note(`Table ${table}, region ${await dynamodb.config.region()}: at most ${sample} items are read`);
  return sampleTable(dynamodb, table, sample).finally(() => dynamodb.destroy());
}

function draftOf(sample: Sample, options: InitOptions & { readonly name: string; readonly table: string }): Draft {
  const { items, isStreamed } = sample;
  const given = options.key?.split(',').map((it) => it.trim());
  const known = sample.key ?? (given ? givenKey(items, given) : guessKey(items));
  // Items of a file may have none, as rows of a spreadsheet: an application gives them one when it writes them.
  const key = known ?? [{ name: MADE_UP_KEY, type: 'S' as const }];
  const keyed = known ? items : items.map((item, index) => ({ ...item, [MADE_UP_KEY]: { S: String(index + 1) } }));
  const kinds = kindsOf(
    items,
    key.map((it) => it.name),
  );
  const { kind: wanted } = options;
  const kind = wanted === undefined ? kinds[0] : kinds.find(({ text }) => text === wanted);
  if (wanted !== undefined && !kind) {
    const found = kinds.map(({ text }) => text).join(', ') || 'only one';
    throw new Error(`--kind: found "${wanted}", and the kinds of items are: ${found}.`);
  }
  const { name, table } = options;
  return draft(keyed, {
    name,
    table,
    key,
    isKeyMadeUp: !known,
    kinds: kind ? [kind, ...kinds.filter((it) => it !== kind)] : [],
    isStreamed,
  });
}

/** How a file imports a module of the project, or another file. */
function moduleFrom(file: string, module: string): string {
  const path = relative(dirname(file), resolve(PROJECT, module));
  return path.startsWith('.') ? path : `./${path}`;
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  // Whoever made it meanwhile keeps it.
  await writeFile(file, text, { flag: 'wx' });
}

/** As the project's own formatter has it, so that `npm run check` has nothing to say. */
async function format(files: readonly string[]): Promise<void> {
  const biome = join(PROJECT, 'node_modules/.bin/biome');
  const config = ['--config-path', PROJECT, '--vcs-enabled=false'];
  await promisify(execFile)(biome, ['check', '--write', ...config, ...files]).catch(
    (error: Error & { stderr?: string }) => {
      note(`The files are written, but not formatted: ${error.stderr ?? error.message}`);
    },
  );
}

function told({ items, features, label, notes }: Draft, file: string, test: string): string[] {
  return [
    `${file}: ${features.length} features${label ? `, label ${label.name}` : ''}, of ${items} items, each of which it takes in.`,
    `${test}: a first test.`,
    ...(notes.length > 0 ? ['', 'Look at:', ...notes.map((it) => `- ${it}`)] : []),
  ];
}

if (import.meta.main) await runCommand(command);
