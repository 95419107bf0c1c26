import type { Stack } from './stack.ts';

/** Names of the deployed stack that whoever uses it needs: an application, an analyst, the demo. */
export interface StackNames {
  readonly sourceTable: string;
  readonly stateTable: string;
  readonly dataBucket: string;
  readonly quarantineBucket: string;
  readonly featureGroup: string;
  readonly database: string;
  readonly workGroup: string;
  readonly endpoint: string;
  readonly stateMachineArn: string;
  readonly ingestFunction: string;
  readonly predictFunction: string;
}

/** @throws Error naming what the stack lacks; what only trainings need, when it is asked for. */
export function stackNames(stack: Stack): StackNames {
  const output = (name: string): string => {
    const value = stack.outputs[name];
    if (value === undefined) throw new Error(`The stack ${stack.name} has no output ${name}.`);
    return value;
  };
  const functionName = (handler: string): string => {
    const found = stack.functions.find((it) => it.handler === handler);
    if (!found) throw new Error(`The stack ${stack.name} has no function of ${handler}.`);
    return found.name;
  };
  return {
    sourceTable: output('SourceTableName'),
    stateTable: output('StateTableName'),
    dataBucket: output('DataBucketName'),
    quarantineBucket: output('QuarantineBucketName'),
    featureGroup: output('FeatureGroupName'),
    database: output('AthenaDatabase'),
    workGroup: output('AthenaWorkGroup'),
    ingestFunction: functionName('functions/ingest.handler'),
    // A stack that trains nothing has none of these.
    get endpoint() {
      return output('EndpointName');
    },
    get stateMachineArn() {
      return output('RetrainingStateMachineArn');
    },
    get predictFunction() {
      return functionName('functions/predict.handler');
    },
  };
}
