import { columnsOf, type FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { DynamoDb } from '../aws/dynamodb.ts';
import type { Item } from '../aws/expression.ts';
import type { FeatureStore } from '../aws/feature-store.ts';
import type { Firehose } from '../aws/firehose.ts';
import type { QuarantineBucket } from '../aws/quarantine-bucket.ts';
import type { Keys } from '../world/keys.ts';
import type { SourceTable, TrueChange } from '../world/source-table.ts';
import { latestRows, parseRow, withoutDuplicates } from './change-log-rows.ts';
import type { Conservation } from './conservation.ts';
import { Violation } from './violation.ts';
import { fieldOf, nameOf, type Witness } from './witness.ts';

export interface DrainedWorld {
  readonly group: FeatureGroup;
  readonly table: SourceTable;
  readonly featureStore: FeatureStore;
  readonly firehose: Firehose;
  readonly dynamodb: DynamoDb;
  readonly bucket: QuarantineBucket;
  readonly keys: Keys;
  readonly witness: Witness;
  readonly conservation: Conservation;
}

/** All invariants, once everything has been delivered or put right, and nothing is under way. */
export function checkDrained(world: DrainedWorld): void {
  const waiting = waitingSequenceNumbers(world);
  checkWaiting(world);
  checkOnlineStore(world);
  checkChangeLog(world, waiting);
  checkLabels(world, waiting);
  checkConservation(world);
}

/** Sequence numbers of the records that redrive could not put right. */
function waitingSequenceNumbers({ bucket }: DrainedWorld): Set<string> {
  return new Set(
    [...bucket.objects].flatMap(([key, text]) => recordsOf(key, text).map((it) => it.dynamodb.SequenceNumber)),
  );
}

/** What still waits must wait for the application: its item is wrong now. */
function checkWaiting({ bucket, table, keys }: DrainedWorld): void {
  for (const [key, text] of bucket.objects) {
    const isWrong = (id: string) => {
      const item = table.items.get(id);
      return item !== undefined && !item.isOther && (item.quality !== 'good' || item.label === 'invalid');
    };
    const right = recordsOf(key, text).find((it) => !isWrong(keys.identifierOf(it.dynamodb.Keys)));
    if (!right) continue;
    throw new Violation(
      'redrive puts everything right that can be',
      `${right.dynamodb.SequenceNumber} still waits in ${key}, though its item is not wrong`,
      keys.identifierOf(right.dynamodb.Keys),
    );
  }
}

function checkOnlineStore({ table, featureStore, witness, group }: DrainedWorld): void {
  for (const [id, history] of table.histories) {
    if (history.some((it) => it.trimmed)) continue;
    const touching = history.filter((it) => witness.touchesOnline(it));
    const last = touching.at(-1);
    // A wrong item cannot be online, whatever is done.
    if (last?.quality !== 'good') continue;
    const found = featureStore.records.get(id)?.features;
    const same = last.texts
      ? columnsOf(group).every(({ name }, index) => found?.get(name) === (last.texts?.[index] ?? undefined))
      : found === undefined;
    if (same) continue;
    const words = found ? `version ${found.get('version')}` : 'nothing';
    throw new Violation('the online store equals the table', `${nameOf(last)} was the last; online is ${words}`, id);
  }
}

function checkChangeLog({ table, firehose, group }: DrainedWorld, waiting: ReadonlySet<string>): void {
  const rows = firehose.delivered.map(parseRow);
  const changes = withoutDuplicates(rows);
  for (const change of table.changes) {
    if (
      change.quality === 'skipped' ||
      change.quality === 'malformed' ||
      change.trimmed ||
      waiting.has(change.sequenceNumber)
    )
      continue;
    if (!changes.has(change.sequenceNumber)) {
      throw new Violation('every change is in the change log', `${nameOf(change)} is not`, change.recordIdentifier);
    }
  }
  const latest = latestRows(group, rows);
  for (const [id, history] of table.histories) {
    const counted = history.filter((it) => it.quality !== 'malformed' && !isKeptRemoval(group, it));
    if (history.some((it) => it.trimmed || (waiting.has(it.sequenceNumber) && it.quality !== 'malformed'))) continue;
    const last = counted.at(-1);
    const served = latest.get(id);
    const expected = last?.texts?.map(fieldOf);
    const same = expected ? expected.every((field, at) => served?.features[at] === field) : served === undefined;
    if (same) continue;
    const words = served ? `${served.eventName} ${served.sequenceNumber} of ${served.eventTime}` : 'nothing';
    throw new Violation(
      'the latest-row view equals the table',
      `${last ? nameOf(last) : id} was the last; the view serves ${words}`,
      id,
    );
  }
}

function isKeptRemoval(group: FeatureGroup, change: TrueChange): boolean {
  return change.eventName === 'REMOVE' && (change.ttlExpired ? group.onTtlExpiry : group.onDelete) === 'keep';
}

function checkLabels({ table, dynamodb, witness }: DrainedWorld, waiting: ReadonlySet<string>): void {
  const epoch = Number(dynamodb.state.get('epoch')?.epoch?.N ?? 1);
  for (const [id, history] of table.histories) {
    if (history.some((it) => it.trimmed)) continue;
    const events = history.filter((it) => it.newLabel !== undefined && !waiting.has(it.sequenceNumber));
    const last = events.at(-1);
    const counted = witness.ledger.get(id);
    if (last && (!counted || counted.order < last.order)) {
      const words = counted ? `the ledger has ${counted.sequenceNumber}` : 'the ledger has nothing';
      throw new Violation('no label is missed', `${nameOf(last)} brought a label, and ${words}`, id);
    }
  }
  for (const [pk, item] of dynamodb.state) {
    if (!pk.startsWith('label#')) continue;
    const of = Number(item.epoch?.N);
    if (!(of >= 1 && of <= epoch))
      throw new Violation('each labeled record is counted once', `${pk} is in epoch ${of} of ${epoch}`);
  }
  for (let closed = 1; closed < epoch; closed += 1) {
    if (!dynamodb.state.has(`epoch#${closed}`)) {
      throw new Violation('no threshold crossing is forgotten', `epoch ${closed} was claimed and never trained`);
    }
  }
}

function checkConservation({ table, conservation }: DrainedWorld): void {
  const { totals, acknowledged } = conservation;
  const gone = table.changes.filter((it) => (it.discarded || it.trimmed) && !it.acknowledged).length;
  const answered =
    totals.delivered + totals.superseded + totals.deleted + totals.quarantined + totals.skipped + totals.failed;
  if (acknowledged + gone !== table.changes.length || answered !== totals.recordsIn) {
    const words = `${table.changes.length} changes, ${acknowledged} acknowledged, ${gone} discarded or trimmed; ${JSON.stringify(totals)}`;
    throw new Violation('records in = delivered + superseded + deleted + quarantined + skipped + failed', words);
  }
}

interface WaitingRecord {
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly Keys: Item;
  };
}

function recordsOf(key: string, text: string): WaitingRecord[] {
  if (key.startsWith('aws/lambda/')) return JSON.parse(JSON.parse(text).payload).Records;
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).record);
}
