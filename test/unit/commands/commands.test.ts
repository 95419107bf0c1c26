import { readFileSync } from 'node:fs';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { describe, expect, test } from 'vitest';
import { command as approve } from '../../../infra/commands/approve.ts';
import { command as cost } from '../../../infra/commands/cost.ts';
import { command as exportCommand } from '../../../infra/commands/data/export.ts';
import { command as features } from '../../../infra/commands/data/features.ts';
import { command as predict } from '../../../infra/commands/data/predict.ts';
import { command as sql } from '../../../infra/commands/data/sql.ts';
import { command as definition } from '../../../infra/commands/definitions/definition.ts';
import { command as record } from '../../../infra/commands/definitions/record.ts';
import { command as demo } from '../../../infra/commands/demo.ts';
import { command as local } from '../../../infra/commands/local.ts';
import { command as pause } from '../../../infra/commands/pause.ts';
import { command as redrive } from '../../../infra/commands/redrive.ts';
import { command as remove } from '../../../infra/commands/remove.ts';
import { command as replay } from '../../../infra/commands/replay.ts';
import { command as resume } from '../../../infra/commands/resume.ts';
import { command as retrain } from '../../../infra/commands/retrain.ts';
import { command as rollback } from '../../../infra/commands/rollback.ts';
import { command as consoleCommand } from '../../../infra/commands/serving/console.ts';
import { command as status } from '../../../infra/commands/status.ts';

const COMMANDS: Readonly<Record<string, CommandUnknownOpts>> = {
  ...{ approve, cost, demo, local, pause, redrive, remove, replay, resume, retrain, rollback, status },
  ...{ definition, record, console: consoleCommand, export: exportCommand, features, predict, sql },
};
/** Commands that stand in a folder of their own kind. */
const FOLDERS: Readonly<Record<string, string>> = {
  console: 'serving/',
  definition: 'definitions/',
  record: 'definitions/',
  export: 'data/',
  features: 'data/',
  predict: 'data/',
  sql: 'data/',
};

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** What a person must be able to type: the contract of each command. */
const OPTIONS: Readonly<Record<string, string>> = {
  approve: '--reject --reason --definition --stage --region',
  pause: '--reason --definition --stage --region',
  resume: '--definition --stage --region',
  retrain: '--dry-run --reason --definition --stage --region --json',
  definition: '',
  record: '--table --stream --records --out --definition --stage --region',
  cost: '--changes-per-day --rows --labels-per-day --item-bytes --labeled-share --labels-threshold --cool-down --training-window --logged-predictions-per-day --shards --json',
  demo: '--definition --items --csv --rows --threshold --seed --keep --json --dynamodb',
  local: '--port --dir --dynamodb --definition --empty --param',
  console: '--port --allow-actions --definition --stage --region',
  export: '--as-of --labels --training-set --format --out --definition --stage --region --json',
  features: '--as-of --history --places --definition --stage --region --json',
  predict: '--definition --stage --region --json',
  sql: '--rows --definition --stage --region --json',
  redrive: '--list --show --limit --definition --stage --region --json --reason --place --item --object',
  remove: '--definition --stage --region --yes',
  replay: '--out --definition',
  rollback: '--to --reason --definition --stage --region --json',
  status: '--definition --stage --region --json',
};

describe.each(Object.entries(COMMANDS))('npm run %s', (name, command) => {
  test('is run by the script of its name', () => {
    expect(command.name()).toBe(name);
    // Two have flags of V8, which keep the local cloud's memory low.
    expect(scripts[name]?.replaceAll(/ --\S+/g, '')).toBe(`node infra/commands/${FOLDERS[name] ?? ''}${name}.ts`);
  });

  test('takes the options that it is documented with, and --verbose', () => {
    const taken = command.options.map(({ long }) => long).sort();
    expect(taken).toEqual([...(OPTIONS[name] ?? '').split(' ').filter(Boolean), '--verbose'].sort());
  });

  test('describes itself, its arguments and its options', () => {
    for (const { description } of [...command.options, ...command.registeredArguments]) {
      expect(description).toMatch(/^\S.{10,}[^.]$/);
    }
    expect(command.description()).toMatch(/^[A-Z].{20,}\.$/);
  });
});

test('an option means the same in every command', () => {
  const meanings = new Map<string, string>();
  for (const { flags, description } of Object.values(COMMANDS).flatMap(({ options }) => options)) {
    if (flags.startsWith('--rows')) continue;
    expect(meanings.get(flags) ?? description).toBe(description);
    meanings.set(flags, description);
  }
});
