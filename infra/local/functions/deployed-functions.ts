import { join } from 'node:path';
import { recordEmbedded } from '../cloudwatch/embedded-metrics.ts';
import type { LogStore } from '../cloudwatch/log-store.ts';
import type { RecordDatum } from '../cloudwatch/metric-store.ts';
import type { VendedMetrics } from '../cloudwatch/vended-metrics.ts';
import type { StackRoles } from '../iam/roles.ts';
import type { LambdaFunction } from '../lambda/function.ts';
import type { EndedInvocation, LambdaRuntime } from '../lambda/runtime.ts';
import type { Stack } from '../stack/stack.ts';

/** The alias that a function has whose versions CodeDeploy shifts, and that its triggers and callers name. */
const ALIAS = 'live';

/** The functions of a stack, each with its module in the bundle and an access key of its role. */
export function deployedFunctions(stack: Stack, bundleFolder: string, roles: StackRoles): LambdaFunction[] {
  const shifted = stack.resources
    .filter(({ type }) => type === 'AWS::CodeDeploy::DeploymentGroup')
    .map(({ properties }) => properties.DeploymentGroupName);
  return stack.functions.map(({ handler, name, roleArn, environment, timeoutSeconds, memoryMB, url }) => {
    const dot = handler.lastIndexOf('.');
    return {
      ...{ name, environment, timeoutSeconds, memoryMB, roleArn, url },
      ...{ handlerFile: join(bundleFolder, `${handler.slice(0, dot)}.mjs`), exportName: handler.slice(dot + 1) },
      aliases: shifted.includes(name) ? [ALIAS] : [],
      accessKeyId: roles.accessKeyOf({ roleArn, session: name }),
    };
  });
}

/** Counts invocations, takes the metrics that functions print, and keeps their logs, if their roles may log. */
export function observeInvocations({
  record,
  vended,
  logs,
  roles,
}: {
  readonly record: RecordDatum;
  readonly vended: VendedMetrics;
  readonly logs: LogStore;
  readonly roles: StackRoles;
}): (invocation: EndedInvocation) => void {
  return (invocation) => {
    const { lambda, lines, logStream } = invocation;
    vended.invocation(invocation);
    for (const { text } of lines) recordEmbedded(text, record);
    const logGroupName = `/aws/lambda/${lambda.name}`;
    const caller = { roleArn: lambda.roleArn ?? '', session: lambda.name };
    roles.authorize(caller, 'logs', 'PutLogEvents', { logGroupName, logStreamName: logStream }).then(
      () =>
        logs.append(
          logGroupName,
          logStream,
          lines.map(({ timeMs, text }) => ({ timeMs, message: text })),
        ),
      // As in AWS: a function whose role may not log runs, and nothing of it is kept. The denial is reported.
      () => undefined,
    );
  };
}

/** Invoke for callers in this process (Step Functions); over the wire it is lambdaService's. */
export function invokeInProcess(runtime: LambdaRuntime) {
  return async ({ FunctionName, Payload }: { FunctionName: string; Payload: string }) => {
    const { payload, functionError } = await runtime.invoke(FunctionName, Payload);
    return { StatusCode: 200, Payload: payload, ...(functionError && { FunctionError: functionError }) };
  };
}
