import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import { readChangeLog, sequenceNumberOf } from '../../demo/findings/change-log.ts';
import { byClass, readLabelLedger } from '../../demo/findings/labels.ts';
import { readOnlineStore } from '../../demo/findings/online-store.ts';
import type { Clients } from '../../demo/stage/clients.ts';
import type { StackNames } from '../../local/stack/names.ts';
import { makeFolder } from '../../local/storage/make-folder.ts';

/** What a replay leaves: text of each file, by its name. Nothing in them depends on when or where they were made. */
export type Results = Readonly<Record<string, string>>;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Reads out what the events have led to, beside the rejections already read. */
export async function readResults(
  clients: Clients,
  names: StackNames,
  group: FeatureGroup,
  rejections: readonly string[],
): Promise<Results> {
  const records = await readLabelLedger(clients.dynamodb, names.stateTable);
  const labels = { counted: records.length, byClass: byClass(records), records };
  const changes = await readChangeLog(clients.s3, names.dataBucket);
  return {
    'online-store.jsonl': lines(await onlineRecords(clients, group)),
    'change-log.csv': lines(changes.sort(bySequenceNumber)),
    'labels.json': `${JSON.stringify(labels, undefined, 2)}\n`,
    'quarantine.jsonl': lines([...rejections].sort(byText)),
  };
}

/** One line of JSON per record, features in the definition's order, sorted by record identifier. */
async function onlineRecords(clients: Clients, group: FeatureGroup): Promise<string[]> {
  const online = await readOnlineStore(clients.featureStore, group);
  const names = [group.recordIdentifier.name, group.eventTime.name, ...columnsOf(group).map(({ name }) => name)];
  return [...online]
    .sort(([a], [b]) => byText(a, b))
    .map(([, features]) =>
      JSON.stringify(
        Object.fromEntries(names.filter((name) => features.has(name)).map((it) => [it, features.get(it)])),
      ),
    );
}

/** Firehose keeps no order between its files; the stream's own is in the first column. */
function bySequenceNumber(a: string, b: string): number {
  const difference = BigInt(sequenceNumberOf(a)) - BigInt(sequenceNumberOf(b));
  return difference === 0n ? byText(a, b) : difference < 0n ? -1 : 1;
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

/**
 * Writes the files, all or none: first beside the folder, then in its place.
 *
 * @throws Error with one sentence when the folder cannot be written.
 */
export async function writeResults(folder: string, results: Results): Promise<void> {
  const target = resolve(folder);
  try {
    await makeFolder(target);
    const temporary = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    try {
      for (const [name, text] of Object.entries(results)) await writeFile(join(temporary, name), text);
      for (const name of Object.keys(results)) await rename(join(temporary, name), join(target, name));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  } catch (cause) {
    throw new Error(`${folder} cannot be written: ${(cause as Error).message}; choose another folder with --out DIR.`, {
      cause,
    });
  }
}
