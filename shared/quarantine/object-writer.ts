import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { PutObject } from '../sinks/quarantine.ts';

/** PutObject through the SDK. */
export function s3ObjectWriter(settings: S3ClientConfig): PutObject {
  const s3 = new S3Client(settings);
  return (input) => s3.send(new PutObjectCommand(input));
}
