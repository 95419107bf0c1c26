import type { DynamoDBStreamEvent } from 'aws-lambda';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { allocatedBytes, type Contestant, timesInRounds } from '../measure/rounds.ts';
import { compiled } from './compiled.ts';
import { BATCHES, COALESCING, contestants, PARSE } from './contestants.ts';
import { eventText } from './events.ts';

/** Records for the measurement of the heap: few enough that no garbage is collected meanwhile. */
const HEAP_RECORDS = 200;

export interface Rounds {
  readonly records: number;
  readonly bytes: number;
  readonly parseMs: readonly number[];
  readonly runMs: readonly number[];
  readonly heapBytesPerRecord: number;
}

/**
 * One contestant on one batch beside JSON.parse: what a Lambda does with a batch, and nothing else in its process, so
 * that nobody pays for another's garbage.
 */
function hotPathRounds({ batch, contestant, rounds }: { batch: string; contestant: string; rounds: number }): Rounds {
  const { group = bankMarketing, options } = { ...BATCHES, ...COALESCING }[batch] as (typeof BATCHES)[string];
  const text = eventText({ ...options, group });
  const records = (JSON.parse(text) as DynamoDBStreamEvent).Records.length;
  const { rejected } = compiled(group)(JSON.parse(text));
  if (rejected > 0) throw new Error(`${rejected} records of the benchmark's own events are rejected`);
  const all = contestants(group, text);
  const chosen = all[contestant] as Contestant<unknown>;
  const times = timesInRounds({ parse: all[PARSE] as Contestant<unknown>, run: chosen }, rounds);
  // Run by the same functions, which are warm now.
  const smallText = eventText({ ...options, group, records: HEAP_RECORDS });
  return {
    records,
    bytes: text.length,
    parseMs: times.parse ?? [],
    runMs: times.run ?? [],
    heapBytesPerRecord: allocatedBytes({ prepare: () => JSON.parse(smallText), run: chosen.run }, 25) / HEAP_RECORDS,
  };
}

const [options] = JSON.parse(process.argv[2] ?? '[]') as [Parameters<typeof hotPathRounds>[0]];
process.stdout.write(`\n${JSON.stringify(hotPathRounds(options))}\n`);
