import { PutRecordCommand, SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import pLimit from 'p-limit';
import type { Pace } from '../../../shared/calls/pace.ts';
import { featureTexts, type TimedChange } from '../../../shared/changes/change.ts';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { assignEventTimes } from '../../../shared/changes/event-order.ts';
import { formatEventTime } from '../../../shared/changes/event-time.ts';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { directOnlineStore } from '../../../shared/online-store/direct.ts';
import { sdkOnlineStore } from '../../../shared/online-store/online-store.ts';
import { featureStoreSink } from '../../../shared/sinks/feature-store.ts';
import { LOOPBACK_TLS } from '../../given/tls.ts';
import { eventText } from '../contestants/events.ts';
import { startAnsweringServer } from '../measure/processes.ts';
import { timingOf } from '../measure/rounds.ts';

const CONCURRENCY = 16;
/** Retries at once, for ever. */
export const pace: Pace = {
  now: Date.now,
  sleep: async () => {},
  random: Math.random,
  deadline: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
  abortIn: () => new AbortController().signal,
};

/** The changes of one batch, ready to be written. */
export function timedChanges(records: number): TimedChange[] {
  const { Records } = JSON.parse(eventText({ records })) as { Records: unknown[] };
  return assignEventTimes(Records.map(makeDecoder(bankMarketing)).filter(isChange), new Map(), 0);
}

function client(endpoint: string) {
  return new SageMakerFeatureStoreRuntimeClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    endpoint,
    requestHandler: {
      ...{ connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
      httpsAgent: { ca: LOOPBACK_TLS.cert },
    },
  });
}

type Writer = (changes: readonly TimedChange[]) => Promise<unknown>;

function writers(endpoint: string): Record<string, Writer> {
  const putting = client(endpoint);
  const limit = pLimit(CONCURRENCY);
  const columns = columnsOf(bankMarketing);
  const put = (change: TimedChange) => {
    const texts = featureTexts(bankMarketing, change);
    return putting.send(
      new PutRecordCommand({
        FeatureGroupName: bankMarketing.name,
        Record: [
          { FeatureName: bankMarketing.recordIdentifier.name, ValueAsString: change.recordIdentifier },
          { FeatureName: bankMarketing.eventTime.name, ValueAsString: formatEventTime(change.eventTimeMs) },
          ...columns.map(({ name }, index) => ({ FeatureName: name, ValueAsString: texts[index] ?? '' })),
        ],
      }),
    );
  };
  const through = (store: typeof sdkOnlineStore): Writer => {
    const sink = featureStoreSink(bankMarketing, store(bankMarketing, client(endpoint)), CONCURRENCY);
    return async (changes) => {
      const { failures } = await sink.write(changes, pace);
      if (failures.length > 0) throw new Error(failures[0]?.message);
    };
  };
  return {
    'SDK PutRecord, one a call': (changes) => limit.map(changes, put),
    'sink, SDK BatchWriteRecord': through(sdkOnlineStore),
    'sink, direct BatchWriteRecord': through(directOnlineStore as typeof sdkOnlineStore),
  };
}

const SERVERS: Readonly<Record<string, { delayMs?: number; tls?: boolean }>> = {
  'answers at once': {},
  'answers at once, over TLS': { tls: true },
  'answers after 8 ms': { delayMs: 8 },
};

/** CPU of this process per record written to a server that answers at once, or after eight milliseconds. */
export async function onlineWrite({ quick }: { quick: boolean }) {
  const rounds = quick ? 4 : 10;
  const result: Record<string, object> = {};
  for (const [how, options] of Object.entries(SERVERS).slice(0, quick ? 1 : undefined)) {
    const server = await startAnsweringServer(options);
    const all = writers(server.endpoint);
    const times: Record<string, number[]> = Object.fromEntries(Object.keys(all).map((name) => [name, []]));
    // One call a record takes thirty times longer: a tenth of the records tells as much.
    const many = timedChanges(5_000);
    for (let round = -2; round < rounds; round += 1) {
      for (const [name, write] of Object.entries(all)) {
        const changes = name.startsWith('SDK') ? many.slice(0, many.length / 10) : many;
        const start = process.cpuUsage();
        await write(changes);
        const { user, system } = process.cpuUsage(start);
        if (round >= 0) times[name]?.push((user + system) / changes.length);
      }
    }
    server.close();
    result[how] = Object.fromEntries(
      Object.entries(times).map(([name, microseconds]) => {
        const { bestMs: best, medianMs: median, spread } = timingOf(microseconds);
        return [
          name,
          {
            microsecondsPerRecord: best,
            medianMicroseconds: median,
            spread,
            recordsPerSecondOfCpu: Math.round(1e6 / best),
            recordsPerSecondMedian: Math.round(1e6 / median),
          },
        ];
      }),
    );
  }
  return result;
}
