import { CHANGE_LOG_PREFIX } from '../../../shared/change-log/sql.ts';
import { PREDICTION_LOG_PREFIX } from '../../../shared/prediction-log/row.ts';
import { allow, role } from '../cloudformation/iam.ts';
import { arn, getAtt, join, type Resources, ref } from '../cloudformation/intrinsics.ts';
import { CHANGE_LOG_ERRORS_PREFIX, PREDICTION_LOG_ERRORS_PREFIX } from './buckets.ts';

/** Largest buffer, so that time decides and files are few. Source: BufferingHints, 1 to 128 MB. */
const BUFFER_MB = 128;

const LOG_RETENTION_DAYS = 30;

/** @param bufferSeconds how long rows are gathered before a file is written, 0 to 900. */
export const changeLogStream = (bufferSeconds: number): Resources =>
  deliveryStream('ChangeLogStream', CHANGE_LOG_PREFIX, CHANGE_LOG_ERRORS_PREFIX, bufferSeconds);

/** @param bufferSeconds as of {@link changeLogStream}. */
export const predictionLogStream = (bufferSeconds: number): Resources =>
  deliveryStream('PredictionLogStream', PREDICTION_LOG_PREFIX, PREDICTION_LOG_ERRORS_PREFIX, bufferSeconds);

/** Firehose into the data bucket: files under the day they arrived, as the tables' partitions expect. */
function deliveryStream(logicalId: string, prefix: string, errorsPrefix: string, bufferSeconds: number): Resources {
  return {
    [logicalId]: {
      Type: 'AWS::KinesisFirehose::DeliveryStream',
      Properties: {
        DeliveryStreamType: 'DirectPut',
        DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' },
        ExtendedS3DestinationConfiguration: {
          BucketARN: getAtt('DataBucket', 'Arn'),
          RoleARN: getAtt(`${logicalId}Role`, 'Arn'),
          Prefix: `${prefix}dt=!{timestamp:yyyy-MM-dd}/`,
          ErrorOutputPrefix: `${errorsPrefix}!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/`,
          BufferingHints: { IntervalInSeconds: bufferSeconds, SizeInMBs: BUFFER_MB },
          CompressionFormat: 'UNCOMPRESSED',
          CloudWatchLoggingOptions: {
            Enabled: true,
            LogGroupName: ref(`${logicalId}LogGroup`),
            LogStreamName: ref(`${logicalId}LogStream`),
          },
        },
      },
    },
    [`${logicalId}LogGroup`]: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { RetentionInDays: LOG_RETENTION_DAYS },
    },
    [`${logicalId}LogStream`]: {
      Type: 'AWS::Logs::LogStream',
      Properties: { LogGroupName: ref(`${logicalId}LogGroup`), LogStreamName: 'delivery' },
    },
    [`${logicalId}Role`]: role('firehose.amazonaws.com', [
      allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [getAtt('DataBucket', 'Arn')]),
      allow(
        ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        [prefix, errorsPrefix].map((it) => join(getAtt('DataBucket', 'Arn'), `/${it}*`)),
      ),
      allow(
        ['logs:PutLogEvents'],
        [arn('logs', join('log-group:', ref(`${logicalId}LogGroup`), ':log-stream:delivery'))],
      ),
    ]),
  };
}
