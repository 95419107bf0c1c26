import { allow, role } from '../cloudformation/iam.ts';
import { arn, getAtt, join, type Resources, ref } from '../cloudformation/intrinsics.ts';
import { MODELS_PREFIX, TRAINING_SETS_PREFIX } from '../data/buckets.ts';

/** The repositories of the algorithms a definition can be trained with; AWS keeps them in accounts of its own. */
const ALGORITHM_REPOSITORIES = ['linear-learner', 'sagemaker-xgboost'];

/** The role of training jobs and of the endpoint's model: training sets in, models out. */
export function trainingRole(): Resources {
  const bucket = getAtt('DataBucket', 'Arn');
  return {
    TrainingRole: role('sagemaker.amazonaws.com', [
      allow(['s3:GetBucketLocation', 's3:ListBucket'], [bucket]),
      allow(['s3:GetObject'], [join(bucket, `/${TRAINING_SETS_PREFIX}*`), join(bucket, `/${MODELS_PREFIX}*`)]),
      allow(['s3:PutObject', 's3:AbortMultipartUpload'], [join(bucket, `/${MODELS_PREFIX}*`)]),
      allow(
        ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        [arn('logs', 'log-group:/aws/sagemaker/*')],
      ),
      // PutMetricData and GetAuthorizationToken know no resource.
      allow(['cloudwatch:PutMetricData'], '*', {
        StringEquals: {
          'cloudwatch:namespace': [
            '/aws/sagemaker/TrainingJobs',
            '/aws/sagemaker/TransformJobs',
            '/aws/sagemaker/Endpoints',
          ],
        },
      }),
      // The alarms that an update of the endpoint is rolled back by.
      allow(['cloudwatch:DescribeAlarms'], '*'),
      allow(['ecr:GetAuthorizationToken'], '*'),
      allow(
        ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        ALGORITHM_REPOSITORIES.map((name) =>
          join('arn:', ref('AWS::Partition'), ':ecr:', ref('AWS::Region'), `:*:repository/${name}`),
        ),
      ),
    ]),
  };
}
