import { BatchWriteRecordCommand } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { makeIngest } from '../../functions/ingest.ts';
import { formatEventTime } from '../../shared/changes/event-time.ts';
import type { DeliveryClients } from '../../shared/delivery/destinations.ts';
import { defineFeatureGroup, integral } from '../../shared/feature-groups/define.ts';
import { Network } from './aws/aws-call.ts';
import { DynamoDb } from './aws/dynamodb.ts';
import { Faults } from './aws/faults.ts';
import { FeatureStore, type OnlineWrite } from './aws/feature-store.ts';
import { Firehose } from './aws/firehose.ts';
import { Invocation } from './aws/lambda.ts';
import { Random } from './world/random.ts';
import { Scheduler } from './world/scheduler.ts';

/**
 * The worked example: three changes of one customer's balance, two of them in one second but in two batches, and the
 * first batch delivered again. Told for the two obvious ways to date a change, and for ours.
 */
const START_MS = Date.UTC(2026, 0, 5, 9, 0, 0, 200);
const SECOND = Math.floor(START_MS / 1_000);
const customers = defineFeatureGroup({
  name: 'customers',
  recordIdentifier: 'customer_id',
  features: { balance: integral() },
  label: { name: 'churned' },
});

interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly NewImage: { readonly balance: { readonly N: string } };
  };
}
const record = (number: string, balance: string, before?: string): StreamRecord & object => {
  const image = (N: string) => ({ customer_id: { S: 'ada' }, balance: { N } });
  return {
    eventName: before === undefined ? 'INSERT' : 'MODIFY',
    dynamodb: {
      SequenceNumber: number,
      NewImage: image(balance),
      ...(before !== undefined && { OldImage: image(before) }),
      ...{ ApproximateCreationDateTime: SECOND, Keys: { customer_id: { S: 'ada' } } },
    },
  };
};
const [FIRST, SECOND_CHANGE, THIRD] = [
  record('100000000000000000000001', '100'),
  record('100000000000000000000002', '250', '100'),
  record('100000000000000000000003', '40', '250'),
] as const;
/** What Lambda delivers: the first batch's answer is lost, so it comes again after the second. */
const DELIVERIES = [
  { records: [FIRST, SECOND_CHANGE], note: 'the first two changes; Lambda does not get the answer' },
  { records: [THIRD], note: 'the third change, of the same second' },
  { records: [FIRST, SECOND_CHANGE], note: 'the first two again, as a slow copy of their invocation ends late' },
];

type Way = (records: readonly StreamRecord[], world: ExampleWorld) => Promise<unknown>;

/** Runs the example in each way, and tells it. */
export async function exampleInWords(): Promise<string[]> {
  const lines = [
    'One customer, three changes within the second 09:00:00: balance 100, then 250, then 40. The table ends at 40.',
    'Feature Store keeps, of two versions, the one of the greater event time.',
  ];
  const ways: [string, Way][] = [
    ['Event time = the stream’s creation time (whole seconds)', naive(() => SECOND * 1_000)],
    ['Event time = the clock when the record is handled', naive((world) => world.scheduler.now)],
    ['Tributary: the second, the ordinal in its milliseconds, and a fence between batches', ours],
  ];
  for (const [name, way] of ways) {
    lines.push('', name);
    const world = new ExampleWorld((write) => {
      const version = `balance ${write.features?.get('balance')} at ${formatEventTime(write.eventTimeMs).slice(11)}`;
      lines.push(`    ${version}: ${write.applied ? 'online' : 'passed over, not later'}`);
    });
    for (const { records, note } of DELIVERIES) {
      lines.push(`  ${note}`);
      await world.run(way(records, world));
    }
    const balance = world.featureStore.records.get('ada')?.features?.get('balance');
    lines.push(`  → online: ${balance}, table: 40. ${balance === '40' ? 'Right.' : 'WRONG, and it stays wrong.'}`);
  }
  return lines;
}

/** Writes the batch's last change, as one would at first. */
function naive(eventTime: (world: ExampleWorld) => number): Way {
  return (records, world) =>
    world.clients.featureStore.send(
      new BatchWriteRecordCommand({
        Entries: records.slice(-1).map(({ dynamodb }) => ({
          FeatureGroupName: customers.name,
          Record: [
            { FeatureName: 'customer_id', ValueAsString: 'ada' },
            { FeatureName: 'event_time', ValueAsString: formatEventTime(Math.floor(eventTime(world))) },
            { FeatureName: 'balance', ValueAsString: dynamodb.NewImage.balance.N },
          ],
        })),
      }),
      { abortSignal: new AbortController().signal },
    );
}

const ours: Way = (records, world) => {
  const { scheduler, clients } = world;
  const context = { getRemainingTimeInMillis: () => 120_000 };
  const ingest = makeIngest({
    config: {
      featureGroup: customers.name,
      stateTable: 'state',
      changeLogStream: 'change-log',
      quarantineBucket: 'quarantine',
      hazardWindowSeconds: 1,
      featureStoreConcurrency: 1,
      featureStoreWriter: 'sdk',
      fences: 'pages',
    },
    group: customers,
    clients,
    putObject: () => Promise.reject(new Error('nothing is quarantined here')),
    time: {
      now: () => Math.floor(scheduler.now),
      sleep: (ms) => scheduler.sleep(ms),
      random: () => 0.5,
      abortIn: () => new AbortController().signal,
    },
    report: () => {},
  });
  return ingest({ Records: records }, context);
};

/** The services around the handler, in fair weather. */
class ExampleWorld {
  readonly scheduler = new Scheduler(START_MS);
  readonly featureStore: FeatureStore;
  readonly clients: DeliveryClients;

  constructor(onWrite: (write: OnlineWrite) => void) {
    const { scheduler } = this;
    const random = new Random(1);
    const faults = new Faults(random, 0);
    const network = new Network(scheduler, faults, random);
    const caller = new Invocation('ingest', 1, 0);
    this.featureStore = new FeatureStore({ group: customers, tieRule: 'greater', faults, random, onWrite });
    const around = { scheduler, faults, random };
    this.clients = {
      dynamodb: network.client(
        new DynamoDb({ ...around, stateTable: 'state', readSource: () => undefined, onWrite: () => {} }),
        caller,
      ),
      featureStore: network.client(this.featureStore, caller),
      firehose: network.client(new Firehose({ ...around, onRow: () => {} }), caller),
    };
  }

  async run(work: Promise<unknown>): Promise<void> {
    let done = false;
    const finished = work.then(() => {
      done = true;
    });
    await this.scheduler.run(() => done);
    await finished;
  }
}
