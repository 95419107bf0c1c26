import { readFileSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintWarnings, packaged, refusedPackage, TEMPLATE, validatorWarnings } from '../../given/aws/packaged.ts';
import { PROJECT, projectCopy } from '../../given/aws/project-copy.ts';

/** Largest template that CloudFormation takes from S3, in bytes. Source: CloudFormation quotas. */
const TEMPLATE_BYTES_MAX = 1024 * 1024;

interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties: Record<string, unknown>;
        readonly DeletionPolicy?: string;
        readonly UpdateReplacePolicy?: string;
        readonly DependsOn?: string | readonly string[];
        readonly UpdatePolicy?: { readonly CodeDeployLambdaAliasUpdate: object };
      }
    >
  >;
}

/** Largest bundle of a function, zipped, in bytes: a cold start reads all of it. */
const ZIP_BYTES_MAX = 300_000;

let project: string;
let dir: string;
let template: Template;
let output: string;

beforeAll(async () => {
  project = await projectCopy('package');
  dir = join(project, 'packaged');
  output = await packaged(project, dir);
  template = JSON.parse(await readFile(join(dir, TEMPLATE), 'utf8'));
});

afterAll(() => rm(project, { recursive: true, force: true }));

/** The value at a path such as `OnlineStoreConfig/EnableOnlineStore`. */
const valueAt = (properties: unknown, path: string) =>
  path.split('/').reduce<unknown>((it, name) => (it as Record<string, unknown> | undefined)?.[name], properties);

const ofType = (type: string) => Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

describe('npx serverless package', () => {
  it('makes one zip per function, and none of the whole project', async () => {
    const zips = (await readdir(dir)).filter((file) => file.endsWith('.zip')).sort();
    expect(zips).toEqual(
      ['compare', 'history', 'ingest', 'predict', 'redrive', 'rehearse', 'retrain'].map((it) => `${it}.zip`),
    );
  });

  it('gives every function a role of its own, and no role to two', () => {
    const roles = ofType('AWS::Lambda::Function').map(([name, { Properties }]) => [name, Properties.Role]);
    expect(roles).toEqual(
      roles.map(([name]) => [name, { 'Fn::GetAtt': [`${String(name).replace('LambdaFunction', '')}Role`, 'Arn'] }]),
    );
    expect(template.Resources).not.toHaveProperty('IamRoleLambdaExecution');
  });

  it('has CloudFormation work as the role that is given, and every role carry the boundary and the path', async () => {
    const folder = join(dir, 'confined');
    const deploymentRole = 'arn:aws:iam::123456789012:role/deployer';
    const boundary = 'arn:aws:iam::123456789012:policy/boundary';
    const given = { deploymentRoleArn: deploymentRole, permissionsBoundaryArn: boundary, rolePath: '/tributary/x/' };
    await packaged(project, folder, ...Object.entries(given).map(([name, value]) => `--param=${name}=${value}`));
    const { service } = JSON.parse(await readFile(join(folder, 'serverless-state.json'), 'utf8'));
    expect(service.provider.iam).toEqual({ deploymentRole });
    const { Resources }: Template = JSON.parse(await readFile(join(folder, TEMPLATE), 'utf8'));
    const confined = Object.values(Resources).filter(({ Properties }) => Properties?.PermissionsBoundary === boundary);
    const roles = ofType('AWS::IAM::Role');
    expect(confined.map((it) => [it.Type, it.Properties.Path])).toEqual(
      roles.map(() => ['AWS::IAM::Role', '/tributary/x/']),
    );
  });

  it('refuses before it makes anything, and says everything that is wrong at once', async () => {
    const folder = join(dir, 'refused');
    const topic = 'arn:aws:sns:us-east-1:123456789012:alarms';
    const params = ['changeLogBufferSeconds=5000', 'endpointinstancecount=3', `alarmTopicArn=${topic}`];
    const said = await refusedPackage(
      project,
      folder,
      '--region',
      'eu-central-2',
      ...params.map((it) => `--param=${it}`),
    );
    expect(said).toContain('The stack tributary-bank-marketing-dev cannot be packaged:');
    for (const problem of [
      'changeLogBufferSeconds is "5000"; expected: buffering interval of the change log in seconds',
      'there is no param endpointinstancecount: did you mean endpointInstanceCount?',
      'region eu-central-2 has no function URLs',
      'alarmTopicArn is of the region us-east-1, and the stack is deployed to eu-central-2',
    ]) {
      expect(said).toContain(problem);
    }
    expect(said).not.toContain('bundled');
  });

  it('keeps what holds data, and versions, once they were made, and lets a deployment that goes back take them away', () => {
    const kept = Object.values(template.Resources).filter((it) => it.DeletionPolicy !== undefined);
    expect(new Set(kept.map((it) => it.DeletionPolicy))).toEqual(new Set(['RetainExceptOnCreate']));
    expect(new Set(kept.map((it) => it.UpdateReplacePolicy))).toEqual(new Set(['Retain']));
    const types = kept.map((it) => it.Type);
    expect(new Set(types)).toEqual(new Set(['AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::Lambda::Version']));
  });

  it('updates a stack of 0.1.0: nothing is replaced, and only the table of its snapshots, which were text, is removed', () => {
    const { SnapshotTable, ...before }: Record<string, { type: string; createOnly: Record<string, unknown> }> =
      JSON.parse(readFileSync(new URL('../../fixtures/aws/stack-0.1.0.json', import.meta.url), 'utf8'));
    // Properties that CloudFormation can only change by making the resource anew (createOnlyProperties of its registry).
    const after = Object.fromEntries(
      Object.entries(before).map(([id, { createOnly }]) => [
        id,
        {
          type: template.Resources[id]?.Type,
          createOnly: Object.fromEntries(
            Object.keys(createOnly).map((path) => [path, valueAt(template.Resources[id]?.Properties, path)]),
          ),
        },
      ]),
    );
    expect(after).toEqual(before);
    expect(SnapshotTable?.type).toBe('AWS::Glue::Table');
    expect(template.Resources.SnapshotTable).toBeUndefined();
  });

  it('has the first batch wait for the feature group', () => {
    expect(template.Resources.IngestEventSourceMappingDynamodbSourceTable?.DependsOn).toContain('FeatureGroup');
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
    expect(sizes.map(([, name]) => name).sort()).toEqual([
      'compare',
      'history',
      'ingest',
      'predict',
      'redrive',
      'rehearse',
      'retrain',
    ]);
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

  it('exports nothing, as the stacks of two feature groups would export the same names', async () => {
    for (const file of (await readdir(dir)).filter((it) => it.startsWith('cloudformation-template'))) {
      expect(await readFile(join(dir, file), 'utf8'), file).not.toContain('"Export"');
    }
  });
});

describe('the templates of the stack and of its pipeline', () => {
  const files = () => [join(dir, TEMPLATE), join(PROJECT, 'infra/aws/pipeline.yml')];

  it('have nothing for AWS’s validator to warn of', () => {
    expect(validatorWarnings(files())).toEqual([]);
  });

  it('have nothing for cfn-lint to warn of', (context) => {
    const found = lintWarnings(files());
    context.skip(found === undefined, 'cfn-lint is not installed');
    expect(found).toEqual([]);
  });
});
