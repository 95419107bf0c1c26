import { unmarshall } from '@aws-sdk/util-dynamodb';
import { stringify } from 'csv-stringify/sync';
import { ingestAgainst } from './batch-of-ingest.ts';
import { eventText } from './events.ts';
import { startAnsweringServer } from './processes.ts';
import { quantile } from './rounds.ts';

/** Changes between two looks at the table, the same for every size of it. */
const CHANGES = 100;
/** Rows of the table that are in memory at once, as an export is read file by file. */
const ROWS_PER_FILE = 10_000;

/**
 * Steady ingest by the size of the table, with the same number of changes, and beside it the old way: the whole table
 * exported, and every row of it converted to CSV, each time.
 */
export async function growth({ quick }: { quick: boolean }) {
  const server = await startAnsweringServer();
  const ingest = ingestAgainst(server.endpoint);
  const rounds = quick ? 3 : 9;
  const results: Record<string, object> = {};
  const warmUp = eventText({ records: CHANGES });
  for (let round = 0; round < 2; round += 1) await ingest(JSON.parse(warmUp));
  for (const rows of quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000]) {
    const ingestMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // The changed items lie anywhere in the table.
      const firstKey = Math.floor((rows - CHANGES) * (round / rounds));
      const event = JSON.parse(eventText({ records: CHANGES, firstKey, seed: round + 1 }));
      ingestMs.push(await cpuMs(() => ingest(event)));
    }
    let exportMs = 0;
    for (let from = 0; from < rows; from += ROWS_PER_FILE) {
      const file = exportedFile(from);
      exportMs += await cpuMs(() => convert(file));
    }
    const ingestMedianMs = quantile(ingestMs, 0.5);
    results[rows] = {
      changes: CHANGES,
      ingestMedianMs,
      exportAndConvertMs: exportMs,
      ratio: exportMs / ingestMedianMs,
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
