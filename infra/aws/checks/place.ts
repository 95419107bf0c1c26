import { trainingImage } from '../../../shared/training/images.ts';

/** Regions without Lambda's function URLs, by which predict is asked. Source: Lambda guide, function URLs; registry of CloudFormation. */
const WITHOUT_FUNCTION_URLS = [
  ...['ap-east-2', 'ap-south-2', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
  ...['ca-west-1', 'eu-central-2', 'eu-south-2', 'il-central-1', 'me-central-1', 'mx-central-1'],
];

/** Regions without CloudFormation's type of a feature group. Source: registry of CloudFormation. */
const WITHOUT_FEATURE_GROUPS = ['ap-south-2', 'ap-southeast-4', 'ca-west-1', 'me-central-1', 'mx-central-1'];

/** Regions of other partitions begin so: their ARNs are others, and state machines call services by other names. */
const OTHER_PARTITIONS = /^(cn|us-gov|us-iso|us-isob|eu-isoe|us-isof|eusc)-/;

const WAY_OUT = 'deploy to another region, such as eu-west-1 or us-east-1';

/** Where a stack is to be. */
export interface Place {
  readonly region: string;
  readonly stage: string;
  /** Account that it is deployed to; unknown while it is only packaged. */
  readonly account?: string | undefined;
}

/** Why a stack cannot be there: a sentence each, with the way out. */
export function placeProblems({ region, stage }: Place): string[] {
  return [...regionProblems(region), ...stageProblems(stage)];
}

function regionProblems(region: string): string[] {
  if (OTHER_PARTITIONS.test(region)) {
    return [`region ${region} is in another partition than aws, which Tributary does not support: ${WAY_OUT}`];
  }
  try {
    trainingImage('linear-learner', region);
    trainingImage('xgboost', region);
  } catch {
    return [`region ${region} has no training image that is known: ${WAY_OUT}`];
  }
  if (WITHOUT_FEATURE_GROUPS.includes(region)) {
    return [`region ${region} has no feature groups in CloudFormation: ${WAY_OUT}`];
  }
  if (WITHOUT_FUNCTION_URLS.includes(region)) {
    return [`region ${region} has no function URLs, by which predict is asked: ${WAY_OUT}`];
  }
  return [];
}

/** Names fold letters to lower case and `_` to `-`: two stages that differ only there would be one stack. */
function stageProblems(stage: string): string[] {
  if (/^[a-z][a-z0-9-]*$/.test(stage)) return [];
  return [`stage is ${JSON.stringify(stage)}; expected: small letters, digits and hyphens, a letter first`];
}

/** Params by which a stack is given ARNs. */
export const ARN_PARAMS = [
  ...(['sourceTableStreamArn', 'kmsKeyArn', 'alarmTopicArn'] as const),
  ...(['deploymentRoleArn', 'permissionsBoundaryArn'] as const),
] as const;

/** ARNs that a stack is given, by the params that give them; `''` for none. */
export type GivenArns = Readonly<Partial<Record<(typeof ARN_PARAMS)[number], string>>>;

/** Which ARNs are of another region, partition or account than the stack, and what to do. */
export function arnProblems(arns: GivenArns, { region, account }: Place): string[] {
  const given = Object.entries(arns).filter(([, it]) => it !== '');
  const accountOf = (arn: string) => arn.split(':')[4];
  const expected = account ?? accountOf(given[0]?.[1] ?? '');
  return given.flatMap(([name, arn]) => {
    const [, partition, service, arnRegion] = arn.split(':');
    const problems: string[] = [];
    if (partition !== 'aws') problems.push(`${name} is of the partition ${partition}; the stack is of aws`);
    // IAM is of no region.
    if (service !== 'iam' && arnRegion !== region) {
      problems.push(`${name} is of the region ${arnRegion}, and the stack is deployed to ${region}: they must be one`);
    }
    if (accountOf(arn) !== expected) {
      const stack =
        account === undefined ? `${given[0]?.[0]} is of ${expected}` : `the stack is deployed to ${expected}`;
      problems.push(`${name} is of the account ${accountOf(arn)}, and ${stack}: they must be one`);
    }
    return problems;
  });
}
