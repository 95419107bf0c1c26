import { CHANGE_LOG_PREFIX } from '../../../shared/change-log/sql.ts';
import { allow, role } from '../cloudformation/iam.ts';
import { arn, getAtt, join, type Resources, ref } from '../cloudformation/intrinsics.ts';
import { CHANGE_LOG_ERRORS_PREFIX } from './buckets.ts';

/** Largest buffer, so that time decides and files are few. Source: BufferingHints, 1 to 128 MB. */
const BUFFER_MB = 128;

const LOG_RETENTION_DAYS = 30;

/**
 * Firehose into the change log: files under the day they arrived, as the table's partitions expect.
 *
 * @param bufferSeconds how long rows are gathered before a file is written, 0 to 900.
 */
export function changeLogStream(bufferSeconds: number): Resources {
  return {
    ChangeLogStream: {
      Type: 'AWS::KinesisFirehose::DeliveryStream',
      Properties: {
        DeliveryStreamType: 'DirectPut',
        DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' },
        ExtendedS3DestinationConfiguration: {
          BucketARN: getAtt('DataBucket', 'Arn'),
          RoleARN: getAtt('ChangeLogStreamRole', 'Arn'),
          Prefix: `${CHANGE_LOG_PREFIX}dt=!{timestamp:yyyy-MM-dd}/`,
          ErrorOutputPrefix: `${CHANGE_LOG_ERRORS_PREFIX}!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/`,
          BufferingHints: { IntervalInSeconds: bufferSeconds, SizeInMBs: BUFFER_MB },
          CompressionFormat: 'UNCOMPRESSED',
          CloudWatchLoggingOptions: {
            Enabled: true,
            LogGroupName: ref('ChangeLogStreamLogGroup'),
            LogStreamName: ref('ChangeLogStreamLogStream'),
          },
        },
      },
    },
    ChangeLogStreamLogGroup: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { RetentionInDays: LOG_RETENTION_DAYS },
    },
    ChangeLogStreamLogStream: {
      Type: 'AWS::Logs::LogStream',
      Properties: { LogGroupName: ref('ChangeLogStreamLogGroup'), LogStreamName: 'delivery' },
    },
    ChangeLogStreamRole: role('firehose.amazonaws.com', [
      allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [getAtt('DataBucket', 'Arn')]),
      allow(
        ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        [CHANGE_LOG_PREFIX, CHANGE_LOG_ERRORS_PREFIX].map((prefix) => join(getAtt('DataBucket', 'Arn'), `/${prefix}*`)),
      ),
      allow(
        ['logs:PutLogEvents'],
        [arn('logs', join('log-group:', ref('ChangeLogStreamLogGroup'), ':log-stream:delivery'))],
      ),
    ]),
  };
}
