import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import { loadDefinition } from '../aws/definitions/definitions.ts';
import { readRejections } from '../demo/findings/quarantine.ts';
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption } from '../terminal/options.ts';
import { areConserved, type Counts, countsOf, sum } from './replay/counts.ts';
import { type RecordedEvent, readRecordedEvent } from './replay/recorded-events.ts';
import { type Results, readResults, writeResults } from './replay/results.ts';
import { EXAMPLE, noteLocal } from './stack.ts';

export const command = newCommand(
  'replay',
  'Sends recorded Lambda events through the real handler, prints the fate of their records, and writes the results.',
)
  .argument('<EVENT.json...>', 'files of recorded events: whole Lambda events, or single stream records')
  .requiredOption('--out <DIR>', 'folder for online-store.jsonl, change-log.csv, labels.json and quarantine.jsonl')
  .addOption(definitionOption().default(EXAMPLE))
  .action(
    exiting(async (files, { definition, out, verbose }) => {
      const group = await loadDefinition(definition);
      noteLocal(group);
      const events = await Promise.all(files.map(readRecordedEvent));
      const { counts, results } = await replayed(events, { definition, group, verbose: verbose === true });
      return report(events.length, counts, results, out);
    }),
  );

/** Plays the events in a local cloud of their own, and reads out what they have led to. */
async function replayed(
  events: readonly RecordedEvent[],
  options: { readonly definition: string; readonly group: FeatureGroup; readonly verbose: boolean },
): Promise<{ counts: Counts; results: Results }> {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-replay-'));
  try {
    const log: string[] = [];
    const cloud = await startCloud({
      dir,
      port: 0,
      featureGroup: options.definition,
      eventSourceMappings: false,
      onLog: (_, line) => log.push(line),
    });
    const clients = connect(cloud.endpoint);
    try {
      const counts = await deliver(events, cloud, clients, log, options.verbose);
      await cloud.flushDeliveryStreams();
      const names = stackNames(cloud.stack);
      const rejections = await readRejections(clients.s3, names.quarantineBucket);
      return { counts, results: await readResults(clients, names, options.group, rejections) };
    } finally {
      disconnect(clients);
      await cloud.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Invokes ingest once per event, one after the other, and adds up what it counted. */
async function deliver(
  events: readonly RecordedEvent[],
  cloud: Cloud,
  clients: Clients,
  log: string[],
  verbose: boolean,
): Promise<Counts> {
  const { ingestFunction } = stackNames(cloud.stack);
  const counts: Counts[] = [];
  for (const { file, records } of events) {
    log.length = 0;
    const { Payload, FunctionError } = await clients.lambda.send(
      new InvokeCommand({ FunctionName: ingestFunction, Payload: JSON.stringify({ Records: records }) }),
    );
    if (verbose) for (const line of log) console.error(line);
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString('utf8'));
    if (FunctionError) throw new Error(`${file}: ingest failed: ${answer.errorMessage}`);
    const [failed] = answer?.batchItemFailures ?? [{ itemIdentifier: 'no answer' }];
    if (failed) {
      throw new Error(`${file}: ingest could not deliver everything, from ${failed.itemIdentifier} on; see --verbose.`);
    }
    counts.push(sum(log.flatMap((line) => countsOf(line) ?? [])));
  }
  return sum(counts);
}

/** Writes the results and prints the summary. Exit code 1 when a record has no fate, or two. */
async function report(events: number, counts: Counts, results: Results, out: string): Promise<number> {
  const { records, delivered, superseded, deleted, quarantined } = counts;
  await writeResults(out, results);
  const labels = JSON.parse(results['labels.json'] ?? '{}').counted;
  console.log(JSON.stringify({ events, records, delivered, superseded, deleted, quarantined, labels }));
  if (areConserved(counts)) return 0;
  console.error(`Error: of ${records} records, ${delivered + superseded + deleted + quarantined} have a fate.`);
  return 1;
}

if (import.meta.main) await runCommand(command);
