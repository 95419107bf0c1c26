import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { FenceForm } from '../../../shared/state/fences/forms.ts';
import { ingestAgainst } from '../contestants/batch-of-ingest.ts';
import { eventText } from '../contestants/events.ts';
import { powertoolsHandler } from '../contestants/powertools-handler.ts';
import { startAnsweringServer } from '../measure/processes.ts';
import { timingOf } from '../measure/rounds.ts';

/** Part of the changes that bring a label. */
const LABELLED = 0.1;
/** Records of a contestant that makes a call for each: a tenth of a full batch tells as much. */
const RECORDS_ONE_BY_ONE = 500;

/** How the records of a full batch are spread over time. */
const SPREADS: Readonly<Record<string, (index: number) => number>> = {
  '500 changes a second, of which those of the last two leave a fence': (index) => Math.floor(index / 500),
  'all changes in one second, each of which leaves a fence': () => 0,
};

/** A full batch: its clock begins anew in each round, as no batch comes twice. */
function batchOf(text: string, secondOf: (index: number) => number, firstSecond: number): DynamoDBStreamEvent {
  const event = JSON.parse(text) as DynamoDBStreamEvent;
  for (const [index, { dynamodb }] of event.Records.entries()) {
    if (dynamodb) dynamodb.ApproximateCreationDateTime = firstSecond + secondOf(index);
  }
  return event;
}

/**
 * CPU of a whole invocation, by change: decoded, fences looked for, written to the online store, to the change log and to
 * the label ledger by real clients over HTTP, fences left, answered. Against a server that answers at once. The event
 * is an object already: Lambda's runtime parses it.
 */
export async function invocation({ quick }: { quick: boolean }) {
  const rounds = quick ? 3 : 12;
  const server = await startAnsweringServer();
  const ours = (form: FenceForm) => ({
    run: ingestAgainst(server.endpoint, form),
    text: eventText({ labeled: LABELLED }),
  });
  const one = eventText({ labeled: LABELLED, records: RECORDS_ONE_BY_ONE });
  const contestants = {
    'ours, fences in pages': ours('pages'),
    'ours, fences in both forms, while a release takes over': ours('both'),
    'ours, a fence an item': ours('items'),
    'Powertools batch processor, a call for each write, no fences': {
      run: powertoolsHandler(server.endpoint),
      text: one,
    },
  };
  const result: Record<string, object> = {};
  let second = 1_790_000_000;
  for (const [spread, secondOf] of Object.entries(SPREADS)) {
    const times = new Map<string, number[]>();
    let records = 0;
    for (let round = -4; round < rounds; round += 1) {
      for (const [name, { run, text }] of Object.entries(contestants)) {
        second += 1_000;
        const event = batchOf(text, secondOf, second);
        // What the batch before it left is there to be read.
        await run(batchOf(text, secondOf, second));
        const start = process.cpuUsage();
        await run(event);
        const { user, system } = process.cpuUsage(start);
        records = Math.max(records, event.Records.length);
        if (round >= 0) times.set(name, [...(times.get(name) ?? []), (user + system) / event.Records.length]);
      }
    }
    result[`${records} changes: ${spread}`] = Object.fromEntries(
      [...times].map(([name, microseconds]) => {
        const { bestMs: best, medianMs: median, spread } = timingOf(microseconds);
        return [name, { microsecondsPerChange: best, medianMicroseconds: median, spread }];
      }),
    );
  }
  server.close();
  return result;
}
