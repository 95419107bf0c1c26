import { validationException } from './resources.ts';

/** Longest URI. Source: SageMaker API, S3Uri. */
const URI_LENGTH_MAX = 1_024;

/** Bucket and key of an `s3://` URI. @throws AwsError ValidationException when it is not one. */
export function parseS3Uri(uri: string): { bucket: string; key: string } {
  const match = uri.length <= URI_LENGTH_MAX ? /^s3:\/\/([^/\n]+)(?:\/(.*))?$/.exec(uri) : null;
  if (!match) {
    throw validationException(
      `1 validation error detected: Value '${uri.slice(0, URI_LENGTH_MAX)}' failed to satisfy constraint: Member must satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)`,
    );
  }
  return { bucket: match[1] ?? '', key: match[2] ?? '' };
}
