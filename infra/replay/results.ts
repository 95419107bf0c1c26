import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { columnsOf } from '../../shared/definition/feature-group.ts';
import { classesOf } from '../../shared/definition/label.ts';
import { makeFolder } from '../local/storage/make-folder.ts';
import type { Replayed } from './replay-events.ts';

/** What a replay leaves: text of each file, by its name. Nothing in them depends on when or where they were made. */
export type Results = Readonly<Record<string, string>>;

/** The files of a replay: one line for each record, row and rejection, and the labels. */
export function resultsOf({ online, rows, labels, rejections }: Replayed, group: FeatureGroup): Results {
  const classes = classesOf(group.label);
  const byClass = Object.fromEntries(classes.map((it) => [it, labels.filter(({ label }) => label === it).length]));
  return {
    'online-store.jsonl': lines(onlineRecords(online, group)),
    'change-log.csv': lines(rows),
    'labels.json': `${JSON.stringify({ counted: labels.length, byClass, records: labels }, undefined, 2)}\n`,
    'quarantine.jsonl': lines(rejections.map((it) => JSON.stringify(it)).sort()),
  };
}

/** One line of JSON per record, features in the definition's order, sorted by record identifier. */
function onlineRecords(online: Replayed['online'], group: FeatureGroup): string[] {
  const names = [group.recordIdentifier.name, group.eventTime.name, ...columnsOf(group).map(({ name }) => name)];
  return [...online]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, features]) =>
      JSON.stringify(
        Object.fromEntries(names.filter((name) => Object.hasOwn(features, name)).map((it) => [it, features[it]])),
      ),
    );
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
