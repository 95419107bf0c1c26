import { AwsError, notImplemented, refuseUnknown } from '../../protocol/aws-error.ts';
import { check, type FieldTypes, integer, invalid } from '../engine/dynalite.ts';
import { positionOf, type Stream, type StreamLog, sequenceNumberOf } from './stream-log.ts';

/** Most records and bytes in an answer of GetRecords. Source: its API reference. */
const RECORDS_MAX = 1_000;
const RECORDS_BYTES_MAX = 1024 * 1024;
/** Most streams or shards in a page. Source: ListStreams, DescribeStream. */
const PAGE_MAX = 100;
/** An iterator expires this long after it was handed out. Source: GetShardIterator. */
const ITERATOR_MILLIS = 15 * 60_000;

/** Parameters of the operations and their limits. Source: the API model of DynamoDB Streams. */
const PAGE_LIMIT = integer(1, PAGE_MAX);
const STREAM_ARN = { type: 'String', lengthGreaterThanOrEqual: 37, lengthLessThanOrEqual: 1_024 };
const SHARD_ID = { type: 'String', lengthGreaterThanOrEqual: 28, lengthLessThanOrEqual: 65 };
const LIST_STREAMS: FieldTypes = {
  TableName: { type: 'String', lengthGreaterThanOrEqual: 3, lengthLessThanOrEqual: 255, regex: '[a-zA-Z0-9_.-]+' },
  Limit: PAGE_LIMIT,
  ExclusiveStartStreamArn: STREAM_ARN,
};
const DESCRIBE_STREAM: FieldTypes = {
  StreamArn: { ...STREAM_ARN, notNull: true },
  Limit: PAGE_LIMIT,
  ExclusiveStartShardId: SHARD_ID,
};
const GET_SHARD_ITERATOR: FieldTypes = {
  StreamArn: { ...STREAM_ARN, notNull: true },
  ShardId: { ...SHARD_ID, notNull: true },
  ShardIteratorType: {
    ...{ type: 'String', notNull: true },
    enum: ['AFTER_SEQUENCE_NUMBER', 'LATEST', 'AT_SEQUENCE_NUMBER', 'TRIM_HORIZON'],
  },
  SequenceNumber: { type: 'String', lengthGreaterThanOrEqual: 21, lengthLessThanOrEqual: 40 },
};
const GET_RECORDS: FieldTypes = {
  ShardIterator: { type: 'String', notNull: true, lengthGreaterThanOrEqual: 1, lengthLessThanOrEqual: 2_048 },
  Limit: integer(1, RECORDS_MAX),
};

/** Where an iterator stands: the stream, the last position passed, and when it was handed out. */
interface IteratorState {
  readonly stream: string;
  readonly position: number;
  readonly at: number;
}

/**
 * The DynamoDB Streams API over the records of writes.
 *
 * @returns what answers an operation with the JSON of its result; records are passed on as the text they are kept as.
 */
export function streamsApi(log: StreamLog): (operation: string, input: object) => string {
  return (operation, input) => {
    switch (operation) {
      case 'ListStreams':
        return JSON.stringify(listStreams(log, checked(operation, input, LIST_STREAMS)));
      case 'DescribeStream':
        return JSON.stringify(describeStream(log, checked(operation, input, DESCRIBE_STREAM)));
      case 'GetShardIterator':
        return JSON.stringify(getShardIterator(log, checked(operation, input, GET_SHARD_ITERATOR)));
      case 'GetRecords':
        return getRecords(log, checked(operation, input, GET_RECORDS));
      default:
        throw notImplemented('dynamodbstreams', operation);
    }
  };
}

/** @throws AwsError in AWS's words when a parameter is unknown, missing or past its limits. */
function checked<T>(operation: string, input: object, types: FieldTypes): T {
  refuseUnknown('dynamodbstreams', operation, input, Object.keys(types));
  return check<T>(input, { types });
}

interface ListStreams {
  TableName?: string;
  Limit?: number;
  ExclusiveStartStreamArn?: string;
}

function listStreams(log: StreamLog, input: ListStreams): object {
  const { Limit: limit = PAGE_MAX } = input;
  const all = log.streams().filter((it) => input.TableName === undefined || it.tableName === input.TableName);
  const first = input.ExclusiveStartStreamArn ? all.findIndex((it) => it.arn === input.ExclusiveStartStreamArn) + 1 : 0;
  const page = all.slice(first, first + limit);
  const last = first + limit < all.length ? page.at(-1) : undefined;
  return {
    Streams: page.map((it) => ({ StreamArn: it.arn, TableName: it.tableName, StreamLabel: it.label })),
    ...(last && { LastEvaluatedStreamArn: last.arn }),
  };
}

interface DescribeStream {
  StreamArn: string;
  Limit?: number;
  ExclusiveStartShardId?: string;
}

function describeStream(log: StreamLog, input: DescribeStream): object {
  const stream = find(log, input.StreamArn);
  const shard = {
    ShardId: stream.shardId,
    SequenceNumberRange: {
      StartingSequenceNumber: sequenceNumberOf(stream.start + 1),
      ...(stream.closedMillis !== undefined && { EndingSequenceNumber: sequenceNumberOf(log.end(stream)) }),
    },
  };
  return {
    StreamDescription: {
      StreamArn: stream.arn,
      StreamLabel: stream.label,
      StreamStatus: stream.closedMillis === undefined ? 'ENABLED' : 'DISABLED',
      StreamViewType: stream.viewType,
      CreationRequestDateTime: stream.createdMillis / 1_000,
      TableName: stream.tableName,
      KeySchema: stream.keySchema,
      Shards: input.ExclusiveStartShardId === stream.shardId ? [] : [shard],
    },
  };
}

interface GetShardIterator {
  StreamArn: string;
  ShardId: string;
  ShardIteratorType: string;
  SequenceNumber?: string;
}

function getShardIterator(log: StreamLog, input: GetShardIterator): object {
  const stream = find(log, input.StreamArn);
  if (stream.shardId !== input.ShardId) {
    throw new AwsError('ResourceNotFoundException', `Requested resource not found: Shard ${input.ShardId} not found`);
  }
  const position = startOf(log, stream, input);
  if (position < stream.trimmed) throw trimmed();
  return { ShardIterator: encode({ stream: stream.arn, position, at: Date.now() }) };
}

function startOf(log: StreamLog, stream: Stream, input: GetShardIterator): number {
  const { ShardIteratorType: type, SequenceNumber = '' } = input;
  if (type === 'TRIM_HORIZON') return stream.trimmed;
  if (type === 'LATEST') return log.end(stream);
  if (!/^\d+$/.test(SequenceNumber)) {
    throw invalid('Invalid SequenceNumber: 21 to 40 digits are required with this ShardIteratorType');
  }
  return positionOf(SequenceNumber, type === 'AT_SEQUENCE_NUMBER' ? 'at' : 'after');
}

interface GetRecords {
  ShardIterator: string;
  Limit?: number;
}

function getRecords(log: StreamLog, input: GetRecords): string {
  const { Limit: limit = RECORDS_MAX } = input;
  const iterator = decode(input.ShardIterator);
  if (Date.now() - iterator.at > ITERATOR_MILLIS) {
    throw new AwsError(
      'ExpiredIteratorException',
      `Iterator expired: handed out at ${new Date(iterator.at).toISOString()}`,
    );
  }
  const stream = find(log, iterator.stream);
  if (iterator.position < stream.trimmed) throw trimmed();
  const texts: string[] = [];
  let { position } = iterator;
  let bytes = 0;
  for (const record of log.read(stream, position, limit)) {
    bytes += Buffer.byteLength(record.text);
    // A single record may be larger than the limit (two images of 400 KB in base64): it is answered alone.
    if (texts.length > 0 && bytes > RECORDS_BYTES_MAX) break;
    texts.push(record.text);
    position = record.position;
  }
  const ended = stream.closedMillis !== undefined && position >= log.end(stream);
  const next = ended ? '' : `,"NextShardIterator":"${encode({ stream: stream.arn, position, at: Date.now() })}"`;
  return `{"Records":[${texts.join(',')}]${next}}`;
}

function find(log: StreamLog, arn: string): Stream {
  const stream = log.streams().find((it) => it.arn === arn);
  if (!stream) {
    throw new AwsError('ResourceNotFoundException', `Requested resource not found: Stream: ${arn} not found`);
  }
  return stream;
}

function encode(state: IteratorState): string {
  return `${state.stream}|1|${Buffer.from(JSON.stringify(state)).toString('base64')}`;
}

function decode(text: string): IteratorState {
  try {
    const state = JSON.parse(Buffer.from(text.split('|')[2] ?? '', 'base64').toString('utf8'));
    if (typeof state?.position === 'number') return state;
  } catch {}
  throw invalid('Invalid ShardIterator');
}

function trimmed(): AwsError {
  return new AwsError(
    'TrimmedDataAccessException',
    'The operation attempted to read past the oldest stream record in a shard: records older than 24 hours are gone.',
  );
}
