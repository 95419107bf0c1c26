/** Environment of retrain as the stack gives it. */
export const retrainEnvironment: Readonly<Record<string, string>> = {
  FEATURE_GROUP: 'bank-marketing',
  STATE_TABLE: 'state',
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:retraining',
  DATA_BUCKET: 'data',
  GLUE_DATABASE: 'tributary_bank_marketing_dev',
  ATHENA_WORKGROUP: 'tributary-bank-marketing-dev',
  ENDPOINT_NAME: 'tributary-bank-marketing-dev',
  TRAINING_ROLE_ARN: 'arn:aws:iam::000000000000:role/training',
  TRAINING_INSTANCE_TYPE: 'ml.m5.large',
  ENDPOINT_INSTANCE_TYPE: 'ml.t2.medium',
  LABELS_THRESHOLD: '1000',
  LABELS_PER_CLASS_MIN: '50',
  COOL_DOWN_SECONDS: '3600',
  STALENESS_MAX_SECONDS: '604800',
  CHANGE_LOG_BUFFER_SECONDS: '60',
  ENDPOINT_POLL_SECONDS: '30',
};
