import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { resourcesOf } from '../../../infra/aws/stack.ts';
import { definitionSchema } from '../../../shared/definition/schema.ts';
import orders from '../../fixtures/feature-groups/orders.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';
import { codeOf, readDocument, section, tableRows } from '../../given/documents.ts';

/** The pages of facts, held to the code: nothing is missing, and nothing is there that the code does not have. */

const firstCells = (text: string): string[] => tableRows(text).flatMap(([cell]) => codeOf(cell) ?? []);

test('docs/reference/parameters.md has every parameter of serverless.yml with its default, and no other', () => {
  const page = readDocument('docs/reference/parameters.md');
  const [parameters = ''] = page.text.split('\n## In the local cloud\n');
  const documented = Object.fromEntries(
    tableRows(parameters).map(([name, value]) => [codeOf(name), value === '(empty)' ? '' : codeOf(value)]),
  );
  const { params } = parse(readFileSync('serverless.yml', 'utf8'), { logLevel: 'silent' });
  const defaults = Object.entries(params.default as object).map(([name, value]) => [name, String(value)]);
  expect(documented).toEqual(Object.fromEntries(defaults));
});

/** Options of every command, which the page has once, in its introduction. */
const COMMON_OPTIONS = ['--verbose', '--help'];

describe('docs/reference/commands.md', () => {
  const page = readDocument('docs/reference/commands.md');
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const commands = Object.entries(scripts).flatMap(([name, script]) => {
    const [, file] = /^node (?:--\S+ )*(infra\/commands\/\S+|test\/\S+)$/.exec(script) ?? [];
    return file === undefined ? [] : { name, file };
  });

  it.each(commands)('has every option of $name with its default, and no other', async ({ name, file }) => {
    const documented = tableRows(section(page, name)).map(([option, value = '']) => ({
      option: codeOf(option)?.split(' ')[0],
      value: value.replaceAll(/[`,]/g, ''),
    }));
    const options = (await commandOf(file)).options.filter(({ long }) => !COMMON_OPTIONS.includes(long ?? ''));
    expect(documented.map(({ option }) => option).sort()).toEqual(options.map(({ long }) => long).sort());
    for (const { long, defaultValue, mandatory } of options) {
      const value = documented.find(({ option }) => option === long)?.value;
      if (mandatory) expect({ long, value }).toEqual({ long, value: 'required' });
      else if (typeof defaultValue !== 'boolean' && defaultValue !== undefined)
        expect({ long, value }).toEqual({ long, value: String(defaultValue) });
    }
  });

  it('has the options of every command in its introduction', () => {
    const [introduction = ''] = page.text.split('\n## ');
    expect(COMMON_OPTIONS.filter((option) => !introduction.includes(`\`${option}\``))).toEqual([]);
  });

  it('names every script of package.json', () => {
    const missing = Object.keys(scripts).filter(
      (name) => section(page, name) === '' && !new RegExp(`npm (run )?${name}\\b`).test(page.text),
    );
    expect(missing).toEqual([]);
  });
});

const commandOf = async (file: string): Promise<CommandUnknownOpts> => (await import(pathToFileURL(file).href)).command;

/** What is used of JSON Schema. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: Schema;
}

describe('docs/reference/definition.md', () => {
  const page = readDocument('docs/reference/definition.md');
  const definition: Schema = z.toJSONSchema(definitionSchema, { io: 'input', unrepresentable: 'any' }) as Schema;
  const { recordIdentifier, eventTime, label, features } = definition.properties ?? {};
  const types = features?.additionalProperties?.oneOf ?? [];
  const optionsOfEvery = Object.keys(types[0]?.properties ?? {}).filter(
    (option) => option !== 'type' && types.every(({ properties }) => properties && option in properties),
  );
  const ofType = (name: string) => types.find(({ properties }) => properties?.type?.const === name) ?? {};
  const optionsBeyond = ({ properties = {} }: Schema) =>
    Object.keys(properties).filter((option) => option !== 'type' && !optionsOfEvery.includes(option));

  it.each([
    ['defineFeatureGroup', definition, undefined],
    ['recordIdentifier', recordIdentifier?.anyOf?.[1] ?? {}, undefined],
    ['eventTime', eventTime ?? {}, undefined],
    ['label', label ?? {}, undefined],
    ['Options of every feature', ofType('boolean'), optionsOfEvery],
    ['Options of integral and fractional', ofType('integral'), optionsBeyond(ofType('fractional'))],
    ['Options of categorical', ofType('categorical'), optionsBeyond(ofType('categorical'))],
    ['Options of hashed', ofType('hashed'), optionsBeyond(ofType('hashed'))],
  ])('has under "%s" every option with its default, and no other', (heading, schema, names) => {
    const options = names ?? Object.keys(schema.properties ?? {});
    const rows = tableRows(section(page, heading));
    expect(rows.map(([name]) => codeOf(name)).sort()).toEqual([...options].sort());
    for (const [name, , cell] of rows) expect(cell).toContain(defaultOf(schema, codeOf(name) ?? ''));
  });

  it('has every type of feature, and no options that it knows nothing of', () => {
    const names = types.map(({ properties }) => properties?.type?.const);
    expect(firstCells(section(page, 'Features')).sort()).toEqual(names.sort());
    expect(optionsBeyond(ofType('integral'))).toEqual(optionsBeyond(ofType('fractional')));
    expect(['string', 'boolean', 'timestamp'].flatMap((type) => optionsBeyond(ofType(type)))).toEqual([]);
  });
});

/** What the page has to say of an option that is not given; `''` for one whose default is worked out. */
function defaultOf({ properties = {}, required = [] }: Schema, name: string): string {
  const value = properties[name]?.default;
  if (required.includes(name)) return 'required';
  if (value === undefined) return '';
  return typeof value === 'object' ? '`{ ' : `\`${typeof value === 'string' ? `'${value}'` : value}\``;
}

describe('docs/operating/alerts.md', () => {
  const names = namesOf(orders, 'prod');
  const { Resources: resources } = resourcesOf(orders, names, { ...STACK_OPTIONS, predictionLog: true }).resources;
  const alarms = Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .map(({ Properties }) => ({
      name: String(Properties.AlarmName).slice(`${names.stack}-`.length),
      description: String(Properties.AlarmDescription),
    }));
  const page = readDocument('docs/operating/alerts.md');

  it.each(alarms)(
    'says of $name what it means, what users see, where to look and what to do',
    ({ name, description }) => {
      const parts = [...section(page, name).matchAll(/^- \*\*(.+?):\*\* ./gm)].map(([, part]) => part);
      expect(parts).toEqual(['Means', 'Users see', 'Look at', 'Do']);
      expect(description).toContain(`docs/operating/alerts.md#${name}`);
    },
  );

  it('has no section of an alarm that is not there', () => {
    const sections = [...page.text.matchAll(/^## (.+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual(alarms.map(({ name }) => name).sort());
  });
});

test('docs/reference/what-becomes-of-a-change.md has every reason for quarantine, and no other', () => {
  const [, union = ''] =
    /export type RejectionReason =([\s\S]*?);/.exec(readFileSync('shared/changes/change.ts', 'utf8')) ?? [];
  const reasons = [...union.matchAll(/'([a-z-]+)'/g)].map(([, reason]) => reason);
  const page = readDocument('docs/reference/what-becomes-of-a-change.md');
  expect(firstCells(section(page, 'Reasons for quarantine')).sort()).toEqual(reasons.sort());
});

test('docs/concepts/architecture.md has every room of shared/ and every folder of infra/, and no other', () => {
  const folders = ['shared', 'infra'].flatMap((parent) =>
    readdirSync(parent, { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? `${parent}/${it.name}/` : [])),
  );
  const page = readDocument('docs/concepts/architecture.md');
  expect(firstCells(section(page, 'Rooms')).sort()).toEqual([...folders, 'functions/', 'test/'].sort());
});
