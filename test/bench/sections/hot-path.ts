import type { DynamoDBStreamEvent } from 'aws-lambda';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { compiled } from '../contestants/compiled.ts';
import { BATCHES, COALESCING, contestants, FILTERED, OURS, PARSE, USERS } from '../contestants/contestants.ts';
import { eventText } from '../contestants/events.ts';
import type { Rounds } from '../contestants/hot-path-rounds.ts';
import { MEASURING, runApart } from '../measure/processes.ts';
import { quantile, type Timing, timingOf } from '../measure/rounds.ts';

export interface HotPathRow extends Timing {
  readonly microsecondsPerRecord: number;
  /** Ratio to JSON.parse of the same event text in the same processes, best to best. */
  readonly timesParse: number;
  readonly timesParseMedian: number;
  /** How many times longer than ours, by the ratios to JSON.parse. */
  readonly timesOurs: number;
  readonly heapBytesPerRecord?: number;
}

const QUICK = { processes: 1, rounds: 6 };

const best = (times: readonly number[]) => Math.min(...times);
const median = (times: readonly number[]) => quantile(times, 0.5);

function measure(
  batch: string,
  names: readonly string[],
  { processes, rounds }: { processes: number; rounds: number },
) {
  const all = new Map<string, Rounds[]>(names.map((name) => [name, []]));
  for (let process = 0; process < processes; process += 1) {
    for (const contestant of names) {
      const options = { batch, contestant, rounds };
      all.get(contestant)?.push(runApart<Rounds>('contestants/hot-path-rounds.ts', [options], MEASURING));
    }
  }
  const timesOf = (name: string) => (all.get(name) ?? []).flatMap(({ runMs }) => runMs);
  const parsesOf = (name: string) => (all.get(name) ?? []).flatMap(({ parseMs }) => parseMs);
  const timesParse = (name: string) => best(timesOf(name)) / best(parsesOf(name));
  const [{ records, bytes }] = all.get(OURS) as [Rounds];
  const row = (times: readonly number[]) => {
    const timing = timingOf(times);
    return { ...timing, microsecondsPerRecord: (timing.bestMs * 1_000) / records };
  };
  const rows = names.map((name): [string, HotPathRow] => [
    name,
    {
      ...row(timesOf(name)),
      timesParse: timesParse(name),
      timesParseMedian: median(timesOf(name)) / median(parsesOf(name)),
      timesOurs: timesParse(name) / timesParse(OURS),
      heapBytesPerRecord: median((all.get(name) ?? []).map(({ heapBytesPerRecord }) => heapBytesPerRecord)),
    },
  ]);
  const parse: HotPathRow = {
    ...row(parsesOf(OURS)),
    ...{ timesParse: 1, timesParseMedian: 1, timesOurs: 1 / timesParse(OURS) },
  };
  return { records, bytes, contestants: { [PARSE]: parse, ...Object.fromEntries(rows) } };
}

/** From a batch of stream records to what goes over the wire, beside what a user would otherwise write. */
export function hotPath({ quick }: { quick: boolean }) {
  const names = Object.keys(contestants(bankMarketing, '')).filter((name) => name !== PARSE);
  const [usual = '', ...others] = Object.keys(BATCHES);
  if (quick) return { [usual]: measure(usual, [OURS, USERS], QUICK) };
  const results = { [usual]: measure(usual, names, { processes: 5, rounds: 10 }) };
  // By hand, nobody has written a filter or nested values down.
  for (const batch of others) {
    results[batch] = measure(batch, batch === FILTERED ? [OURS] : [OURS, USERS], { processes: 3, rounds: 10 });
  }
  return results;
}

/** Writes and time of a batch in which items change once, twice and five times. */
export function coalescing({ quick }: { quick: boolean }) {
  const names = quick ? [OURS] : [OURS, USERS];
  return Object.fromEntries(
    Object.entries(COALESCING).map(([changesPerKey, { options }]) => {
      const event: DynamoDBStreamEvent = JSON.parse(eventText(options));
      const keys = new Set(event.Records.map(({ dynamodb }) => JSON.stringify(dynamodb?.Keys))).size;
      const { writes } = compiled(bankMarketing)(event);
      const { contestants: rows } = measure(changesPerKey, names, quick ? QUICK : { processes: 3, rounds: 10 });
      const [ours, user] = names.map((name) => (rows as Record<string, HotPathRow>)[name]?.timesParse);
      return [
        changesPerKey,
        { records: event.Records.length, keys, writes, oursTimesParse: ours, userTimesParse: user },
      ];
    }),
  );
}
