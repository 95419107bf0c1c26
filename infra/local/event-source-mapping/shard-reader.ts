import type { AwsError } from '../protocol/aws-error.ts';
import type { Call } from '../protocol/service.ts';
import type { StreamRecord } from './stream-record.ts';

interface GetRecordsAnswer {
  readonly Records?: readonly StreamRecord[];
  readonly NextShardIterator?: string | null;
}

export interface ShardPage {
  readonly records: readonly StreamRecord[];
  /** The shard is closed and this was its last page. */
  readonly ended: boolean;
}

/** Reads one shard in order. An iterator that expired is obtained anew from the last record read. */
export class ShardReader {
  readonly #call: Call;
  readonly #shard: { readonly StreamArn: string; readonly ShardId: string };
  readonly #report: (problem: string) => void;
  #last: string | undefined;
  #iterator: string | undefined;

  /** @param after sequence number to go on after; undefined: from the trim horizon. */
  constructor(
    call: Call,
    shard: { StreamArn: string; ShardId: string },
    after: string | undefined,
    report: (problem: string) => void,
  ) {
    this.#call = call;
    this.#shard = shard;
    this.#last = after;
    this.#report = report;
  }

  /** Sequence number of the last record read. */
  get last(): string | undefined {
    return this.#last;
  }

  /** @throws whatever the stream answers, save what only means that the iterator is to be obtained again. */
  async read(limit: number): Promise<ShardPage> {
    const answer = await this.#getRecords(limit).catch((error: AwsError) => {
      if (error.code !== 'ExpiredIteratorException' && error.code !== 'TrimmedDataAccessException') throw error;
      this.#iterator = undefined;
      return this.#getRecords(limit);
    });
    const records = answer.Records ?? [];
    this.#iterator = answer.NextShardIterator ?? undefined;
    this.#last = records.at(-1)?.dynamodb?.SequenceNumber ?? this.#last;
    return { records, ended: this.#iterator === undefined };
  }

  async #getRecords(Limit: number): Promise<GetRecordsAnswer> {
    this.#iterator ??= await this.#obtain();
    return (await this.#call('dynamodbstreams', 'GetRecords', {
      ShardIterator: this.#iterator,
      Limit,
    })) as GetRecordsAnswer;
  }

  async #obtain(): Promise<string> {
    const position =
      this.#last === undefined
        ? { ShardIteratorType: 'TRIM_HORIZON' }
        : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: this.#last };
    const answer = await this.#call('dynamodbstreams', 'GetShardIterator', { ...this.#shard, ...position }).catch(
      (error: AwsError) => {
        if (error.code !== 'TrimmedDataAccessException' || this.#last === undefined) throw error;
        this.#report(
          `records of ${this.#shard.ShardId} after ${this.#last} were trimmed before they were read: they are lost to the function`,
        );
        this.#last = undefined;
        return this.#call('dynamodbstreams', 'GetShardIterator', { ...this.#shard, ShardIteratorType: 'TRIM_HORIZON' });
      },
    );
    return String((answer as { ShardIterator?: string }).ShardIterator);
  }
}
