import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { labelOf } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { runApart, startAnsweringServer } from '../measure/processes.ts';

/** Rows of a data file, by who reads it; the difference of the two peaks is what memory grows with. */
const ROWS = { ours: [10_000, 1_000_000], lineByLine: [10_000, 200_000] };
const ROWS_QUICK = { ours: [10_000], lineByLine: [10_000] };
/** How `npm run backfill` starts Node: garbage is collected before the heap grows. */
const SMALL_HEAP = ['--max-semi-space-size=8', '--heap-growing-percent=30'];
/** One row in so many has a label. */
const LABELED_EVERY = 10;

/**
 * A data file of an export, gunzip to bodies, looks for tombstones, labels and rows, against a server that answers
 * everything at once, beside what AWS's own loaders do: a line, an item, the SDK.
 */
export async function backfill({ quick }: { quick: boolean }) {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-backfill-'));
  const server = await startAnsweringServer();
  Object.assign(process.env, {
    ...{ AWS_ENDPOINT_URL: server.endpoint, AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
  });
  try {
    const table: Record<string, object> = {};
    for (const [way, files] of Object.entries(quick ? ROWS_QUICK : ROWS)) {
      for (const rows of files) {
        const key = `${rows}.json.gz`;
        await pipeline(Readable.from(lines(rows)), createGzip({ level: 1 }), createWriteStream(join(folder, key)));
        table[`${rows.toLocaleString('en-US')} rows, ${way}`] = runApart<object>(
          'contestants/backfill.ts',
          [way, folder, key, rows],
          SMALL_HEAP,
        );
      }
    }
    return table;
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

/** Lines of a full export of the example's table. */
function* lines(rows: number): Generator<string> {
  const { features, recordIdentifier } = bankMarketing;
  const label = labelOf(bankMarketing);
  for (let row = 0; row < rows; row += 1) {
    const item: Record<string, object> = { [recordIdentifier.attributes[0] ?? '']: { S: `customer-${row}` } };
    for (const feature of features) {
      if (feature.type === 'categorical')
        item[feature.attribute] = { S: feature.categories[row % feature.categories.length] };
      else item[feature.attribute] = { N: feature.type === 'integral' ? String(20 + (row % 50)) : `${row % 100}.25` };
    }
    if (row % LABELED_EVERY === 0) item[label.attribute] = { N: '1' };
    yield `${JSON.stringify({ Item: item })}\n`;
  }
}
