import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Largest template that CloudFormation takes from S3, in bytes. Source: CloudFormation quotas. */
const TEMPLATE_BYTES_MAX = 1024 * 1024;

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
}

let dir: string;
let template: Template;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tributary-package-'));
  const osls = join(PROJECT, 'node_modules/osls/bin/serverless.js');
  // Neither credentials nor a network are needed: there are none here, and every address leads nowhere.
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: dir,
    HTTPS_PROXY: 'http://127.0.0.1:9',
    SLS_TELEMETRY_DISABLED: '1',
  };
  await promisify(execFile)(process.execPath, [osls, 'package', '--package', dir], { cwd: PROJECT, env });
  template = JSON.parse(await readFile(join(dir, 'cloudformation-template-update-stack.json'), 'utf8'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

const ofType = (type: string) => Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

describe('npx serverless package', () => {
  it('makes one zip per function, and none of the whole project', async () => {
    const zips = (await readdir(dir)).filter((file) => file.endsWith('.zip')).sort();
    expect(zips).toEqual(['ingest.zip', 'predict.zip', 'redrive.zip', 'retrain.zip']);
  });

  it('gives every function a role of its own, and no role to two', () => {
    const roles = ofType('AWS::Lambda::Function').map(([name, { Properties }]) => [name, Properties.Role]);
    expect(roles).toEqual(
      roles.map(([name]) => [name, { 'Fn::GetAtt': [`${String(name).replace('LambdaFunction', '')}Role`, 'Arn'] }]),
    );
    expect(template.Resources).not.toHaveProperty('IamRoleLambdaExecution');
  });

  it('sends batches that Lambda gives up on to S3, where the records come along', () => {
    const mapping = template.Resources.IngestEventSourceMappingDynamodbSourceTable;
    expect(mapping?.Properties).toMatchObject({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['QuarantineBucket', 'Arn'] } } },
    });
  });

  it('makes a template that CloudFormation takes: within its size, and with no null in it', () => {
    const nulls: string[] = [];
    const text = JSON.stringify(template, (key, value) => {
      if (value === null) nulls.push(key);
      return value;
    });
    expect(nulls).toEqual([]);
    expect(Buffer.byteLength(text)).toBeLessThan(TEMPLATE_BYTES_MAX);
  });

  it('exports nothing, as the stacks of two feature groups would export the same names', async () => {
    for (const file of (await readdir(dir)).filter((it) => it.startsWith('cloudformation-template'))) {
      expect(await readFile(join(dir, file), 'utf8'), file).not.toContain('"Export"');
    }
  });
});
