import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemTime } from '../../../shared/calls/client-settings.ts';
import { changeLogRow } from '../../../shared/change-log/row.ts';
import type { Rejection, TimedChange } from '../../../shared/changes/change.ts';
import { type Decoder, isChange, isRejection, isSkipped, makeDecoder } from '../../../shared/changes/decode.ts';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { readStatements, verifyFile } from '../../../shared/history/history.ts';
import type { Place } from '../../../shared/history/places.ts';
import type { PlannedFile } from '../../../shared/history/run/plan.ts';
import { statementsOf } from '../../../shared/history/run/segment.ts';
import type { Statement } from '../../../shared/history/statements.ts';
import { scanPages } from '../../../shared/history/table/scan.ts';
import { PRICES } from '../../aws/cost/prices.ts';

/** Statements that a dry run decodes. */
export const SAMPLE = 10_000;

/** Bytes of a write unit of Feature Store and of a read unit of DynamoDB. */
const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;
/** Bytes that a record has beside its texts, for each of its features: names are stored with every record. */
const NAME_BYTES = 12;

/** What a dry run says. */
export interface Estimate {
  /** Undefined where the table itself is read. */
  readonly files: number | undefined;
  /** Undefined where files have no manifest, and are more than the sample. */
  readonly rows: number | undefined;
  readonly sampled: number;
  readonly skipped: number;
  readonly labeled: number;
  readonly rejected: number;
  /** The first rejection of each kind, and how many there are of it; wrong labels, too, whose rows are written. */
  readonly rejections: readonly { readonly count: number; readonly message: string }[];
  readonly asksTable: boolean;
  readonly usd: number | undefined;
  readonly minutes: number | undefined;
}

/** Verifies every file, decodes some statements, and writes nothing. @throws Error as reading does. */
export async function estimate(
  group: FeatureGroup,
  place: Place,
  files: readonly PlannedFile[],
  rate: number,
): Promise<Estimate> {
  for (const { file } of files) await verifyFile(file, place);
  const sampled = new Sampled(group);
  for (const { file } of files) {
    if (sampled.isFull) break;
    for await (const block of readStatements(file, place, group, sampled.decode)) {
      sampled.add(block);
      if (sampled.isFull) break;
    }
  }
  const inManifests = files.reduce<number | undefined>(
    (rows, { file: { items } }) => (rows === undefined || items === undefined ? undefined : rows + items),
    0,
  );
  const rows = inManifests ?? (sampled.isFull ? undefined : sampled.count);
  const asksTable = files.some((it) => it.looksAtTable);
  return { files: files.length, ...sampled.estimate(rows, rate, asksTable ? 1 : 0), asksTable };
}

/** Decodes some items of the table, and writes nothing. */
export async function estimateScan(
  group: FeatureGroup,
  dynamodb: Pick<DynamoDBClient, 'send'>,
  readUnits: number,
  rate: number,
): Promise<Estimate> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: group.table }));
  const sampled = new Sampled(group);
  for await (const page of scanPages(dynamodb, { table: group.table, consistent: true, readUnits, time: systemTime })) {
    sampled.add(statementsOf(page.items, SCANNED, 0, { group, decode: sampled.decode }));
    if (sampled.isFull) break;
  }
  // DynamoDB counts the items of a table every six hours or so.
  const rows = sampled.isFull ? Math.max(sampled.count, Table?.ItemCount ?? 0) : sampled.count;
  return { files: undefined, ...sampled.estimate(rows, rate, 1), asksTable: false };
}

const SCANNED = { name: 'the table', exportNumber: 0, fileNumber: 0, eventTimeMs: 0 };

/** What a sample of statements is made of. */
class Sampled {
  readonly decode: Decoder;
  readonly #group: FeatureGroup;
  readonly #rejections = new Map<string, { count: number; message: string }>();
  #bytes = 0;
  #rejected = 0;
  #skipped = 0;
  #labeled = 0;
  count = 0;

  constructor(group: FeatureGroup) {
    this.#group = group;
    this.decode = makeDecoder(group);
  }

  get isFull(): boolean {
    return this.count >= SAMPLE;
  }

  add(statements: readonly Statement[]): void {
    const group = this.#group;
    for (const { decoded } of statements) {
      this.count += 1;
      if (isSkipped(decoded)) this.#skipped += 1;
      else if (isRejection(decoded)) {
        this.#rejected += 1;
        this.#list(decoded);
      } else if (isChange(decoded)) {
        // The row is written all the same: its label alone waits in quarantine.
        if (decoded.wrongLabel) this.#list(decoded.wrongLabel);
        this.#bytes += changeLogRow(group, decoded as TimedChange).length + group.features.length * NAME_BYTES;
        if (decoded.newLabel !== undefined) this.#labeled += 1;
      }
    }
  }

  #list({ reason, path, message }: Rejection): void {
    const kind = `${reason} ${path}`;
    const known = this.#rejections.get(kind);
    const first = { message: `${reason} at ${path}: ${message}`, count: 0 };
    this.#rejections.set(kind, { ...(known ?? first), count: (known?.count ?? 0) + 1 });
  }

  /** @param reads how often each item is read from the table. */
  estimate(rows: number | undefined, rate: number, reads: number): Omit<Estimate, 'files' | 'asksTable'> {
    const rejections = [...this.#rejections.values()];
    const rejected = this.#rejected;
    const taken = this.count - this.#skipped - rejected;
    const seen = { sampled: this.count, taken, bytes: this.#bytes, labeled: this.#labeled };
    return {
      ...{ rows, rejected, rejections, sampled: this.count, skipped: this.#skipped, labeled: this.#labeled },
      usd: rows === undefined ? undefined : costOf(rows, seen, reads),
      minutes: rows === undefined ? undefined : rows / rate / 60,
    };
  }
}

/** List prices of what a backfill calls for its rows, in US dollars. */
function costOf(
  rows: number,
  { sampled, taken, bytes, labeled }: { sampled: number; taken: number; bytes: number; labeled: number },
  tableReads: number,
): number {
  if (taken === 0) return 0;
  const records = (rows / sampled) * taken;
  const labels = (rows / sampled) * labeled;
  const itemBytes = bytes / taken;
  const writes = records * Math.ceil(itemBytes / WRITE_UNIT_BYTES) * PRICES.featureWrite.usd;
  const reads = records * (1 + tableReads * Math.ceil(itemBytes / READ_UNIT_BYTES)) * PRICES.tableRead.usd;
  // An entry of the ledger is written to the table and to its index.
  return (writes + reads + labels * 2 * PRICES.tableWrite.usd) / 1e6;
}
