import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { REGION } from '../../local/protocol/arn.ts';
import type { StackNames } from '../../local/stack/names.ts';

/** What to set so that the AWS CLI and the SDKs speak to the local cloud. Version 1 of the CLI knows the region by the second name only. */
export function environmentToSet(endpoint: string): string[] {
  return [
    `export AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local`,
    `export AWS_REGION=${REGION} AWS_DEFAULT_REGION=${REGION}`,
  ];
}

/**
 * Three commands that show the loop from a write to a prediction, or to all of a record's places where nothing is trained:
 * two of the AWS CLI, versions 1 and 2, and one of this project.
 *
 * @param definition as a person named it.
 */
export function commandsToTry(
  names: StackNames,
  group: FeatureGroup,
  definition: string,
  item: Record<string, AttributeValue>,
): string[] {
  const { name, attributes } = group.recordIdentifier;
  const identifier = attributes.map((attribute) => item[attribute]?.S ?? item[attribute]?.N ?? '').join('|');
  return [
    `aws dynamodb put-item --table-name ${names.sourceTable} --item ${quoted(JSON.stringify(item))}`,
    `aws sagemaker-featurestore-runtime get-record --feature-group-name ${names.featureGroup} --record-identifier-value-as-string ${quoted(identifier)}`,
    group.label
      ? `npm run predict -- ${quoted(JSON.stringify({ [name]: identifier }))} --definition ${quoted(definition)}`
      : `npm run features -- get ${quoted(identifier)} --definition ${quoted(definition)}`,
  ];
}

/** A word as a POSIX shell takes it. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
