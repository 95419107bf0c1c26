import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteRecordCommand,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { CLIENT_SETTINGS, systemTime } from '../../../shared/calls/client-settings.ts';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import { onlineStoreOf } from '../../../shared/delivery/destinations.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';
import { folderPlace } from '../../../shared/history/places.ts';
import { chunkWriter } from '../../../shared/history/run/chunk.ts';
import { CHUNK_MS, workFile } from '../../../shared/history/run/file.ts';
import { directOnlineStore } from '../../../shared/online-store/direct.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';

/**
 * A data file of an export into Feature Store and the rest, against a server that answers everything. In a process of its
 * own: `backfill.ts '["ours" | "lineByLine", FOLDER, FILE, ROWS]'`; CPU and peak of the memory as JSON.
 */

const [way, folder, key, rows] = JSON.parse(process.argv[2] ?? '[]') as [keyof typeof ways, string, string, number];

/** As AWS's own loaders do: a line, an item, calls of 25 by the SDK's command, 16 of them at once. */
async function lineByLine(): Promise<void> {
  const client = new SageMakerFeatureStoreRuntimeClient(CLIENT_SETTINGS);
  const lines = createInterface({ input: createReadStream(`${folder}/${key}`).pipe(createGunzip()) });
  const EventTime = new Date(0).toISOString();
  const flying = new Set<Promise<unknown>>();
  let entries: { FeatureGroupName: string; Record: { FeatureName: string; ValueAsString: string }[] }[] = [];
  const send = async () => {
    const call = client.send(new BatchWriteRecordCommand({ Entries: entries })).finally(() => flying.delete(call));
    flying.add(call);
    entries = [];
    if (flying.size >= 16) await Promise.race(flying);
  };
  for await (const line of lines) {
    const item = unmarshall(JSON.parse(line).Item);
    const Record = Object.entries(item).map(([FeatureName, value]) => ({ FeatureName, ValueAsString: String(value) }));
    Record.push({ FeatureName: group.eventTime.name, ValueAsString: EventTime });
    entries.push({ FeatureGroupName: group.name, Record });
    if (entries.length === 25) await send();
  }
  if (entries.length > 0) await send();
  await Promise.all(flying);
}

async function ours(): Promise<void> {
  const table = { name: 'state', dynamodb: new DynamoDBClient(CLIENT_SETTINGS) };
  const featureStore = new SageMakerFeatureStoreRuntimeClient(CLIENT_SETTINGS);
  const clients = { featureStore, onlineStore: () => directOnlineStore(group, featureStore) };
  const destinations = {
    onlineStore: onlineStoreOf(group, { featureStoreConcurrency: 16 }, clients),
    labelLedger: labelLedgerSink(table, 0),
    ...{ table, source: table.dynamodb, quarantine: async () => [] },
  };
  const file = {
    key,
    name: key,
    form: 'full' as const,
    exportNumber: 0,
    fileNumber: 0,
    eventTimeMs: 1.76e12,
    items: rows,
  };
  await workFile('run', file, false, {
    ...{ group, table, decode: makeDecoder(group), place: folderPlace(folder), time: systemTime },
    writeChunk: chunkWriter(group, destinations, 300),
    putRows: async () => {},
    deleteRows: async () => {},
    onChunk: async () => {},
    ...{ owner: 'bench', chunkMs: CHUNK_MS, isTimeUp: () => false },
  });
}

const ways = { lineByLine, ours };

const start = process.cpuUsage();
await ways[way]();
const { user, system } = process.cpuUsage(start);
const peakMb = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(`\n${JSON.stringify({ rowsPerCpuSecond: (rows / (user + system)) * 1e6, peakMb })}\n`);
process.exit();
