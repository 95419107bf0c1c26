import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { loadFeatureGroup } from '../../shared/definition/load.ts';
import { readRejections } from '../demo/findings/quarantine.ts';
import { type Clients, connect, disconnect } from '../demo/stage/clients.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import { stackNames } from '../local/stack/names.ts';
import { readOptions, runCommand } from '../terminal/command.ts';
import { areConserved, type Counts, countsOf, sum } from './replay/counts.ts';
import { type RecordedEvent, readRecordedEvent } from './replay/recorded-events.ts';
import { type Results, readResults, writeResults } from './replay/results.ts';

const USAGE = 'npm run replay -- EVENT.json... [--definition FILE.ts] --out DIR [--verbose]';

/** Recorded events through the real handler: prints what became of them, and leaves what they led to in a folder. */
async function replay(): Promise<number> {
  const { values, positionals: files } = readOptions(
    USAGE,
    { definition: { type: 'string', default: 'bank-marketing' }, out: { type: 'string' } },
    true,
  );
  if (!values.out || files.length === 0) {
    throw new Error(`${values.out ? 'No event file' : 'No --out DIR'} is given; usage: ${USAGE}`);
  }
  const group = await loadFeatureGroup(values.definition);
  const events = await Promise.all(files.map(readRecordedEvent));
  const dir = await mkdtemp(join(tmpdir(), 'tributary-replay-'));
  try {
    const log: string[] = [];
    const cloud = await startCloud({
      dir,
      port: 0,
      featureGroup: values.definition,
      eventSourceMappings: false,
      onLog: (_, line) => log.push(line),
    });
    const clients = connect(cloud.endpoint);
    let counts: Counts;
    let results: Results;
    try {
      counts = await deliver(events, cloud, clients, log, values.verbose);
      await cloud.flushDeliveryStreams();
      const names = stackNames(cloud.stack);
      results = await readResults(clients, names, group, await readRejections(clients.s3, names.quarantineBucket));
    } finally {
      disconnect(clients);
      await cloud.close();
    }
    return await report(events.length, counts, results, values.out);
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

await runCommand(replay);
