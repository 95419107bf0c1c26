/**
 * A worker of one file of a backfill in a process of its own, which a test may kill: takes what it works as JSON, tells
 * when it begins, and exits with 0 when the file is through. Objects of the change log become files of a folder.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { CLIENT_SETTINGS, systemTime } from '../../../shared/calls/client-settings.ts';
import { makeDecoder } from '../../../shared/changes/decode.ts';
import { onlineStoreOf } from '../../../shared/delivery/destinations.ts';
import group from '../../../shared/feature-groups/bank-marketing.ts';
import type { HistoryFile } from '../../../shared/history/history.ts';
import { folderPlace } from '../../../shared/history/places.ts';
import { chunkWriter } from '../../../shared/history/run/chunk.ts';
import { CHUNK_MS, workFile } from '../../../shared/history/run/file.ts';
import { directOnlineStore } from '../../../shared/online-store/direct.ts';
import { labelLedgerSink } from '../../../shared/sinks/label-ledger.ts';

/** What a worker works. */
export interface FileWork {
  readonly runId: string;
  readonly file: HistoryFile;
  readonly stateTable: string;
  /** Folder that the file lies in, and folder of the change log. */
  readonly from: string;
  readonly to: string;
  /** Pause after each chunk, in milliseconds, so that there is time to be killed in. */
  readonly pauseMs: number;
}

const { runId, file, stateTable, from, to, pauseMs } = JSON.parse(process.argv[2] ?? '') as FileWork;
const table = { name: stateTable, dynamodb: new DynamoDBClient(CLIENT_SETTINGS) };
const featureStore = new SageMakerFeatureStoreRuntimeClient(CLIENT_SETTINGS);
const clients = { featureStore, onlineStore: () => directOnlineStore(group, featureStore) };
const destinations = {
  onlineStore: onlineStoreOf(group, { featureStoreConcurrency: 16 }, clients),
  labelLedger: labelLedgerSink(table, 0),
  ...{ table, source: table.dynamodb, quarantine: async () => [] },
};

process.send?.('begins');
await workFile(runId, file, false, {
  ...{ group, table, decode: makeDecoder(group), place: folderPlace(from), time: systemTime },
  writeChunk: chunkWriter(group, destinations, 300),
  // As a put into S3: the whole object or none of it.
  async putRows(key, rows) {
    const path = join(to, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.${process.pid}`, rows);
    await rename(`${path}.${process.pid}`, path);
  },
  deleteRows: (key) => rm(join(to, key), { force: true }),
  onChunk: () => sleep(pauseMs),
  ...{ owner: String(process.pid), chunkMs: CHUNK_MS, isTimeUp: () => false },
});
process.exit(0);
