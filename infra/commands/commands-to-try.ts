import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { endpointName } from '../../shared/model/names.ts';
import { schemaHash } from '../../shared/model/schema-hash.ts';
import { REGION } from '../local/protocol/arn.ts';
import type { StackNames } from '../local/stack/names.ts';

/** Where training sets lie in the data bucket. */
const TRAINING_SETS_PREFIX = 'training-sets/';

/** Where the CLI writes an endpoint's answer. /dev/stdout would empty a file that the shell's output goes to. */
const ANSWER_FILE = '/tmp/prediction.json';

/** What to set so that the AWS CLI and the SDKs speak to the local cloud. Version 1 of the CLI knows the region by the second name only. */
export function environmentToSet(endpoint: string): string[] {
  return [
    `export AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local`,
    `export AWS_REGION=${REGION} AWS_DEFAULT_REGION=${REGION}`,
  ];
}

/**
 * Three commands of the AWS CLI, versions 1 and 2, that show the loop from a write to a prediction.
 *
 * @param row a row for the endpoint; without one no model serves yet.
 */
export function commandsToTry(
  names: StackNames,
  group: FeatureGroup,
  item: Record<string, AttributeValue>,
  row: string | undefined,
): string[] {
  const endpoint = endpointName(names.endpoint, schemaHash(group));
  const identifier = group.recordIdentifier.attributes.map((attribute) => item[attribute]?.S ?? '').join('|');
  return [
    `aws dynamodb put-item --table-name ${names.sourceTable} --item ${quoted(JSON.stringify(item))}`,
    `aws sagemaker-featurestore-runtime get-record --feature-group-name ${names.featureGroup} --record-identifier-value-as-string ${quoted(identifier)}`,
    row === undefined
      ? `# ${endpoint} serves after the first training: write labels (${group.label.name} = 0 or 1) to ${names.sourceTable}`
      : // The body comes from a file because the two versions of the CLI read text differently, but bytes alike.
        `echo ${quoted(row)} | aws sagemaker-runtime invoke-endpoint --endpoint-name ${endpoint} --content-type text/csv --body fileb:///dev/stdin ${ANSWER_FILE} && cat ${ANSWER_FILE}`,
  ];
}

/** A row as the endpoint takes it: one of the latest training set's, without its label. */
export async function rowForEndpoint(s3: S3Client, bucket: string): Promise<string | undefined> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: TRAINING_SETS_PREFIX }));
  const latest = Contents.filter(({ Size }) => Size).sort(
    (a, b) => (b.LastModified?.getTime() ?? 0) - (a.LastModified?.getTime() ?? 0),
  )[0];
  if (!latest) return undefined;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: latest.Key }));
  const [line = ''] = ((await Body?.transformToString()) ?? '').split('\n');
  return line.slice(line.indexOf(',') + 1);
}

/** A word as a POSIX shell takes it. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
