import { changeLogRow } from '../../../shared/change-log/row.ts';
import type { FeatureText, TimedChange } from '../../../shared/changes/change.ts';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import { readStatements } from '../../../shared/history/history.ts';
import { labelKey } from '../../../shared/state/keys.ts';
import { latestRows, parseRow } from '../judge/change-log-rows.ts';
import { Violation } from '../judge/violation.ts';
import type { SourceItem } from '../world/source-table.ts';
import type { BackfillWorld } from './backfill-world.ts';

/** What must hold when the stream is drained and the backfill has ended, whatever went wrong. @throws Violation. */
export async function checkBackfilled(world: BackfillWorld): Promise<void> {
  const stated = await statedBy(world);
  checkOnlineStore(world);
  // Pages of a scan that are read again are of another moment, and so are their rows.
  if (!world.scans) checkRows(world, stated);
  checkChangeLog(world);
  checkLabels(world, stated);
}

/** Every statement that the decoder takes. */
async function statedBy({ profile, files, exports }: BackfillWorld): Promise<TimedChange[]> {
  const decode = makeDecoder(profile.group);
  const stated: TimedChange[] = [];
  for (const { file } of files) {
    for await (const block of readStatements(file, exports.bucket, profile.group, decode)) {
      for (const { decoded } of block) if (isChange(decoded)) stated.push(decoded as TimedChange);
    }
  }
  return stated;
}

/** A text as a store that knows no null has it. */
const present = (text: FeatureText) => (text === null ? undefined : text);

/** An item that the definition takes for a record. */
const recordItem = (item: SourceItem | undefined) => (item?.isOther ? undefined : item);

function checkOnlineStore({ table, featureStore, profile: { group } }: BackfillWorld): void {
  const columns = columnsOf(group).map(({ name }) => name);
  for (const id of new Set([...table.items.keys(), ...featureStore.records.keys()])) {
    const item = recordItem(table.items.get(id));
    const features = featureStore.records.get(id)?.features;
    if (item === undefined) {
      // Where removals are kept, a record outlasts its item.
      if (features !== undefined && group.onDelete === 'delete') {
        throw new Violation('the online store equals the table', `${id} is online, and its item is gone`, id);
      }
      continue;
    }
    // What does not fit the definition waits for a redrive.
    if (item.quality !== 'good') continue;
    if (features === undefined) {
      throw new Violation('the online store equals the table', `${id} is not online, and its item is there`, id);
    }
    for (const [index, name] of columns.entries()) {
      if (features.get(name) === present(item.texts[index])) continue;
      throw new Violation('the online store equals the table', `${name} of ${id} is another online`, id);
    }
  }
}

/** The objects are the rows of the files, in their order. */
function checkRows({ rows, profile: { group } }: BackfillWorld, stated: readonly TimedChange[]): void {
  // Of an object that is begun again, a worker that was away for days may leave the first one behind: the same rows.
  const objects = new Map<string, string>();
  for (const [key, bytes] of rows) {
    if ((objects.get(fileOf(key)) ?? bytes.toString()) !== bytes.toString()) {
      throw new Violation('a retry writes the same bytes', key);
    }
    objects.set(fileOf(key), bytes.toString());
  }
  const written = [...objects]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, text]) => text)
    .join('');
  if (written === stated.map((it) => changeLogRow(group, it)).join('')) return;
  throw new Violation('the change log has a row for each statement', `${rows.size} objects hold other rows`);
}

const fileOf = (key: string): string => key.split('/').at(-1) ?? '';

/** The latest row of each record is its item, whatever came from history and whatever from the stream. */
function checkChangeLog({ rows, firehose, table, profile: { group } }: BackfillWorld): void {
  const ofHistory = [...rows.values()].flatMap((bytes) => bytes.toString().split('\n').filter(Boolean));
  const latest = latestRows(group, [...ofHistory, ...firehose.delivered].map(parseRow));
  for (const [id, item] of table.items) {
    if (item.quality !== 'good' || item.isOther) continue;
    const row = latest.get(id);
    const expected = item.texts.map((text) => text?.replace(/\r\n|[\r\n]/g, ' ') ?? null);
    if (row && JSON.stringify(row.features) === JSON.stringify(expected)) continue;
    throw new Violation('the latest row equals the item', `${id}: ${row ? 'another row' : 'none'}`, id);
  }
  if (group.onDelete === 'keep') return;
  for (const id of latest.keys()) {
    if (!table.items.has(id))
      throw new Violation('the latest row equals the item', `${id} is gone, its row is not`, id);
  }
}

/** The ledger has each record that was ever seen with a label, and no other, in one epoch. */
function checkLabels(world: BackfillWorld, stated: readonly TimedChange[]): void {
  const { dynamodb, table } = world;
  const labeled = new Set(stated.flatMap((it) => (it.newLabel === undefined ? [] : it.recordIdentifier)));
  for (const id of world.scans ? labeledRows(world) : []) labeled.add(id);
  for (const it of table.changes) {
    if (it.newLabel !== undefined && it.quality === 'good') labeled.add(it.recordIdentifier);
  }
  const keys = new Set([...labeled].map(labelKey));
  const counted = [...dynamodb.state.keys()].filter((pk) => pk.startsWith('label#'));
  const refused = new Set(
    [...table.changes, ...table.items.values()].flatMap((it) => (it.quality === 'refused' ? [it] : [])),
  );
  const missed = [...keys].filter((key) => !dynamodb.state.has(key));
  if (missed.length > 0 && refused.size === 0) {
    throw new Violation('each label is counted', `${missed[0]} is not in the ledger`);
  }
  // A page may have shown a label that was gone when it was read again.
  if (world.scans) return;
  const wrong = counted.filter((key) => !keys.has(key));
  if (wrong.length > 0 && refused.size === 0) throw new Violation('no label is counted that is none', `${wrong[0]}`);
}

/** Records that rows of a scan have with a label. */
function labeledRows({ rows, profile: { group } }: BackfillWorld): string[] {
  const label = columnsOf(group).findIndex(({ feature }) => feature === 'label');
  const ofHistory = [...rows.values()].flatMap((bytes) => bytes.toString().split('\n').filter(Boolean));
  return ofHistory.map(parseRow).flatMap((row) => (row.features[label] === null ? [] : row.recordIdentifier));
}
