import { allow, roleOf, withStatements } from '../cloudformation/iam.ts';
import type { Resource, Resources } from '../cloudformation/intrinsics.ts';

/** X-Ray takes traces and hands out sampling rules for no resource that could be named. */
const SEND_TRACES = allow(['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], '*');
const SAMPLE = allow(['xray:GetSamplingRules', 'xray:GetSamplingTargets'], '*');

/** X-Ray for the state machine, and for the functions the right to send what `tracing` in serverless.yml switches on. */
export function traced(resources: Resources): Resources {
  return Object.fromEntries(
    Object.entries(resources).map(([logicalId, resource]) => [logicalId, tracedResource(resource)]),
  );
}

function tracedResource(resource: Resource): Resource {
  if (resource.Type === 'AWS::StepFunctions::StateMachine') {
    return { ...resource, Properties: { ...resource.Properties, TracingConfiguration: { Enabled: true } } };
  }
  const role = roleOf(resource);
  switch (role?.service) {
    case 'lambda.amazonaws.com':
      return withStatements(resource, [...role.statements, SEND_TRACES]);
    case 'states.amazonaws.com':
      return withStatements(resource, [...role.statements, SEND_TRACES, SAMPLE]);
    default:
      return resource;
  }
}
