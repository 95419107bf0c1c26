import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, loadedAtStart } from '../../../infra/aws/packaging/bundle.ts';
import { literal } from '../../../infra/aws/packaging/checked-definitions.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const ENVIRONMENT = {
  PATH: process.env.PATH,
  AWS_REGION: 'us-east-1',
  FEATURE_GROUP: 'bank-marketing',
  STATE_TABLE: 'state',
  CHANGE_LOG_STREAM: 'change-log',
  QUARANTINE_BUCKET: 'quarantine',
};
/** Longest a child may take, in milliseconds: on a busy machine, ten times what it takes. */
const CHILD_MS_MAX = 120_000;
/** An event that needs no service: one record that is none, and a rehearsal, which writes nowhere. */
const SCRIPT = `
const { handler } = await import(process.argv[1]);
const answer = await handler({ rehearsal: { now: 0, key: 'secret' }, Records: [{}] }, { getRemainingTimeInMillis: () => 60_000 });
process.stdout.write(JSON.stringify(answer));
`;

let folder: string;
let outputs: Awaited<ReturnType<typeof bundle>>['metafile']['outputs'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-bundle-'));
  ({ outputs } = (await bundle(PROJECT, ['functions/ingest'], folder)).metafile);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (environment: object) =>
  spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, join(folder, 'functions/ingest.mjs')], {
    env: { ...ENVIRONMENT, ...environment },
    encoding: 'utf8',
    // A child that never ends would hold the worker, and its tests could not be timed out.
    timeout: CHILD_MS_MAX,
  });

function packagesAtStart(of: typeof outputs, module: string): Set<string | undefined> {
  const inputs = loadedAtStart(of, module).flatMap((file) => Object.entries(of[file]?.inputs ?? {}));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return new Set(used.map(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]));
}

describe('ingest, bundled', () => {
  it('answers, and keeps what it does not understand', () => {
    const { stdout, stderr } = run({});
    expect(stderr).toBe('');
    expect(Object.keys(JSON.parse(stdout).effects)).toEqual([expect.stringMatching(/^quarantine\//)]);
  });

  it('says what is wrong with its environment, and which definition is not there', () => {
    expect(run({ STATE_TABLE: '' }).stderr).toContain('STATE_TABLE is missing; expected: name of the state table');
    expect(run({ FEATURE_GROUP: 'orders' }).stderr).toContain(
      'Feature group "orders" cannot be loaded from shared/feature-groups/orders.ts: it was not there when the function was bundled',
    );
  });

  it('starts without what it may never need: zod, the client of S3, credentials of laptops', () => {
    const atStart = packagesAtStart(outputs, 'functions/ingest');
    expect(atStart).toContain('@aws-sdk/client-firehose');
    for (const it of ['zod', '@aws-sdk/client-s3', '@aws-sdk/nested-clients']) expect(atStart).not.toContain(it);
  });
});

it('predict, bundled, starts without the client of Firehose, which only a prediction log needs', async () => {
  const predict = (await bundle(PROJECT, ['functions/predict'], folder)).metafile.outputs;
  const atStart = packagesAtStart(predict, 'functions/predict');
  expect(atStart).toContain('@aws-sdk/client-sagemaker-runtime');
  expect(atStart).not.toContain('@aws-sdk/client-firehose');
  const all = Object.values(predict).flatMap(({ inputs }) => Object.keys(inputs));
  expect(all.filter((path) => path.includes('@aws-sdk/client-firehose'))).not.toEqual([]);
});

it('a checked definition is the same in the notation that it is bundled in, bounds beyond 2^53 included', () => {
  const group = { ...bankMarketing, name: '__proto__ "\\\u2028', max: 2n ** 63n - 1n, min: -0.5, attribute: undefined };
  expect(new Function(`return ${literal(group)}`)()).toEqual(group);
});
