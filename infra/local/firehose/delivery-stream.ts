import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { AwsError, notImplemented } from '../protocol/aws-error.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { checkPrefixes, objectKey } from './prefix.ts';
import type { Spool } from './spool.ts';

export interface DeliveryStreamOptions {
  readonly name: string;
  readonly bucket: string;
  /** Writes the objects. Default: nobody in particular. */
  readonly roleArn?: string;
  readonly prefix?: string;
  readonly errorPrefix?: string;
  /** 0 to 900. */
  readonly bufferSeconds: number;
  /** MiB, 1 to 128. */
  readonly bufferMB: number;
  readonly compression?: 'UNCOMPRESSED' | 'GZIP';
}

/** Source: BufferingHints. */
const BUFFER_SECONDS_MAX = 900;
const BUFFER_MB_MAX = 128;
const BYTES_PER_MB = 1024 * 1024;

/** Wait before a delivery that failed is tried again, in milliseconds. AWS retries for 24 hours. */
const RETRY_MS = 1_000;

/** Longest timer armed at once, in milliseconds; what is due later is looked at again then. */
const TIMER_MS_MAX = 900_000;

/** Hears of an object that has been delivered, and of how long its oldest record has waited. */
export type OnDelivery = (name: string, delivered: { ageSeconds: number; records: number; bytes: number }) => void;

/** A delivery stream to S3: gathers records by time and size and writes them, concatenated, as one object. */
export class DeliveryStream {
  readonly options: Required<DeliveryStreamOptions>;
  readonly createdAt = new Date();
  readonly #spool: Spool;
  readonly #objects: ObjectStore;
  readonly #onDelivery: OnDelivery;
  #timer: NodeJS.Timeout | undefined;
  #delivery: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Kept here because summing the spool at each put would read all of it. */
  #bytesWaiting = 0;

  /** @throws AwsError when the options are not what CreateDeliveryStream takes. */
  constructor(
    options: DeliveryStreamOptions,
    spool: Spool,
    objects: ObjectStore,
    onDelivery: OnDelivery = () => undefined,
  ) {
    this.#onDelivery = onDelivery;
    this.options = { prefix: '', errorPrefix: '', roleArn: '', compression: 'UNCOMPRESSED', ...options };
    const { bufferSeconds, bufferMB, compression, prefix, errorPrefix } = this.options;
    checkRange('IntervalInSeconds', bufferSeconds, 0, BUFFER_SECONDS_MAX);
    checkRange('SizeInMBs', bufferMB, 1, BUFFER_MB_MAX);
    if (compression !== 'UNCOMPRESSED' && compression !== 'GZIP') throw notImplemented('firehose', `${compression}`);
    checkPrefixes(prefix, errorPrefix);
    this.#spool = spool;
    this.#objects = objects;
    const left = spool.waiting(options.name);
    if (left) {
      this.#bytesWaiting = left.bytes;
      this.#arm(left.oldestMs + bufferSeconds * 1_000 - Date.now());
    }
  }

  put(records: readonly Uint8Array[]): void {
    this.#spool.add(this.options.name, records, Date.now());
    for (const record of records) this.#bytesWaiting += record.byteLength;
    const isFull = this.#bytesWaiting >= this.options.bufferMB * BYTES_PER_MB;
    if (isFull) this.#arm(0);
    else if (!this.#timer) this.#arm(this.options.bufferSeconds * 1_000);
  }

  /**
   * Delivers what waits, now. Deliveries follow one another.
   *
   * @throws AwsError when the object cannot be written; the records stay and are tried again.
   */
  flush(): Promise<void> {
    const delivery = this.#delivery.then(() => this.#deliver());
    this.#delivery = delivery.catch(() => undefined);
    return delivery;
  }

  /** Stops the clock. What waits stays in the spool for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#disarm();
    await this.#delivery;
  }

  async #deliver(): Promise<void> {
    const { name, bucket, prefix, compression } = this.options;
    const buffered = this.#spool.all(name);
    if (!buffered) return;
    this.#disarm();
    const isGzip = compression === 'GZIP';
    const body = Buffer.concat(buffered.records);
    const key = objectKey(prefix, name, new Date(buffered.oldestMs), `${randomUUID()}${isGzip ? '.gz' : ''}`);
    try {
      await this.#objects.put(bucket, key, isGzip ? gzipSync(body) : body);
    } catch (error) {
      this.#arm(RETRY_MS);
      throw error;
    }
    const ageSeconds = (Date.now() - buffered.oldestMs) / 1_000;
    this.#onDelivery(name, { ageSeconds, records: buffered.records.length, bytes: body.byteLength });
    // A crash between the put and this line delivers the records again: Firehose, too, delivers at least once.
    this.#spool.removeThrough(name, buffered.lastId);
    const left = this.#spool.waiting(name);
    this.#bytesWaiting = left?.bytes ?? 0;
    if (left && !this.#timer) this.#arm(left.oldestMs + this.options.bufferSeconds * 1_000 - Date.now());
  }

  #arm(delayMs: number): void {
    if (this.#isClosed) return;
    this.#disarm();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.flush().catch((error: Error) => {
          console.error(
            `local cloud: delivery stream ${this.options.name} could not deliver, tries again: ${error.message}`,
          );
        });
      },
      Math.min(Math.max(delayMs, 0), TIMER_MS_MAX),
    );
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new AwsError('InvalidArgumentException', `${name} is ${value}, and must be ${min} to ${max}.`);
  }
}
