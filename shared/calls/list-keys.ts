import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';

/** Keys of the objects under a prefix: as {@link listObjects}. */
export async function* listKeys(...listing: Parameters<typeof listObjects>): AsyncGenerator<string, void> {
  for await (const { key } of listObjects(...listing)) yield key;
}

/**
 * The objects under a prefix, in S3's order, page by page: nothing more is asked for than is taken. The SDK's
 * paginator would do, but insists on a client of its own class, which a simulated one is not.
 *
 * @param after key that the listing begins behind.
 */
export async function* listObjects(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  prefix: string,
  { after, abortSignal }: { after?: string | undefined; abortSignal?: AbortSignal } = {},
): AsyncGenerator<{ key: string; modifiedMs: number; bytes: number }, void> {
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ContinuationToken: token,
        ...(after !== undefined && { StartAfter: after }),
      }),
      abortSignal && { abortSignal },
    );
    for (const { Key: key, LastModified, Size: bytes = 0 } of page.Contents ?? [])
      if (key !== undefined) yield { key, modifiedMs: Number(LastModified ?? 0), bytes };
    token = page.NextContinuationToken;
  } while (token !== undefined);
}
