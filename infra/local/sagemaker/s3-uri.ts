import { validationException } from './resources.ts';

/** Bucket and key of an `s3://` URI. @throws AwsError ValidationException when it is not one. */
export function parseS3Uri(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri);
  if (!match) {
    throw validationException(
      `1 validation error detected: Value '${uri}' failed to satisfy constraint: Member must satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)`,
    );
  }
  return { bucket: match[1] ?? '', key: match[2] ?? '' };
}
