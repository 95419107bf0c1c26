import { makeIngest } from '../../functions/ingest.ts';
import { makeRedrive, makeRepair, type RedriveRequest } from '../../functions/redrive.ts';
import type { Time } from '../../shared/calls/pace.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import type { FeatureGroupInput } from '../../shared/definition/schema.ts';
import type { Outcome } from '../../shared/delivery/deliver.ts';
import type { DeliveryClients } from '../../shared/delivery/destinations.ts';
import type { RepairItem } from '../../shared/delivery/repair-items.ts';
import { defineFeatureGroup, integral, string } from '../../shared/feature-groups/define.ts';
import { AwsError, type AwsService, type Command } from '../simulation/aws/aws-call.ts';
import { DynamoDb } from '../simulation/aws/dynamodb.ts';
import type { Item } from '../simulation/aws/expression.ts';
import { Faults } from '../simulation/aws/faults.ts';
import { FeatureStore } from '../simulation/aws/feature-store.ts';
import { Firehose } from '../simulation/aws/firehose.ts';
import { Invocation } from '../simulation/aws/lambda.ts';
import { QuarantineBucket } from '../simulation/aws/quarantine-bucket.ts';
import { latestRows, parseRow } from '../simulation/judge/change-log-rows.ts';
import { Random } from '../simulation/world/random.ts';
import { Scheduler } from '../simulation/world/scheduler.ts';
import { pace } from './pace.ts';

/** A group of one number and one text, labeled `y`, of items whose key is `id`. */
export const things = (options: Partial<FeatureGroupInput> = {}) =>
  defineFeatureGroup({
    name: 'things',
    recordIdentifier: 'id',
    features: { v: integral(), note: string({ optional: true }) },
    label: { name: 'y' },
    ...options,
  });

/** The second at which these worlds begin. */
const START = 1_760_000_000;

/** The image of a thing. */
export const thing = (id: string, v: number | string, more: Item = {}): Item => ({
  id: { S: id },
  v: typeof v === 'number' ? { N: String(v) } : { S: v },
  ...more,
});

/** A stream record of a thing: `second` counts from {@link START}. */
export function thingRecord(
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE',
  sequence: number | string,
  second: number,
  { after, before, ttl = false }: { after?: Item; before?: Item; ttl?: boolean },
) {
  const id = (after ?? before)?.id as { S: string };
  return {
    eventName,
    dynamodb: {
      ApproximateCreationDateTime: START + second,
      Keys: { id },
      ...(after && { NewImage: after }),
      ...(before && { OldImage: before }),
      SequenceNumber: String(sequence),
    },
    ...(ttl && { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }),
  };
}

/** The real handlers over simulated services in fair weather, with a clock that a test sets. */
export class TableWorld {
  /** Seconds since {@link START}. */
  second = 0;
  /** Milliseconds that a call takes, by service; none if not named. */
  readonly callMs: Record<string, number> = {};
  /** Codes of calls that fail for as long as they are named here, by command. */
  readonly fails = new Map<string, string>();
  readonly items = new Map<string, Item>();
  readonly bucket = new QuarantineBucket();
  readonly rows: string[] = [];
  readonly featureStore: FeatureStore;
  readonly dynamodb: DynamoDb;
  readonly calls: string[] = [];
  readonly group: FeatureGroup;
  readonly #firehose: Firehose;
  readonly #hazardSeconds: number;

  constructor(group: FeatureGroup = things(), { hazardSeconds = 1 } = {}) {
    this.group = group;
    this.#hazardSeconds = hazardSeconds;
    const random = new Random(1);
    const faults = new Faults(random, 0);
    const around = { scheduler: new Scheduler(START * 1_000), faults, random };
    this.featureStore = new FeatureStore({ ...around, group, tieRule: 'greater', onWrite: () => {} });
    this.dynamodb = new DynamoDb({
      ...around,
      stateTable: 'state',
      readSource: (key) => this.items.get(key.id?.S ?? ''),
      onWrite: () => {},
    });
    this.#firehose = new Firehose({ ...around, onRow: (row) => this.rows.push(row) });
  }

  readonly config = {
    featureGroup: 'things',
    stateTable: 'state',
    changeLogStream: 'change-log',
    quarantineBucket: 'quarantine',
    featureStoreConcurrency: 4,
    featureStoreWriter: 'sdk' as const,
    fences: 'pages' as const,
  };

  get #time(): Time {
    const sleep = async (ms: number) => {
      this.second += ms / 1_000;
    };
    const { random, abortIn } = pace();
    return { now: () => Math.floor((START + this.second) * 1_000), sleep, random, abortIn };
  }

  #client<T>(service: AwsService): T {
    const send = async (command: Command) => {
      this.calls.push(`${service.name} ${command.constructor.name}`);
      this.second += (this.callMs[service.name] ?? 0) / 1_000;
      const code = this.fails.get(command.constructor.name);
      if (code !== undefined) throw new AwsError(code, 'as the test asks');
      return service.handle(command.constructor.name, command.input, new Invocation('test', 1, 0));
    };
    return { send } as T;
  }

  get clients(): DeliveryClients {
    return {
      dynamodb: this.#client(this.dynamodb),
      featureStore: this.#client(this.featureStore),
      firehose: this.#client(this.#firehose),
    };
  }

  /** Delivers a batch; answers what became of it. */
  async ingest(...records: readonly object[]): Promise<Outcome> {
    const outcomes: Outcome[] = [];
    const s3 = this.#client<{ send(command: object): Promise<unknown> }>(this.bucket);
    const ingest = makeIngest({
      config: { ...this.config, hazardWindowSeconds: this.#hazardSeconds },
      group: this.group,
      clients: this.clients,
      putObject: (input) => s3.send({ constructor: { name: 'PutObjectCommand' }, input }),
      time: this.#time,
      report: (outcome) => outcomes.push(outcome),
    });
    await ingest({ Records: records }, { getRemainingTimeInMillis: () => 120_000 });
    return outcomes[0] as Outcome;
  }

  /** Lambda gives a batch up. */
  discard(key: string, ...records: readonly object[]): void {
    const requestContext = { condition: 'RetryAttemptsExhausted' };
    this.bucket.put(
      `aws/lambda/${key}`,
      JSON.stringify({ requestContext, payload: JSON.stringify({ Records: records }) }),
    );
  }

  redrive(request: RedriveRequest = { action: 'redrive' }, remainingMs = 900_000) {
    const end = this.second + remainingMs / 1_000;
    const redrive = makeRedrive({
      config: { ...this.config, hazardWindowSeconds: this.#hazardSeconds },
      group: this.group,
      clients: this.clients,
      s3: this.#client(this.bucket),
      time: this.#time,
    });
    return redrive(request, { getRemainingTimeInMillis: () => (end - this.second) * 1_000 });
  }

  /** Puts records right of which nothing waits. */
  repair(...items: readonly RepairItem[]) {
    const repair = makeRepair({
      config: { ...this.config, hazardWindowSeconds: this.#hazardSeconds },
      group: this.group,
      clients: this.clients,
      time: this.#time,
    });
    return repair({ action: 'repair', items }, { getRemainingTimeInMillis: () => 900_000 });
  }

  /** Feature `v` of the record online, `gone` for a tombstone. */
  online(id: string): string | undefined {
    const record = this.featureStore.records.get(id);
    return record && (record.features?.get('v') ?? 'gone');
  }

  /** Feature `v` of the record's row in the view `latest`. */
  latest(id: string): string | null | undefined {
    return latestRows(this.group, this.rows.map(parseRow)).get(id)?.features[0];
  }
}
