import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import { projectCopy } from '../../given/aws/project-copy.ts';

/** Only definitions in shared/feature-groups are bundled. */
const NAME = 'bundled-readings';
const FILE = `shared/feature-groups/${NAME}.ts`;
const DEFINITION = `
import { rounded } from '../definition/${NAME}.ts';
import { defineFeatureGroup, derived, equals, fractional, integral, categorical } from './define.ts';
const SCALE = 10;
export default defineFeatureGroup({
  name: '${NAME}',
  recordIdentifier: 'id',
  items: { kind: equals('reading') },
  features: {
    celsius: fractional(),
    unit: categorical(['C', 'K'], { optional: true }),
    tenths: derived({ from: ['celsius'], as: integral(), compute: ({ celsius }: { celsius: number }) => rounded(celsius * SCALE) }),
  },
});
`;
const BESIDE = `shared/definition/${NAME}.ts`;

let project: string;

beforeAll(async () => {
  project = await projectCopy('derived');
  await writeFile(join(project, BESIDE), 'export const rounded = (value: number): number => Math.round(value);\n');
  await writeFile(join(project, FILE), DEFINITION);
});

afterAll(() => rm(project, { recursive: true, force: true }));

test('a bundle computes derived features by the very function, with what that imports, and checks nothing at its start', async () => {
  const outfile = join(project, 'bundle.mjs');
  // In a process of its own: what tests run in knows the definitions that there were when it began.
  const script = `
    import { build } from 'esbuild';
    import { checkedDefinitions } from './infra/aws/packaging/checked-definitions.ts';
    const contents = "export { importDefinition } from './shared/definition/import-definition.ts';";
    await build({
      ...{ stdin: { contents, resolveDir: process.cwd() }, outfile: ${JSON.stringify(outfile)} },
      ...{ bundle: true, minify: true, format: 'esm', platform: 'node', target: 'node24', logLevel: 'error' },
      plugins: [checkedDefinitions()],
    });`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: project });
  expect(await readFile(outfile, 'utf8')).not.toContain('zod');
  const { importDefinition } = await import(pathToFileURL(outfile).href);
  const { default: bundled } = await importDefinition(NAME);
  const loaded = await loadFeatureGroup(join(project, FILE));
  const record = {
    eventName: 'INSERT',
    dynamodb: {
      ...{ ApproximateCreationDateTime: 1, Keys: { id: { S: 'a' } }, SequenceNumber: '1' },
      ...{
        NewImage: { id: { S: 'a' }, kind: { S: 'reading' }, celsius: { N: '21.46' } },
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    },
  };
  const decoded = makeDecoder(bundled)(record);
  expect(isChange(decoded) && decoded.values).toEqual(['21.46', undefined, '215']);
  expect(decoded).toEqual(makeDecoder(loaded)(record));
});
