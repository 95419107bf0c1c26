import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { allow, role } from '../cloudformation/iam.ts';
import {
  arn,
  getAtt,
  type Intrinsic,
  type Resource,
  type Resources,
  ref,
  type Text,
} from '../cloudformation/intrinsics.ts';
import {
  alarmLogicalId,
  functionLogicalId,
  groupLogicalId,
  LIVE_ALIAS,
  SHIFTED,
  type ShiftedFunction,
} from '../cloudformation/logical-ids.ts';
import type { Names } from '../cloudformation/names.ts';
import type { SourceTable } from '../data/source-table.ts';

/**
 * Alarms that send a new version back while it takes over. None of the event source mapping's: it refers to the alias,
 * and would close a circle.
 */
const ROLLBACK_ALARMS: Readonly<Record<ShiftedFunction, readonly string[]>> = {
  ingest: ['ingest-errors', 'delivery-failing', 'records-unbalanced'],
  predict: ['predict-errors', 'predict-throttled'],
};

/** Name of the function that CodeDeploy asks before a version of ingest gets its first batch. */
const hookName = (stack: string): string => `${stack}-rehearse`;

/**
 * How CodeDeploy shifts the traffic of each function, when it goes back, and the rights of the hook.
 *
 * @param configuration predefined CodeDeploy configuration, such as CodeDeployDefault.LambdaCanary10Percent5Minutes.
 */
export function safeDeployment(
  group: FeatureGroup,
  names: Names,
  source: SourceTable,
  configuration: string,
): Resources {
  const shifted = SHIFTED.filter((name) => name !== 'predict' || group.label);
  return {
    DeploymentApplication: {
      Type: 'AWS::CodeDeploy::Application',
      Properties: { ApplicationName: names.stack, ComputePlatform: 'Lambda' },
    },
    ...Object.fromEntries(
      shifted.map((name) => [groupLogicalId(name), deploymentGroup(name, names.stack, configuration)]),
    ),
    DeploymentRole: role('codedeploy.amazonaws.com', [
      allow(
        ['lambda:GetAlias', 'lambda:GetProvisionedConcurrencyConfig', 'lambda:UpdateAlias'],
        shifted.flatMap((name) => functionArns(names, name)),
      ),
      allow(['lambda:InvokeFunction'], [arn('lambda', `function:${hookName(names.stack)}`)]),
      // DescribeAlarms is asked of all alarms at once.
      allow(['cloudwatch:DescribeAlarms'], '*'),
    ]),
    RehearseRole: role('lambda.amazonaws.com', [
      allow(
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        [arn('logs', `log-group:/aws/lambda/${hookName(names.stack)}:*`)],
      ),
      allow(['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], [source.streamArn]),
      allow(['lambda:InvokeFunction'], functionArns(names, 'ingest')),
      allow(
        ['codedeploy:PutLifecycleEventHookExecutionStatus'],
        [arn('codedeploy', `deploymentgroup:${names.stack}/${names.stack}-ingest`)],
      ),
    ]),
  };
}

/** A function, and any version or alias of it. */
function functionArns(names: Names, name: ShiftedFunction): Text[] {
  return ['', ':*'].map((qualifier) => arn('lambda', `function:${names.stack}-${name}${qualifier}`));
}

function deploymentGroup(name: ShiftedFunction, stack: string, configuration: string): Resource {
  return {
    Type: 'AWS::CodeDeploy::DeploymentGroup',
    Properties: {
      ApplicationName: ref('DeploymentApplication'),
      DeploymentGroupName: `${stack}-${name}`,
      DeploymentConfigName: configuration,
      DeploymentStyle: { DeploymentType: 'BLUE_GREEN', DeploymentOption: 'WITH_TRAFFIC_CONTROL' },
      ServiceRoleArn: getAtt('DeploymentRole', 'Arn'),
      AlarmConfiguration: {
        Enabled: true,
        Alarms: ROLLBACK_ALARMS[name].map((alarm): { Name: Intrinsic } => ({ Name: ref(alarmLogicalId(alarm)) })),
      },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM', 'DEPLOYMENT_STOP_ON_REQUEST'],
      },
    },
  };
}

/**
 * The alias of a function. When its version changes, CloudFormation has CodeDeploy shift the traffic and waits; when
 * that fails, the stack goes back.
 *
 * @param version logical id of the function's newest version.
 */
export function safeAlias(name: ShiftedFunction, version: string, stack: string): Resource {
  const hook = name === 'ingest' ? { BeforeAllowTrafficHook: hookName(stack) } : {};
  return {
    Type: 'AWS::Lambda::Alias',
    Properties: {
      FunctionName: ref(functionLogicalId(name)),
      FunctionVersion: getAtt(version, 'Version'),
      Name: LIVE_ALIAS,
    },
    // The hook has to be the new one when it is asked.
    ...(name === 'ingest' && { DependsOn: [functionLogicalId('rehearse')] }),
    UpdatePolicy: {
      CodeDeployLambdaAliasUpdate: {
        ApplicationName: ref('DeploymentApplication'),
        DeploymentGroupName: ref(groupLogicalId(name)),
        ...hook,
      },
    },
  };
}
