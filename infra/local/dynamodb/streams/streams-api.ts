import { AwsError, notImplemented, refuseUnknown } from '../../protocol/aws-error.ts';
import { positionOf, type Stream, type StreamLog, sequenceNumberOf } from './stream-log.ts';

/** Most records and bytes in an answer of GetRecords. Source: its API reference. */
const RECORDS_MAX = 1_000;
const RECORDS_BYTES_MAX = 1024 * 1024;
/** Most streams or shards in a page. Source: ListStreams, DescribeStream. */
const PAGE_MAX = 100;
/** An iterator expires this long after it was handed out. Source: GetShardIterator. */
const ITERATOR_MILLIS = 15 * 60_000;

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
        return JSON.stringify(listStreams(log, input));
      case 'DescribeStream':
        return JSON.stringify(describeStream(log, input as DescribeStream));
      case 'GetShardIterator':
        return JSON.stringify(getShardIterator(log, input as GetShardIterator));
      case 'GetRecords':
        return getRecords(log, input as GetRecords);
      default:
        throw notImplemented('dynamodbstreams', operation);
    }
  };
}

interface ListStreams {
  TableName?: string;
  Limit?: number;
  ExclusiveStartStreamArn?: string;
}

function listStreams(log: StreamLog, input: ListStreams): object {
  refuseUnknown('dynamodbstreams', 'ListStreams', input, ['TableName', 'Limit', 'ExclusiveStartStreamArn']);
  const limit = limitOf(input.Limit, PAGE_MAX);
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
  refuseUnknown('dynamodbstreams', 'DescribeStream', input, ['StreamArn', 'Limit', 'ExclusiveStartShardId']);
  limitOf(input.Limit, PAGE_MAX);
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
  const known = ['StreamArn', 'ShardId', 'ShardIteratorType', 'SequenceNumber'];
  refuseUnknown('dynamodbstreams', 'GetShardIterator', input, known);
  const stream = find(log, input.StreamArn);
  if (stream.shardId !== input.ShardId) {
    throw new AwsError('ResourceNotFoundException', `Requested resource not found: Shard ${input.ShardId} not found`);
  }
  const position = startOf(log, stream, input);
  if (position < stream.trimmed) throw trimmed();
  return { ShardIterator: encode({ stream: stream.arn, position, at: Date.now() }) };
}

function startOf(log: StreamLog, stream: Stream, input: GetShardIterator): number {
  switch (input.ShardIteratorType) {
    case 'TRIM_HORIZON':
      return stream.trimmed;
    case 'LATEST':
      return log.end(stream);
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER':
      if (!/^\d{21,40}$/.test(input.SequenceNumber ?? '')) {
        throw invalid('Invalid SequenceNumber: 21 to 40 digits are required with this ShardIteratorType');
      }
      return positionOf(input.SequenceNumber ?? '', input.ShardIteratorType === 'AT_SEQUENCE_NUMBER' ? 'at' : 'after');
    default:
      throw invalid(
        `Value '${input.ShardIteratorType}' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]`,
      );
  }
}

interface GetRecords {
  ShardIterator: string;
  Limit?: number;
}

function getRecords(log: StreamLog, input: GetRecords): string {
  refuseUnknown('dynamodbstreams', 'GetRecords', input, ['ShardIterator', 'Limit']);
  const limit = limitOf(input.Limit, RECORDS_MAX);
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

function limitOf(limit: number | undefined, max: number): number {
  if (limit === undefined) return max;
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return limit;
  throw invalid(`Value '${limit}' at 'limit' failed to satisfy constraint: Member must be between 1 and ${max}`);
}

function encode(state: IteratorState): string {
  return `${state.stream}|1|${Buffer.from(JSON.stringify(state)).toString('base64')}`;
}

function decode(text: string): IteratorState {
  try {
    return JSON.parse(Buffer.from(String(text).split('|')[2] ?? '', 'base64').toString('utf8'));
  } catch {
    throw invalid('Invalid ShardIterator');
  }
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

function trimmed(): AwsError {
  return new AwsError(
    'TrimmedDataAccessException',
    'The operation attempted to read past the oldest stream record in a shard: records older than 24 hours are gone.',
  );
}
