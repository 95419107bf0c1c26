import type { DynamoDBStreamEvent } from 'aws-lambda';
import bankMarketing from '../../shared/feature-groups/bank-marketing.ts';
import { compiled } from './compiled.ts';
import { BATCHES, contestants, OURS, PARSE, USERS } from './contestants.ts';
import { eventText } from './events.ts';
import type { Rounds } from './hot-path-rounds.ts';
import { MEASURING, runApart } from './processes.ts';
import { type Contestant, quantile, type Timing, timeInRounds, timingOf } from './rounds.ts';

export interface HotPathRow extends Timing {
  readonly microsecondsPerRecord: number;
  /** Ratio to JSON.parse of the same event text in the same processes, best to best. */
  readonly timesParse: number;
  readonly timesParseMedian: number;
  /** How many times longer than ours, by the ratios to JSON.parse. */
  readonly timesOurs: number;
  readonly heapBytesPerRecord: number;
}

function measure(batch: string, processes: number, rounds: number) {
  const names = Object.keys(contestants(bankMarketing, ''));
  const all = new Map<string, Rounds[]>(names.map((name) => [name, []]));
  for (let process = 0; process < processes; process += 1) {
    for (const contestant of names) {
      const options = { batch, contestant, rounds };
      all.get(contestant)?.push(runApart<Rounds>('hot-path-rounds.ts', [options], MEASURING));
    }
  }
  const ratio = (name: string, part: (times: readonly number[]) => number) => {
    const runs = all.get(name) ?? [];
    return part(runs.flatMap(({ runMs }) => runMs)) / part(runs.flatMap(({ parseMs }) => parseMs));
  };
  const best = (times: readonly number[]) => Math.min(...times);
  const median = (times: readonly number[]) => quantile(times, 0.5);
  const [{ records, bytes }] = all.get(OURS) as [Rounds];
  const rows = [...all].map(([name, runs]): [string, HotPathRow] => {
    const timing = timingOf(runs.flatMap(({ runMs }) => runMs));
    return [
      name,
      {
        ...timing,
        microsecondsPerRecord: (timing.bestMs * 1_000) / records,
        timesParse: ratio(name, best),
        timesParseMedian: ratio(name, median),
        timesOurs: ratio(name, best) / ratio(OURS, best),
        heapBytesPerRecord: median(runs.map(({ heapBytesPerRecord }) => heapBytesPerRecord)),
      },
    ];
  });
  return { records, bytes, contestants: Object.fromEntries(rows) };
}

/** From a batch of stream records to what goes over the wire, beside what a user would otherwise write. */
export function hotPath({ quick }: { quick: boolean }) {
  const [processes, rounds] = quick ? [1, 8] : [5, 12];
  const batches = Object.keys(BATCHES).slice(0, quick ? 1 : undefined);
  return Object.fromEntries(batches.map((batch) => [batch, measure(batch, processes, rounds)]));
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
      const chosen = { [PARSE]: all[PARSE], ours: all[OURS], user: all[USERS] };
      const timings = timeInRounds(chosen as Record<string, Contestant<unknown>>, rounds);
      const parse = (timings[PARSE] as Timing).bestMs;
      const oursTimesParse = (timings.ours as Timing).bestMs / parse;
      const userTimesParse = (timings.user as Timing).bestMs / parse;
      return [changesPerKey, { records: Records.length, keys, writes, oursTimesParse, userTimesParse }];
    }),
  );
}
