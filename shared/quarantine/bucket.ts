/** Where rejected records lie in the quarantine bucket, one object each. */
export const QUARANTINE_PREFIX = 'quarantine/';

/**
 * Where Lambda puts batches it has given up on. Its own choice: a destination is a bucket, without a prefix. Source:
 * Lambda developer guide, S3 as on-failure destination.
 */
export const FAILED_BATCHES_PREFIX = 'aws/lambda/';
