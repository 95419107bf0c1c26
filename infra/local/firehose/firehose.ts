import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { PutRecordBatchResponseEntry } from '@aws-sdk/client-firehose';
import { ACCOUNT, arn } from '../protocol/arn.ts';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Faults } from '../protocol/faults.ts';
import type { Caller, Service } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { DeliveryStream, type DeliveryStreamOptions, type OnDelivery } from './delivery-stream.ts';
import { Spool } from './spool.ts';

/** Source: PutRecordBatch: 500 records, 4 MiB a call; 1,000 KiB a record before base64. */
const RECORDS_MAX = 500;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const RECORD_BYTES_MAX = 1_024_000;

/** Streams of one page. Source: ListDeliveryStreams. */
const LIST_DEFAULT = 10;

/** A record as it comes over the wire: its data in base64. */
interface WireRecord {
  readonly Data?: string;
}

export interface FirehoseOptions {
  readonly objects: ObjectStore;
  /** Where records wait. Without it they wait in memory and a restart loses them. */
  readonly db?: DatabaseSync;
  readonly faults: Faults;
  /** The objects as a role may use them. Default: as anybody may. */
  readonly objectsAs?: (caller: Caller) => ObjectStore;
  /** Hears of every object that is delivered. */
  readonly onDelivery?: OnDelivery;
}

/** Amazon Data Firehose with Direct PUT into S3. */
export function firehose({
  objects,
  db = new DatabaseSync(':memory:'),
  faults,
  objectsAs,
  onDelivery,
}: FirehoseOptions) {
  const spool = new Spool(db);
  const streams = new Map<string, DeliveryStream>();
  const streamOf = (name: string | undefined): DeliveryStream => {
    const stream = streams.get(name ?? '');
    if (stream) return stream;
    throw new AwsError('ResourceNotFoundException', `Firehose ${name} under account ${ACCOUNT} not found.`);
  };
  const close = async () => {
    await Promise.all([...streams.values()].map((stream) => stream.close()));
  };
  const service: Service = {
    name: 'firehose',
    target: 'Firehose_20150804',
    operations: {
      PutRecord: ({ DeliveryStreamName, Record, ...rest }: { DeliveryStreamName?: string; Record?: WireRecord }) => {
        refuseUnknown('firehose', 'PutRecord', rest, []);
        const stream = streamOf(DeliveryStreamName);
        stream.put([dataOf(Record, 'record')]);
        return { RecordId: recordId(), Encrypted: false };
      },
      PutRecordBatch: ({
        DeliveryStreamName,
        Records,
        ...rest
      }: {
        DeliveryStreamName?: string;
        Records?: WireRecord[];
      }) => {
        refuseUnknown('firehose', 'PutRecordBatch', rest, []);
        return putRecordBatch(streamOf(DeliveryStreamName), batchOf(Records), faults);
      },
      DescribeDeliveryStream: ({ DeliveryStreamName, ...rest }: { DeliveryStreamName?: string }) => {
        refuseUnknown('firehose', 'DescribeDeliveryStream', rest, ['Limit']);
        return { DeliveryStreamDescription: describe(streamOf(DeliveryStreamName)) };
      },
      ListDeliveryStreams: (input: {
        Limit?: number;
        DeliveryStreamType?: string;
        ExclusiveStartDeliveryStreamName?: string;
      }) => {
        refuseUnknown('firehose', 'ListDeliveryStreams', input, [
          'Limit',
          'DeliveryStreamType',
          'ExclusiveStartDeliveryStreamName',
        ]);
        const {
          Limit = LIST_DEFAULT,
          DeliveryStreamType = 'DirectPut',
          ExclusiveStartDeliveryStreamName: after = '',
        } = input;
        const names =
          DeliveryStreamType === 'DirectPut' ? [...streams.keys()].sort().filter((name) => name > after) : [];
        return { DeliveryStreamNames: names.slice(0, Limit), HasMoreDeliveryStreams: names.length > Limit };
      },
    },
    close,
  };
  return {
    service,

    /**
     * Makes a delivery stream, or gives the one of that name other options. Records that waited at the last stop are
     * delivered when they are due.
     *
     * @throws AwsError InvalidArgumentException naming the option that CreateDeliveryStream would refuse.
     */
    async createDeliveryStream(options: DeliveryStreamOptions): Promise<void> {
      await streams.get(options.name)?.close();
      const { name, roleArn } = options;
      const seen = roleArn && objectsAs ? objectsAs({ roleArn, session: name }) : objects;
      streams.set(name, new DeliveryStream(options, spool, seen, onDelivery));
    },

    /** Delivers what a stream has gathered, now. */
    flush: (name: string) => streamOf(name).flush(),

    /** Stops all streams; what they gathered waits for the next start. */
    close,
  };
}

/** A partial fault fails the first record and every second one after it. */
function putRecordBatch(stream: DeliveryStream, records: readonly Buffer[], faults: Faults) {
  const isPartial = faults.partial('firehose', 'PutRecordBatch');
  const failed = records.map((_, index) => isPartial && index % 2 === 0);
  stream.put(records.filter((_, index) => !failed[index]));
  const responses: PutRecordBatchResponseEntry[] = failed.map((isFailed) =>
    isFailed ? { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' } : { RecordId: recordId() },
  );
  return { FailedPutCount: failed.filter(Boolean).length, Encrypted: false, RequestResponses: responses };
}

function batchOf(records: WireRecord[] | undefined): Buffer[] {
  if (!Array.isArray(records) || records.length < 1 || records.length > RECORDS_MAX) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length between 1 and ${RECORDS_MAX}`,
    );
  }
  const data = records.map((record, index) => dataOf(record, `records.${index + 1}.member`));
  const bytes = data.reduce((sum, it) => sum + it.byteLength, 0);
  if (bytes > BATCH_BYTES_MAX) {
    throw new AwsError('InvalidArgumentException', `Records size exceeds 4 MB limit: the batch has ${bytes} bytes`);
  }
  return data;
}

function dataOf(record: WireRecord | undefined, path: string): Buffer {
  if (typeof record?.Data !== 'string') {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value null at '${path}.data' failed to satisfy constraint: Member must not be null`,
    );
  }
  const data = Buffer.from(record.Data, 'base64');
  if (data.byteLength > RECORD_BYTES_MAX) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at '${path}.data' failed to satisfy constraint: Member must have length less than or equal to ${RECORD_BYTES_MAX}`,
    );
  }
  return data;
}

function describe({ options, createdAt }: DeliveryStream) {
  const { name, bucket, roleArn, prefix, errorPrefix, bufferSeconds, bufferMB, compression } = options;
  return {
    DeliveryStreamName: name,
    DeliveryStreamARN: arn('firehose', `deliverystream/${name}`),
    DeliveryStreamStatus: 'ACTIVE',
    DeliveryStreamType: 'DirectPut',
    VersionId: '1',
    CreateTimestamp: createdAt.getTime() / 1_000,
    HasMoreDestinations: false,
    Destinations: [
      {
        DestinationId: 'destinationId-000000000001',
        ExtendedS3DestinationDescription: {
          BucketARN: `arn:aws:s3:::${bucket}`,
          RoleARN: roleArn,
          Prefix: prefix,
          ErrorOutputPrefix: errorPrefix,
          BufferingHints: { IntervalInSeconds: bufferSeconds, SizeInMBs: bufferMB },
          CompressionFormat: compression,
        },
      },
    ],
  };
}

function recordId(): string {
  return randomBytes(96).toString('base64');
}
