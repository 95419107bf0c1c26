import { DatabaseSync } from 'node:sqlite';
import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import type { PutRecordBatchCommandInput, PutRecordBatchCommandOutput } from '@aws-sdk/client-firehose';
import { makeIngest } from '../../functions/ingest.ts';
import { systemTime } from '../../shared/calls/client-settings.ts';
import type { Rejection } from '../../shared/changes/change.ts';
import { ingestConfig } from '../../shared/config/ingest.ts';
import type { FeatureGroup } from '../../shared/definition/feature-group.ts';
import type { Counts, Outcome } from '../../shared/delivery/deliver.ts';
import type { DeliveryClients } from '../../shared/delivery/destinations.ts';
import { labelKey } from '../../shared/state/keys.ts';
import { featureGroup } from '../aws/data/feature-group.ts';
import { stateTable } from '../aws/data/state-table.ts';
import { embeddedDynamoDb } from '../local/dynamodb/embedded.ts';
import type { FeatureGroupProperties } from '../local/feature-store/feature-group.ts';
import { featureStore } from '../local/feature-store/feature-store.ts';
import { Faults } from '../local/protocol/faults.ts';
import { inProcessClient } from '../local/protocol/in-process-client.ts';
import { callInProcess } from '../local/protocol/server.ts';
import { createTable, type TableProperties } from '../local/stack/provision-table.ts';
import { recordsOf } from './recorded-events.ts';

/** What events have led to. The same events lead to the same. */
export interface Replayed {
  /** What became of the records. */
  readonly counts: Counts;
  /** The online store: the features of each record that is there, event time included, by record identifier. */
  readonly online: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** The change log's rows, in the stream's order. */
  readonly rows: readonly string[];
  /** The records that have had a label, with the label they have now. */
  readonly labels: readonly { readonly recordIdentifier: string; readonly label: string; readonly epoch: number }[];
  /** The records in quarantine: which, why, and the record whole. */
  readonly rejections: readonly Rejection[];
}

const STATE_TABLE = 'state';
/** Time that an event may take, in milliseconds: as much as Lambda gives. */
const EVENT_MS_MAX = 900_000;

/**
 * Replays recorded events: each goes through ingest as it is deployed, one after the other, in this process and in
 * memory. DynamoDB and Feature Store are the local cloud's.
 *
 * @param events Lambda events, stream records, or lists of either.
 * @param onOutcome told what became of each event.
 * @throws Error naming the event by its place, from 0, when it is none, or was not delivered as a whole.
 */
export async function replayEvents(
  group: FeatureGroup,
  events: readonly unknown[],
  onOutcome: (outcome: Outcome) => void = () => {},
): Promise<Replayed> {
  const db = new DatabaseSync(':memory:');
  const dynamodb = await embeddedDynamoDb();
  try {
    const online = featureStore({ db, faults: new Faults(), tieRule: 'greater' });
    online.createFeatureGroup(groupProperties(group));
    const call = callInProcess([...dynamodb.services, online.service], new Faults());
    await createTable(call, stateTableProperties());
    const state = inProcessClient(call, 'dynamodb');
    const rows: string[] = [];
    const rejections: Rejection[] = [];
    const outcomes: Outcome[] = [];
    const ingest = makeIngest({
      config: ingestConfig({
        FEATURE_GROUP: group.name,
        STATE_TABLE,
        CHANGE_LOG_STREAM: 'change-log',
        QUARANTINE_BUCKET: 'quarantine',
        FEATURE_STORE_WRITER: 'sdk',
      }),
      group,
      clients: {
        dynamodb: state,
        featureStore: inProcessClient(call, 'featurestore'),
        firehose: { send: async (command: never) => putRows(command, rows) },
      } as unknown as DeliveryClients,
      async putObject({ Body = '' }) {
        rejections.push(...linesOf(String(Body)).map((line) => JSON.parse(line)));
      },
      time: systemTime,
      report(outcome) {
        outcomes.push(outcome);
        onOutcome(outcome);
      },
    });
    for (const [place, event] of events.entries()) {
      await ingest({ Records: recordsOf(`event ${place}`, event) }, { getRemainingTimeInMillis: () => EVENT_MS_MAX });
      const [failure] = outcomes.at(-1)?.failures ?? [];
      if (failure) throw new Error(`Event ${place} could not be delivered as a whole: ${failure.message}.`);
    }
    const labels = await labelsOf(state);
    return {
      counts: sum(outcomes.map(({ counts }) => counts)),
      online: new Map(
        [...online.records(group.name)].flatMap(({ recordIdentifier, deleted, values }) =>
          deleted ? [] : [[recordIdentifier, values] as const],
        ),
      ),
      rows: rows.sort(bySequenceNumber),
      labels,
      rejections,
    };
  } finally {
    await dynamodb.close();
    db.close();
  }
}

function groupProperties(group: FeatureGroup): FeatureGroupProperties {
  const { OfflineStoreConfig: _, RoleArn: __, ...properties } = featureGroup(group).FeatureGroup?.Properties ?? {};
  return properties as unknown as FeatureGroupProperties;
}

const stateTableProperties = (): TableProperties => ({
  ...(stateTable().StateTable?.Properties as unknown as TableProperties),
  TableName: STATE_TABLE,
});

/** Takes a call of Firehose's PutRecordBatch: its records are rows of text. */
function putRows({ input }: { input: PutRecordBatchCommandInput }, rows: string[]): PutRecordBatchCommandOutput {
  const { Records = [] } = input;
  for (const { Data = new Uint8Array() } of Records) rows.push(...linesOf(Buffer.from(Data).toString('utf8')));
  return { FailedPutCount: 0, RequestResponses: Records.map(() => ({ RecordId: 'replay' })), $metadata: {} };
}

const linesOf = (text: string): string[] => text.split('\n').filter(Boolean);

/** Reads the label ledger to its end, sorted by record identifier. */
async function labelsOf({ send }: { send: (command: ScanCommand) => Promise<unknown> }): Promise<Replayed['labels']> {
  const prefix = labelKey('');
  const labels: Replayed['labels'][number][] = [];
  let ExclusiveStartKey: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const page = (await send(new ScanCommand({ TableName: STATE_TABLE, ExclusiveStartKey }))) as ScanCommandOutput;
    for (const { pk, label, epoch } of page.Items ?? []) {
      if (!pk?.S?.startsWith(prefix)) continue;
      const recordIdentifier = pk.S.slice(prefix.length);
      labels.push({ recordIdentifier, label: label?.S ?? '', epoch: Number(epoch?.N) });
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return labels.sort((a, b) => byText(a.recordIdentifier, b.recordIdentifier));
}

/** Adds up what became of the records of several events. */
function sum(all: readonly Counts[]): Counts {
  const total: { -readonly [K in keyof Counts]: number } = {
    ...{ recordsIn: 0, delivered: 0, superseded: 0, deleted: 0, quarantined: 0, skipped: 0, failed: 0, labelEvents: 0 },
  };
  for (const counts of all) for (const name of Object.keys(total) as (keyof Counts)[]) total[name] += counts[name];
  return total;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The stream's order is in the first column, of digits only. Its copies stand side by side. */
function bySequenceNumber(a: string, b: string): number {
  const difference = BigInt(sequenceNumberOf(a)) - BigInt(sequenceNumberOf(b));
  return difference === 0n ? byText(a, b) : difference < 0n ? -1 : 1;
}

const sequenceNumberOf = (row: string): string => row.slice(0, row.indexOf(','));
