import { readFileSync } from 'node:fs';

/**
 * The bundled ingest, given one event again and again as Lambda's runtime gives it: text, parsed anew. In a process of
 * its own: `batches.ts '["HANDLER", "EVENT FILE", BATCHES]'`; the peak of its memory after each batch, as JSON, at the end.
 */

const [handlerFile, eventFile, batches] = JSON.parse(process.argv[2] ?? '[]') as [string, string, number];
const { handler } = await import(handlerFile);
const context = { getRemainingTimeInMillis: () => 120_000 };
const peakMegabytes: number[] = [];
const start = process.cpuUsage();
for (let batch = 0; batch < batches; batch += 1) {
  const { batchItemFailures } = await handler(JSON.parse(readFileSync(eventFile, 'utf8')), context);
  if (batchItemFailures.length > 0) throw new Error(`batch ${batch + 1} failed`);
  peakMegabytes.push(process.resourceUsage().maxRSS / 1_024);
}
const { user, system } = process.cpuUsage(start);
process.stdout.write(`\n${JSON.stringify({ peakMegabytes, cpuMs: (user + system) / 1_000 / batches })}\n`);
process.exit();
