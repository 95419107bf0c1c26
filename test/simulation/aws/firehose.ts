import { CALL_BYTES_MAX, RECORD_DATA_BYTES_MAX, RECORDS_PER_CALL_MAX } from '../../../shared/change-log/packing.ts';
import type { Random } from '../world/random.ts';
import type { Scheduler } from '../world/scheduler.ts';
import { AwsError, type AwsService, type Caller } from './aws-call.ts';
import type { Faults } from './faults.ts';

/** Firehose's buffering interval, and how late an object may be, in milliseconds. */
const BUFFER_MS = 60_000;
const LATE_MS = 1_800_000;

/** A Firehose stream into S3: what it takes it delivers at least once, some time later, in any order. */
export class Firehose implements AwsService {
  readonly name = 'Firehose';
  readonly throttlingCode = 'ServiceUnavailableException';
  /** Rows in S3, in the order of their arrival. */
  readonly delivered: string[] = [];
  /** Records taken and not yet in S3. */
  buffered = 0;
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #onRow: (row: string, caller: Caller) => void;

  constructor(around: {
    scheduler: Scheduler;
    faults: Faults;
    random: Random;
    onRow(row: string, caller: Caller): void;
  }) {
    this.#scheduler = around.scheduler;
    this.#faults = around.faults;
    this.#random = around.random;
    this.#onRow = around.onRow;
  }

  handle(operation: string, input: unknown, caller: Caller): unknown {
    if (operation !== 'PutRecordBatchCommand') throw new Error(`not simulated: ${operation} of Firehose`);
    const { Records } = input as { Records: readonly { Data: Uint8Array }[] };
    const bytes = Records.reduce((sum, { Data }) => sum + Data.length, 0);
    const tooLarge = Records.some(({ Data }) => Data.length > RECORD_DATA_BYTES_MAX);
    if (Records.length < 1 || Records.length > RECORDS_PER_CALL_MAX || bytes > CALL_BYTES_MAX || tooLarge) {
      throw new AwsError('InvalidArgumentException', 'the call is beyond the limits of PutRecordBatch');
    }
    let failed = 0;
    const RequestResponses = Records.map(({ Data }, index) => {
      const refused = this.#faults.strikes('a Firehose record failed');
      if (!refused) this.#take(Buffer.from(Data).toString(), caller);
      if (refused || this.#faults.strikes('a Firehose record was taken and answered as failed')) {
        failed += 1;
        return { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' };
      }
      return { RecordId: String(index) };
    });
    return { FailedPutCount: failed, RequestResponses };
  }

  #take(data: string, caller: Caller): void {
    if (!data.endsWith('\n')) throw new Error('a Firehose record must end with a newline: none is added');
    const rows = data.slice(0, -1).split('\n');
    for (const row of rows) this.#onRow(row, caller);
    const copies = this.#faults.strikes('Firehose delivered rows twice') ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const late = this.#faults.strikes('Firehose delivered rows late');
      this.buffered += 1;
      this.#scheduler.after(this.#random.next() * (late ? LATE_MS : BUFFER_MS), () => {
        this.buffered -= 1;
        for (const row of rows) this.delivered.push(row);
      });
    }
  }
}
