import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { MEASURING, runApart } from './measure/processes.ts';

/**
 * Ingest side by side with what a user would otherwise write: `npm run bench -- [--quick] [--json FILE]`. Each section
 * runs in a process of its own, pinned to one core where that can be had.
 */

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});

type Table = Record<string, Record<string, unknown>>;

function section<T>(name: string, nodeFlags: readonly string[] = MEASURING): T {
  process.stderr.write(`${name} … `);
  const startedAt = performance.now();
  const result = runApart<T>('measure/section.ts', [name, { quick: options.quick }], nodeFlags);
  process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
  return result;
}

function show(title: string, rows: Table): void {
  process.stdout.write(`\n${title}\n`);
  console.table(Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, rounded(row)])));
}

function rounded(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value,
    ]),
  );
}

const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, ${process.platform}`;
process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machine}\n`);

const hotPath = section<Record<string, { records: number; contestants: Table }>>('hotPath');
for (const [batch, { records, contestants }] of Object.entries(hotPath)) {
  show(`Hot path: ${batch}, ${records} records, ratios to JSON.parse of the same event and to ours`, contestants);
}
const coalescing = section<Table>('coalescing');
show('Coalescing: changes per key, writes to the online store, time as a ratio to JSON.parse', coalescing);
const onlineWrite = section<Record<string, Table>>('onlineWrite', []);
for (const [server, rows] of Object.entries(onlineWrite)) show(`Online write, CPU per record: server ${server}`, rows);
const firehose = section<{ billing: Table; packingMicrosecondsPerRow: number; sending: Table }>('firehose', []);
show('Firehose: rows in a batch', firehose.billing);
process.stdout.write(`Packing costs ${firehose.packingMicrosecondsPerRow.toPrecision(3)} µs of CPU a row.\n`);
show('Firehose: CPU a row, against a server that answers at once', firehose.sending);
const coldStart = section<
  Record<string, { bundleBytes: number; startBytes: number; cpu: { bestMs: number; medianMs: number } }>
>('coldStart', []);
show(
  'Cold start: CPU in ms from import to ready',
  Object.fromEntries(
    Object.entries(coldStart).map(([name, { bundleBytes, startBytes, cpu }]) => [
      name,
      { bundleBytes, startBytes, ...cpu },
    ]),
  ),
);
const predictLatency = section<{ requests: number; parts: Table }>('predictLatency', []);
show(`Predict: ${predictLatency.requests} requests against the local cloud, one after the other`, predictLatency.parts);
const memory = section<Table>('memory', []);
show('Memory: MB resident at most, after full batches, by the size of the function', memory);
const growth = section<Table>('growth', []);
show('Growth: rows of the table, the same number of changes; CPU in ms', growth);

const all = { machine, hotPath, onlineWrite, firehose, coalescing, coldStart, predictLatency, memory, growth };
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(all, undefined, 2)}\n`);
