import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import bankMarketing from '../../shared/feature-groups/bank-marketing.ts';
import { defineFeatureGroup, type FeatureGroup } from '../../shared/feature-groups/define.ts';
import { compiled } from './compiled.ts';
import { type EventOptions, eventText } from './events.ts';
import { csvStringify, papaparse, powertools, toBodies, unmarshallAndZod } from './hand-written.ts';
import { allocatedBytes, type Contestant, type Timing, timeInRounds } from './rounds.ts';

/** Records for the measurement of the heap: few enough that no garbage is collected meanwhile. */
const HEAP_RECORDS = 200;

const PARSE = 'JSON.parse';
const OURS = 'compiled from the definition, to finished bodies';

/** The worked example with every feature optional, so that attributes may be missing. */
const optionalExample = defineFeatureGroup({
  name: bankMarketing.name,
  recordIdentifier: bankMarketing.recordIdentifier.name,
  features: Object.fromEntries(
    bankMarketing.features.map(({ name, attribute: _, ...feature }) => [name, { ...feature, optional: true }]),
  ) as Parameters<typeof defineFeatureGroup>[0]['features'],
  label: { name: bankMarketing.label.name },
});

export interface HotPathRow extends Timing {
  readonly microsecondsPerRecord: number;
  /** Ratio to JSON.parse of the same event text, best to best. */
  readonly timesParse: number;
  readonly timesParseMedian: number;
  /** How many times longer than ours, best to best. */
  readonly timesOurs: number;
  readonly heapBytesPerRecord: number;
}

function contestants(group: FeatureGroup, text: string): Record<string, Contestant<unknown>> {
  const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
  const on = (run: (event: DynamoDBStreamEvent) => unknown): Contestant<unknown> => ({
    prepare: () => JSON.parse(text),
    run: (event) => run(event as DynamoDBStreamEvent),
  });
  const zodAndCsv = unmarshallAndZod(group, csvStringify);
  const zodAndPapa = unmarshallAndZod(group, papaparse);
  const parser = powertools(group, csvStringify);
  return {
    [PARSE]: { prepare: () => undefined, run: () => JSON.parse(text) },
    [OURS]: on(compiled(group)),
    'unmarshall + zod + papaparse, to SDK input': on(zodAndPapa),
    'unmarshall + zod + csv-stringify, to SDK input': on(zodAndCsv),
    'unmarshall + zod + csv-stringify, to finished bodies': on((event) => toBodies(group, zodAndCsv(event))),
    'Powertools batch + parser + csv-stringify, to SDK input': on((event) => parser(event, context)),
  };
}

function measure(group: FeatureGroup, options: EventOptions, rounds: number) {
  const text = eventText({ ...options, group });
  const records = (JSON.parse(text) as DynamoDBStreamEvent).Records.length;
  const { rejected } = compiled(group)(JSON.parse(text));
  if (rejected > 0) throw new Error(`${rejected} records of the benchmark's own events are rejected`);
  const all = contestants(group, text);
  const timings = timeInRounds(all, rounds);
  // Run by the same functions, which are warm now.
  const smallText = eventText({ ...options, group, records: HEAP_RECORDS });
  const parse = timings[PARSE] as Timing;
  const ours = timings[OURS] as Timing;
  const rows = Object.entries(timings).map(([name, timing]): [string, HotPathRow] => [
    name,
    {
      ...timing,
      microsecondsPerRecord: (timing.bestMs * 1_000) / records,
      timesParse: timing.bestMs / parse.bestMs,
      timesParseMedian: timing.medianMs / parse.medianMs,
      timesOurs: timing.bestMs / ours.bestMs,
      heapBytesPerRecord: heapBytes(all[name] as Contestant<unknown>, name, smallText) / HEAP_RECORDS,
    },
  ]);
  return { records, bytes: text.length, contestants: Object.fromEntries(rows) };
}

function heapBytes({ run }: Contestant<unknown>, name: string, text: string): number {
  const parses = name === PARSE;
  return allocatedBytes(
    { prepare: () => (parses ? undefined : JSON.parse(text)), run: parses ? () => JSON.parse(text) : run },
    25,
  );
}

/** From a batch of stream records to what goes over the wire, beside what a user would otherwise write. */
export function hotPath({ quick }: { quick: boolean }) {
  const rounds = quick ? 8 : 25;
  const batches: Record<string, () => ReturnType<typeof measure>> = {
    '6 MB': () => measure(bankMarketing, {}, rounds),
    ...(!quick && {
      '10,000 records': () => measure(bankMarketing, { records: 10_000 }, rounds),
      '6 MB, attributes in random order': () => measure(bankMarketing, { shuffled: true }, rounds),
      '6 MB, a fifth of the attributes missing': () => measure(optionalExample, { missing: 0.2 }, rounds),
    }),
  };
  return Object.fromEntries(Object.entries(batches).map(([name, run]) => [name, run()]));
}

/** Writes and time of a batch in which items change once, twice and five times. */
export function coalescing({ quick }: { quick: boolean }) {
  const rounds = quick ? 5 : 20;
  return Object.fromEntries(
    [1, 2, 5].map((changesPerKey) => {
      const text = eventText({ changesPerKey, records: 5_800 });
      const { Records } = JSON.parse(text) as DynamoDBStreamEvent;
      const keys = new Set(Records.map(({ dynamodb }) => JSON.stringify(dynamodb?.Keys))).size;
      const { writes } = compiled(bankMarketing)(JSON.parse(text));
      const all = contestants(bankMarketing, text);
      const user = 'unmarshall + zod + csv-stringify, to finished bodies';
      const chosen = { [PARSE]: all[PARSE], ours: all[OURS], user: all[user] };
      const timings = timeInRounds(chosen as Record<string, Contestant<unknown>>, rounds);
      const parse = (timings[PARSE] as Timing).bestMs;
      const oursTimesParse = (timings.ours as Timing).bestMs / parse;
      const userTimesParse = (timings.user as Timing).bestMs / parse;
      return [changesPerKey, { records: Records.length, keys, writes, oursTimesParse, userTimesParse }];
    }),
  );
}
