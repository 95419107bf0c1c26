import { createHash } from 'node:crypto';
import { AwsError, type AwsService } from './aws-call.ts';

/** Objects in one page of a listing; S3's own 1,000 would hardly be reached here. */
const LIST_PAGE_OBJECTS = 20;

/** S3, as far as the quarantine bucket needs it. */
export class QuarantineBucket implements AwsService {
  readonly name = 'S3';
  readonly throttlingCode = 'SlowDown';
  readonly objects = new Map<string, string>();
  /** Records that were ever put into quarantine, as JSON, by their sequence number. */
  readonly quarantined = new Map<string, string>();

  handle(operation: string, input: unknown): unknown {
    const {
      Key = '',
      Body = '',
      Prefix = '',
      StartAfter = '',
      ContinuationToken = StartAfter,
      IfMatch,
    } = input as Record<string, string>;
    const text = this.objects.get(Key);
    switch (operation) {
      case 'PutObjectCommand':
        if (IfMatch !== undefined && text === undefined) throw noSuchKey();
        if (IfMatch !== undefined && etagOf(text as string) !== IfMatch) {
          throw new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
        }
        this.put(Key, Body);
        return {};
      case 'GetObjectCommand':
        if (text === undefined) throw noSuchKey();
        return { Body: { transformToString: async () => text }, ETag: etagOf(text) };
      case 'DeleteObjectCommand':
        this.objects.delete(Key);
        return {};
      case 'ListObjectsV2Command': {
        const keys = [...this.objects.keys()].sort().filter((key) => key.startsWith(Prefix) && key > ContinuationToken);
        const page = keys.slice(0, LIST_PAGE_OBJECTS);
        return {
          Contents: page.map((key) => ({ Key: key })),
          ...(keys.length > page.length && { NextContinuationToken: page.at(-1) }),
        };
      }
      default:
        throw new Error(`not simulated: ${operation} of S3`);
    }
  }

  put(key: string, body: string): void {
    this.objects.set(key, body);
    if (!key.startsWith('quarantine/')) return;
    for (const line of body.split('\n').filter(Boolean)) {
      const { sequenceNumber, record } = JSON.parse(line);
      this.quarantined.set(sequenceNumber, JSON.stringify(record));
    }
  }
}

const noSuchKey = () => new AwsError('NoSuchKey', 'The specified key does not exist.');
const etagOf = (text: string) => `"${createHash('md5').update(text).digest('hex')}"`;
