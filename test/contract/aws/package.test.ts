import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const TEMPLATE = 'cloudformation-template-update-stack.json';
const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

/** Largest template that CloudFormation takes from S3, in bytes. Source: CloudFormation quotas. */
const TEMPLATE_BYTES_MAX = 1024 * 1024;

interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties: Record<string, unknown>;
        readonly UpdatePolicy?: { readonly CodeDeployLambdaAliasUpdate: object };
      }
    >
  >;
}

/** Largest bundle of a function, zipped, in bytes: a cold start reads all of it. */
const ZIP_BYTES_MAX = 300_000;

/** osls writes a dependency that the role's ARN says already. Nothing else is let through. */
const RULES_OF_OSLS = ['W3005'];

/** Newer than cfn-lint's list of actions. Source: the client of Feature Store's runtime. */
const UNKNOWN_TO_CFN_LINT = /^W3037 'batchwriterecord' is not one of/;

let dir: string;
let template: Template;
let output: string;

const hasCfnLint = spawnSync('cfn-lint', ['--version']).status === 0;
if (!hasCfnLint) console.warn('SKIPPED: the template through cfn-lint, which is not installed.');

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
  const said = await promisify(execFile)(process.execPath, [osls, 'package', '--package', dir], { cwd: PROJECT, env });
  output = said.stdout + said.stderr;
  template = JSON.parse(await readFile(join(dir, TEMPLATE), 'utf8'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

const ofType = (type: string) => Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

describe('npx serverless package', () => {
  it('makes one zip per function, and none of the whole project', async () => {
    const zips = (await readdir(dir)).filter((file) => file.endsWith('.zip')).sort();
    expect(zips).toEqual(['ingest.zip', 'predict.zip', 'redrive.zip', 'rehearse.zip', 'retrain.zip']);
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

  it('says how big each function is, and none is big', async () => {
    const sizes = [...output.matchAll(/^(\w+): \d+ kB bundled, \d+ kB of it for the start, \d+ kB zipped$/gm)];
    expect(sizes.map(([, name]) => name).sort()).toEqual(['ingest', 'predict', 'redrive', 'rehearse', 'retrain']);
    for (const [line, name] of sizes) {
      expect((await stat(join(dir, `${name}.zip`))).size, line).toBeLessThan(ZIP_BYTES_MAX);
    }
  });

  it('has triggers and URLs call the alias that CodeDeploy moves, and asks the hook before it moves for ingest', () => {
    const aliases = ofType('AWS::Lambda::Alias').map(([, alias]) => alias.UpdatePolicy?.CodeDeployLambdaAliasUpdate);
    expect(aliases).toEqual([
      expect.objectContaining({ BeforeAllowTrafficHook: 'tributary-bank-marketing-dev-rehearse' }),
      expect.not.objectContaining({ BeforeAllowTrafficHook: expect.anything() }),
    ]);
    const target = (name: string) => ({
      'Fn::Join': [':', [{ 'Fn::GetAtt': [`${name}LambdaFunction`, 'Arn'] }, 'live']],
    });
    expect(template.Resources.IngestEventSourceMappingDynamodbSourceTable?.Properties.FunctionName).toEqual(
      target('Ingest'),
    );
    expect(ofType('AWS::Lambda::Url').map(([, url]) => url.Properties.TargetFunctionArn)).toEqual([target('Predict')]);
  });

  it('makes a template in which AWS’s validator finds nothing to warn of', () => {
    const engine = new RegoEngine();
    const { diagnostics } = engine.validateStandard(new TemplateFile(join(dir, TEMPLATE)), { severityLevel: 'WARN' });
    engine.free();
    const found = diagnostics.filter(({ ruleId }) => !RULES_OF_OSLS.includes(ruleId));
    expect(found.map(({ ruleId, entity, message }) => `${ruleId} ${entity?.logicalId}: ${message}`)).toEqual([]);
  });

  it.skipIf(!hasCfnLint)('makes a template in which cfn-lint finds nothing to warn of', () => {
    const { stdout } = spawnSync('cfn-lint', ['--ignore-checks', ...RULES_OF_OSLS, '--', join(dir, TEMPLATE)], {
      encoding: 'utf8',
    });
    expect(stdout.split('\n').filter((line) => /^[EW]\d+ /.test(line) && !UNKNOWN_TO_CFN_LINT.test(line))).toEqual([]);
  });

  it('exports nothing, as the stacks of two feature groups would export the same names', async () => {
    for (const file of (await readdir(dir)).filter((it) => it.startsWith('cloudformation-template'))) {
      expect(await readFile(join(dir, file), 'utf8'), file).not.toContain('"Export"');
    }
  });
});
