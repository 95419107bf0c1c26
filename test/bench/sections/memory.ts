import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../../infra/aws/packaging/bundle.ts';
import { labelOf } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { BATCH_RECORDS_MAX, eventText } from '../contestants/events.ts';
import { runApart, startAnsweringServer } from '../measure/processes.ts';

/** Sizes of functions in MB, from Lambda's smallest. */
const SIZES_MB = [128, 256, 512];

/** What Lambda's runtime tells Node of a function's size. Source: `bootstrap` of its Node runtimes. */
const heapFlags = (sizeMb: number) => {
  const youngMb = Math.floor(sizeMb / 10);
  return [`--max-semi-space-size=${Math.floor(youngMb / 2)}`, `--max-old-space-size=${sizeMb - youngMb}`];
};

/**
 * Peak of the resident memory of a process that has ingested full batches, one after the other, with the heap that Lambda
 * gives a function of each size. `usual` fills Lambda's payload; of `worst` each record is a new label, a thousand of
 * them come in a second, which is what a shard takes, and their number is the greatest, whatever they weigh.
 */
export async function memory({ quick }: { quick: boolean }) {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-memory-'));
  const server = await startAnsweringServer();
  Object.assign(process.env, environment(server.endpoint));
  try {
    await bundle(process.cwd(), ['functions/ingest'], folder);
    const measure = (name: string, text: string, batches: number, sizesMb: readonly number[]) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, text);
      const handler = join(folder, 'functions/ingest.mjs');
      return sizesMb.map((sizeMb) => [`${name}, ${sizeMb} MB`, peaks(handler, file, batches, sizeMb)]);
    };
    return Object.fromEntries([
      ...measure('usual', usualEvent(), quick ? 3 : 30, quick ? [256] : SIZES_MB),
      ...(quick ? [] : measure('worst', eventText({ records: BATCH_RECORDS_MAX }), 2, [256, 512])),
    ]);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

const environment = (endpoint: string) => ({
  ...{ AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'us-east-1' },
  ...{ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
  ...{ FEATURE_GROUP: bankMarketing.name, STATE_TABLE: 'state', CHANGE_LOG_STREAM: 'log', QUARANTINE_BUCKET: 'q' },
  POWERTOOLS_METRICS_NAMESPACE: 'Tributary',
});

/** One record in ten has a label, and a hundred come in a second. */
function usualEvent(): string {
  const event = JSON.parse(eventText());
  for (const [index, { dynamodb }] of event.Records.entries()) {
    if (index % 10 > 0) delete dynamodb.NewImage[labelOf(bankMarketing).attribute];
    dynamodb.ApproximateCreationDateTime += Math.floor(index / 100) - Math.floor(index / 1_000);
  }
  return JSON.stringify(event);
}

/** @returns why there is none, where the heap is too small. */
function peaks(handler: string, event: string, batches: number, sizeMb: number): object {
  try {
    const { peakMegabytes, cpuMs } = runApart<{ peakMegabytes: number[]; cpuMs: number }>(
      'contestants/batches.ts',
      [handler, event, batches],
      heapFlags(sizeMb),
    );
    const [first = 0, second = 0, last = 0] = [1, 2, 3].map(
      (third) => peakMegabytes[Math.ceil((batches * third) / 3) - 1],
    );
    return { batches, peakMbAfterAThird: first, afterTwoThirds: second, afterAll: last, cpuMsPerBatch: cpuMs };
  } catch (error) {
    return { failed: /heap out of memory/.test(String(error)) ? 'heap out of memory' : String(error).slice(0, 100) };
  }
}
