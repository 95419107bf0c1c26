import { readFileSync } from 'node:fs';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { describe, expect, test } from 'vitest';
import { command as approve } from '../../../infra/commands/approve.ts';
import { command as cost } from '../../../infra/commands/cost.ts';
import { command as demo } from '../../../infra/commands/demo.ts';
import { command as local } from '../../../infra/commands/local.ts';
import { command as pause } from '../../../infra/commands/pause.ts';
import { command as redrive } from '../../../infra/commands/redrive.ts';
import { command as remove } from '../../../infra/commands/remove.ts';
import { command as replay } from '../../../infra/commands/replay.ts';
import { command as resume } from '../../../infra/commands/resume.ts';
import { command as retrain } from '../../../infra/commands/retrain.ts';
import { command as rollback } from '../../../infra/commands/rollback.ts';
import { command as status } from '../../../infra/commands/status.ts';

const COMMANDS: Readonly<Record<string, CommandUnknownOpts>> = {
  ...{ approve, cost, demo, local, pause, redrive, remove, replay, resume, retrain, rollback, status },
};
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** What a person must be able to type: the contract of each command. */
const OPTIONS: Readonly<Record<string, string>> = {
  approve: '--reject --reason --definition --stage --region',
  pause: '--reason --definition --stage --region',
  resume: '--definition --stage --region',
  retrain: '--dry-run --reason --definition --stage --region --json',
  cost: '--changes-per-day --rows --labels-per-day --item-bytes --json',
  demo: '--csv --rows --threshold --seed --keep --json --dynamodb',
  local: '--port --dir --dynamodb --definition --empty',
  redrive: '--list --limit --definition --stage --region --json',
  remove: '--definition --stage --region --yes',
  replay: '--out --definition',
  rollback: '--to --reason --definition --stage --region --json',
  status: '--definition --stage --region --json',
};

describe.each(Object.entries(COMMANDS))('npm run %s', (name, command) => {
  test('is run by the script of its name', () => {
    expect(command.name()).toBe(name);
    expect(scripts[name]).toBe(`node infra/commands/${name}.ts`);
  });

  test('takes the options that it is documented with, and --verbose', () => {
    const taken = command.options.map(({ long }) => long).sort();
    expect(taken).toEqual([...(OPTIONS[name] ?? '').split(' '), '--verbose'].sort());
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
