import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { paramProblems } from '../../../infra/aws/checks/params.ts';
import { arnOf, resources, TEMPLATE } from '../../given/aws/pipeline-roles.ts';

const text = readFileSync(TEMPLATE, 'utf8');

interface Action {
  readonly Name: string;
  readonly RunOrder?: number;
  readonly Configuration: Readonly<Record<string, string | boolean | undefined>>;
}

interface Stage {
  readonly Name: string;
  readonly Actions: readonly Action[];
}

const stagesOf = (pipeline: string) => resources[pipeline]?.Properties.Stages as readonly Stage[];

const actionsOf = (pipeline: string) =>
  stagesOf(pipeline).flatMap(({ Name, Actions }) => Actions.map((it) => ({ ...it, Name: `${Name}/${it.Name}` })));

/** The command that an action has a project run. */
function commandOf({ Configuration }: Action): string {
  const variables: { name: string; value: string }[] = JSON.parse(String(Configuration.EnvironmentVariables ?? '[]'));
  return variables.find(({ name }) => name === 'COMMAND')?.value ?? '';
}

const action = (name: string) => actionsOf('Pipeline').find((it) => it.Name === name) as Action;

describe('the delivery pipeline', () => {
  it('has no anchors and aliases, which CloudFormation’s YAML does not know', () => {
    expect(text.match(/[:-] +[&*]\w/g)).toBeNull();
  });

  it('goes from the source by a live test, which leaves nothing, and an approval to production', () => {
    expect(actionsOf('Pipeline').map(({ Name, Configuration }) => [Name, Configuration.ProjectName])).toEqual([
      ['Source/Source', undefined],
      ['BuildAndTest/BuildAndTest', 'tributary-pipeline-orders-Build-A1B2'],
      ['LiveTest/Deploy', 'tributary-pipeline-orders-LiveTest-A1B2'],
      ['LiveTest/TrainAndPredict', 'tributary-pipeline-orders-LiveTest-A1B2'],
      ['LiveTest/Remove', 'tributary-pipeline-orders-LiveTest-A1B2'],
      ['Approval/Approve', undefined],
      ['Production/Deploy', 'tributary-pipeline-orders-Production-A1B2'],
    ]);
    const orders = stagesOf('Pipeline')
      .find(({ Name }) => Name === 'LiveTest')
      ?.Actions.map(({ RunOrder }) => RunOrder);
    expect(orders).toEqual([1, 2, 3]);
  });

  it('runs files that are there', () => {
    const commands = [...actionsOf('Pipeline'), ...actionsOf('CleanUpPipeline')]
      .map(commandOf)
      .filter((it) => it !== '');
    expect(commands.length).toBe(5);
    for (const [file] of commands.join(' ').matchAll(/infra\/aws\/[\w./-]+/g))
      expect(existsSync(file), file).toBe(true);
  });

  it('gives each stage its role of CloudFormation and its boundary, by params that serverless.yml takes, and deploys always', () => {
    const { params } = parse(readFileSync('serverless.yml', 'utf8'), { logLevel: 'silent' });
    const given = (name: string) => {
      const command = commandOf(action(name));
      expect(command).toContain('npx serverless deploy --force ');
      const pairs = [...command.matchAll(/--param=(\w+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value]);
      return Object.fromEntries(pairs) as Record<string, string>;
    };
    const liveTest = given('LiveTest/Deploy');
    expect(liveTest).toEqual({
      ...{ featureGroup: 'orders', rolePath: '/tributary/live-test/' },
      ...{ deploymentRoleArn: arnOf('LiveTestStackRole'), permissionsBoundaryArn: arnOf('LiveTestBoundary') },
    });
    // A path would replace the roles of a stack that is there, and with its role the feature group.
    const production = given('Production/Deploy');
    expect(production).toEqual({
      ...{ featureGroup: 'orders', labelsThreshold: '1000' },
      ...{ deploymentRoleArn: arnOf('ProductionStackRole'), permissionsBoundaryArn: arnOf('ProductionBoundary') },
    });
    for (const it of [liveTest, production]) expect(paramProblems(it, Object.keys(params.default))).toEqual([]);
  });

  it('begins its live test with nothing of an earlier one', () => {
    expect(commandOf(action('LiveTest/Deploy'))).toMatch(/^infra\/aws\/remove-all\.sh orders live-test eu-west-1 && /);
  });

  it('has a stage of its own in serverless.yml for the live test, whose params are right', () => {
    const { params } = parse(readFileSync('serverless.yml', 'utf8'), { logLevel: 'silent' });
    const given = { ...params.default, ...params['live-test'] };
    expect(paramProblems(given, Object.keys(params.default))).toEqual([]);
  });

  it('tells a topic that it waits for a person, where it is given one', () => {
    expect(action('Approval/Approve').Configuration.NotificationArn).toMatch(/^arn:aws:sns:/);
  });

  it('removes the live-test stage when an execution fails, is rejected, stopped or canceled', () => {
    const rule = resources.CleanUpStarter?.Properties;
    expect(rule?.EventPattern).toEqual({
      source: ['aws.codepipeline'],
      'detail-type': ['CodePipeline Pipeline Execution State Change'],
      // A rejection fails the execution.
      detail: { pipeline: ['tributary-pipeline-orders-Pipeline-A1B2'], state: ['FAILED', 'STOPPED', 'CANCELED'] },
    });
    expect(rule?.Targets).toEqual([expect.objectContaining({ RoleArn: arnOf('CleanUpStarterRole') })]);
    const [source, remove] = actionsOf('CleanUpPipeline') as [Action, Action];
    // A commit starts the pipeline, and not its clean-up.
    expect(source.Configuration.DetectChanges).toBe(false);
    expect(commandOf(remove)).toBe('infra/aws/remove-all.sh orders live-test eu-west-1');
  });
});

describe('a build of the pipeline', () => {
  const buildSpec = (project: string) => {
    const source = resources[project]?.Properties.Source as { BuildSpec: string };
    return parse(source.BuildSpec).phases as Record<'install' | 'build', { commands: string[] }>;
  };

  it.each(['Build', 'LiveTest', 'Production'])(
    'runs no install scripts but those that package.json allows: %s',
    (project) => {
      const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
        allowScripts: Record<string, boolean>;
      };
      const allowed = Object.keys(allowScripts).filter((it) => allowScripts[it]);
      expect(buildSpec(project).install.commands).toEqual([
        'npm ci --ignore-scripts',
        `npm rebuild ${allowed.join(' ')}`,
      ]);
    },
  );

  it('knows every package that has an install script: each is allowed or refused by name, and none of them ships', () => {
    const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean; dev?: boolean }>;
    };
    const scripted = Object.entries(packages).filter(([, it]) => it.hasInstallScript);
    expect(scripted.map(([path]) => path.replace(/^.*node_modules\//, '')).sort()).toEqual(
      Object.keys(allowScripts).sort(),
    );
    expect(scripted.filter(([, it]) => !it.dev)).toEqual([]);
  });

  it.each([
    ['goes on when nothing is known against what ships', 'found 0 vulnerabilities', 0, 0, ''],
    ['stops when something is', 'fast-thing <2 high', 1, 1, 'fast-thing <2 high'],
    [
      'goes on, and says so, where the registry has no advisories',
      'npm error audit endpoint returned an error',
      1,
      0,
      'Not audited',
    ],
  ])('%s', async (_, said, code, expected, shown) => {
    const audit = buildSpec('Build').build.commands.find((it) => it.includes('npm audit')) ?? '';
    const dir = await mkdtemp(join(tmpdir(), 'tributary-audit-'));
    try {
      await writeFile(join(dir, 'npm'), `#!/bin/sh\necho '${said}'\nexit ${code}\n`);
      await chmod(join(dir, 'npm'), 0o755);
      const env = { PATH: `${dir}:${process.env.PATH}` };
      const { status, stdout } = spawnSync('sh', ['-c', audit], { cwd: dir, env, encoding: 'utf8' });
      expect(status).toBe(expected);
      expect(stdout).toContain(shown);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
