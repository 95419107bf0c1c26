import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { stringify } from 'csv-stringify/sync';
import { changeLogRow } from '../../../shared/change-log/row.ts';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { assignEventTimes } from '../../../shared/changes/event-order.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { BUCKET, localAthena } from '../../given/local/local-athena.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';
import { ingestAgainst } from '../contestants/batch-of-ingest.ts';
import { type EventOptions, eventText } from '../contestants/events.ts';
import { startAnsweringServer } from '../measure/processes.ts';
import { quantile } from '../measure/rounds.ts';
import { retrain } from './retraining.ts';

/** Changes between two trainings, or two exports: the same for every size of the table. */
const CHANGES = 1_000;
/** Part of the changes that bring a label, and part of the items that have one. */
const LABELLED = 0.05;
const LABELED_ITEMS = 0.1;
/** Rows of the table that are in memory at once, as an export is read file by file. */
const ROWS_PER_FILE = 10_000;
const FIRST_TRAINING_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

/**
 * By the size of the table, with the same number of changes: what ingest takes for them, and what preparing the next
 * training reads and takes, by the local Athena. In the place of ingest and the snapshot the old way has, on the same rows,
 * the whole table exported and every row of it converted to CSV, each time; the training set is made from either.
 */
export async function growth({ quick }: { quick: boolean }) {
  const server = await startAnsweringServer();
  const ingest = ingestAgainst(server.endpoint);
  const decode = makeDecoder(bankMarketing);
  const results: Record<string, object> = {};
  for (let round = 0; round < 2; round += 1)
    await ingest(JSON.parse(eventText({ records: CHANGES, labeled: LABELLED })));
  for (const rows of quick ? [10_000, 40_000] : [10_000, 100_000, 1_000_000]) {
    const athena = await localAthena();
    const config = retrainConfig({ ...retrainEnvironment, GLUE_DATABASE: 'growth' });
    athena.createTables(bankMarketing, config.glueDatabase);
    const arrive = async (options: EventOptions, arrivedMs: number) => {
      const { Records } = JSON.parse(eventText(options)) as DynamoDBStreamEvent;
      const changes = Records.map((record) =>
        decode({ ...record, dynamodb: { ...record.dynamodb, ApproximateCreationDateTime: arrivedMs / 1_000 } }),
      ).filter(isChange);
      const written = assignEventTimes(changes, new Map(), 0).map((change) => changeLogRow(bankMarketing, change));
      const day = new Date(arrivedMs).toISOString().slice(0, 10);
      await athena.objects.put(BUCKET, `change-log/dt=${day}/${arrivedMs}-${options.firstKey}`, written.join(''));
    };

    let exportAndConvertMs = 0;
    for (let firstKey = 0; firstKey < rows; firstKey += ROWS_PER_FILE) {
      await arrive({ records: ROWS_PER_FILE, firstKey, labeled: LABELED_ITEMS }, FIRST_TRAINING_MS - 10 * DAY_MS);
      const file = exportedFile(firstKey);
      exportAndConvertMs += await cpuMs(() => convert(file));
    }
    const { snapshot } = (await retrain(athena, bankMarketing, config, FIRST_TRAINING_MS, 1)).plan;
    // The changed items lie anywhere in the table.
    const changed = {
      ...{ records: CHANGES, firstKey: Math.floor((rows - CHANGES) / 2), seed: 2, labeled: LABELLED },
    };
    const ingestMs: number[] = [];
    for (let round = 0; round < (quick ? 1 : 5); round += 1) {
      const event = JSON.parse(eventText(changed));
      ingestMs.push(await cpuMs(() => ingest(event)));
    }
    await arrive(changed, FIRST_TRAINING_MS + DAY_MS);
    const nowMs = FIRST_TRAINING_MS + 2 * DAY_MS;
    const prepared = await retrain(athena, bankMarketing, config, nowMs, 2, snapshot);
    await athena.close();
    results[rows] = {
      changes: CHANGES,
      ingestMs: quantile(ingestMs, 0.5),
      changeLogRowsRead: prepared.changes.rows,
      snapshotRowsRead: prepared.base.rows + prepared.sets.rows,
      megabytesRead: (prepared.changes.bytes + prepared.base.bytes + prepared.sets.bytes) / 1e6,
      snapshotMs: prepared.snapshotCpuMs,
      exportAndConvertMs,
      countsMs: prepared.countsCpuMs,
      trainingSetMs: prepared.filesCpuMs,
    };
  }
  server.close();
  return results;
}

async function cpuMs(run: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

/** A file of DynamoDB's export to S3: one item in DynamoDB JSON per line. */
function exportedFile(firstKey: number): string {
  const { Records } = JSON.parse(eventText({ records: ROWS_PER_FILE, firstKey }));
  return Records.map((record: { dynamodb: { NewImage: object } }) =>
    JSON.stringify({ Item: record.dynamodb.NewImage }),
  ).join('\n');
}

function convert(file: string): number {
  const items = file.split('\n').map((line) => unmarshall(JSON.parse(line).Item));
  return stringify(items, { header: true }).length;
}
