import { BACKFILLS_PREFIX, EXPORTS_PREFIX } from '../../../shared/history/prefixes.ts';
import { FAILED_BATCHES_PREFIX, QUARANTINE_PREFIX } from '../../../shared/quarantine/bucket.ts';
import { getAtt, join, RETAIN, type Resource, type Resources, ref } from '../cloudformation/intrinsics.ts';

/** Prefixes of the data bucket, beside those of the logs. */
export const CHANGE_LOG_ERRORS_PREFIX = 'change-log-errors/';
export const PREDICTION_LOG_ERRORS_PREFIX = 'prediction-log-errors/';
export const OFFLINE_STORE_PREFIX = 'offline-store/';
export const TRAINING_SETS_PREFIX = 'training-sets/';
export const MODELS_PREFIX = 'models/';
export const ATHENA_RESULTS_PREFIX = 'athena-results/';

/** Results of queries can be had again by asking again. */
const ATHENA_RESULTS_DAYS = 7;
/** Training sets are evidence of what a model learned, until the model has been replaced many times. */
const TRAINING_SETS_DAYS = 180;
/** Exports and lists of a backfill: the table's own history goes back no further. */
const HISTORY_DAYS = 35;
/** What waits for redrive holds whole items, so it does not stay for ever. */
export const QUARANTINE_DAYS = 180;
/** An upload that was not finished in a day never will be. */
const INCOMPLETE_UPLOAD_DAYS = 1;

/**
 * The bucket of the logs, the offline store, snapshots, training sets, models, query results and exports. Snapshots do not
 * expire by their age, as a view may read one for long: retrain removes those that were replaced.
 */
export function dataBucket(): Resources {
  return bucket('DataBucket', {
    [ATHENA_RESULTS_PREFIX]: ATHENA_RESULTS_DAYS,
    [TRAINING_SETS_PREFIX]: TRAINING_SETS_DAYS,
    [EXPORTS_PREFIX]: HISTORY_DAYS,
    [BACKFILLS_PREFIX]: HISTORY_DAYS,
  });
}

/** The bucket of records and batches that could not be delivered. Apart, as fewer people may read it. */
export function quarantineBucket(): Resources {
  return bucket('QuarantineBucket', { [QUARANTINE_PREFIX]: QUARANTINE_DAYS, [FAILED_BATCHES_PREFIX]: QUARANTINE_DAYS });
}

/** A private, encrypted bucket that is reached by TLS only and expires objects by prefix, in days. */
function bucket(logicalId: string, expireDays: Readonly<Record<string, number>>): Resources {
  return {
    [logicalId]: {
      Type: 'AWS::S3::Bucket',
      ...RETAIN,
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LifecycleConfiguration: {
          Rules: [
            {
              Id: 'incomplete-uploads',
              Status: 'Enabled',
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: INCOMPLETE_UPLOAD_DAYS },
            },
            ...Object.entries(expireDays).map(([prefix, days]) => ({
              Id: `expire-${prefix.replaceAll('/', '-')}${days}-days`,
              Status: 'Enabled',
              Prefix: prefix,
              ExpirationInDays: days,
            })),
          ],
        },
      },
    },
    [`${logicalId}Policy`]: tlsOnly(logicalId),
  };
}

function tlsOnly(logicalId: string): Resource {
  return {
    Type: 'AWS::S3::BucketPolicy',
    Properties: {
      Bucket: ref(logicalId),
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'TlsOnly',
            Effect: 'Deny',
            Principal: '*',
            Action: 's3:*',
            Resource: [getAtt(logicalId, 'Arn'), join(getAtt(logicalId, 'Arn'), '/*')],
            Condition: { Bool: { 'aws:SecureTransport': false } },
          },
        ],
      },
    },
  };
}
