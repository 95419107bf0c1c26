import { chainOf } from '../../../shared/history/chain.ts';
import { readExport } from '../../../shared/history/manifest.ts';
import type { Place } from '../../../shared/history/places.ts';
import { type Source, sourceOfExport } from '../../../shared/history/run/plan.ts';
import { exportObjects, itemLine } from '../../given/history/exports.ts';
import type { Random } from '../world/random.ts';
import type { SourceItem } from '../world/source-table.ts';

/** Items of a moment, by record identifier. */
export type Moment = ReadonlyMap<string, SourceItem>;

/** A bucket that holds what is exported into it. */
export class ExportBucket implements Place {
  readonly objects = new Map<string, Uint8Array>();

  nameOf(key: string): string {
    return key;
  }

  async open(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const bytes = this.objects.get(key);
    return (
      bytes &&
      (async function* () {
        yield bytes;
      })()
    );
  }

  async *keys(prefix: string): AsyncGenerator<string> {
    for (const key of this.objects.keys()) if (key.startsWith(prefix)) yield key;
  }
}

/** DynamoDB's exports of a simulated table. Their clock is off by the same at each. */
export class Exports {
  readonly bucket = new ExportBucket();
  readonly folders: string[] = [];
  readonly #random: Random;
  readonly #keysOf: (id: string) => object;
  #before: { moment: Moment; asOfMs: number } | undefined;

  constructor(random: Random, keysOf: (id: string) => object) {
    this.#random = random;
    this.#keysOf = keysOf;
  }

  /**
   * Exports the table: whole at first, and what has changed since from then on.
   *
   * @param clockMs of the export. @param writtenMs when an item was written last, which an incremental export says.
   */
  take(items: Moment, clockMs: number, writtenMs: (id: string) => number | undefined): void {
    const moment = new Map(items);
    const before = this.#before;
    const asOfMs = before ? Math.floor(clockMs / 1_000) * 1_000 : Math.floor(clockMs);
    const lines = before
      ? this.#changed(before.moment, moment, writtenMs)
      : [...moment.values()].map((it) => itemLine(it.attributes));
    const files: string[][] = Array.from({ length: this.#random.integer(1, 3) }, () => []);
    for (const line of lines) this.#random.pick(files).push(line);
    const { folder, objects } = exportObjects({
      // Nothing may wait for the threads of zlib: simulated time would go on.
      compressed: false,
      prefix: 'exports',
      ...{ id: `0${asOfMs}-export`, asOf: new Date(asOfMs).toISOString(), files },
      ...(before && { from: new Date(Math.floor(before.asOfMs / 1_000) * 1_000).toISOString() }),
    });
    for (const [key, bytes] of objects) this.bucket.objects.set(key, bytes);
    this.folders.push(folder);
    this.#before = { moment, asOfMs };
  }

  /** What a backfill is given. */
  async sources(): Promise<Source[]> {
    const exports = await Promise.all(this.folders.map((folder) => readExport(this.bucket, folder)));
    return chainOf(exports, 'accounts').map((it) => sourceOfExport(it, this.bucket));
  }

  /** Compacted: of each item that changed the state of now and of then; what came and went in between is not told. */
  #changed(before: Moment, now: Moment, writtenMs: (id: string) => number | undefined): string[] {
    return [...new Set([...before.keys(), ...now.keys()])].flatMap((id) => {
      const [was, is] = [before.get(id), now.get(id)];
      if (was === is) return [];
      const images = { NewImage: is?.attributes, OldImage: was?.attributes };
      const WriteTimestampMicros = { N: String(Math.round((writtenMs(id) ?? 0) * 1_000)) };
      return JSON.stringify({ Metadata: { WriteTimestampMicros }, Keys: this.#keysOf(id), ...images });
    });
  }
}
