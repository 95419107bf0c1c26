import { PutObjectCommand, type PutObjectCommandInput, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** PutObject of S3, until it is aborted. Errors are those that the SDK throws. */
export type PutObject = (input: PutObjectCommandInput, abortSignal: AbortSignal) => Promise<unknown>;

/** PutObject through the SDK. */
export function s3ObjectWriter(settings: S3ClientConfig): PutObject {
  const s3 = new S3Client(settings);
  return (input, abortSignal) => s3.send(new PutObjectCommand(input), { abortSignal });
}
