import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { newCommand, runCommand } from '../../infra/terminal/command.ts';
import { jsonFile } from '../../infra/terminal/options.ts';
import { progressTo } from '../../infra/terminal/progress.ts';
import { MEASURING, runApart } from './measure/processes.ts';

export const command = newCommand('bench', 'Measures ingest side by side with what a user would otherwise write.')
  .option('--quick', 'fewer rounds: coarser figures in less time')
  .addOption(jsonFile())
  .action(bench);

const progress = progressTo(process.stderr);

type Table = Record<string, Record<string, unknown>>;

/** Runs a section in a process of its own, pinned to one core where that can be had. */
function section<T>(name: string, quick: boolean, nodeFlags: readonly string[] = MEASURING): T {
  progress.step(`Measuring ${name}`);
  try {
    const result = runApart<T>('measure/section.ts', [name, { quick }], nodeFlags);
    progress.done('measured');
    return result;
  } finally {
    progress.close();
  }
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

function bench({
  quick = false,
  json,
}: {
  readonly quick?: boolean | undefined;
  readonly json?: string | undefined;
}): void {
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, ${process.platform}`;
  process.stdout.write(`${new Date().toISOString().slice(0, 10)}, ${machine}\n`);

  const hotPath = section<Record<string, { records: number; contestants: Table }>>('hotPath', quick);
  for (const [batch, { records, contestants }] of Object.entries(hotPath)) {
    show(`Hot path: ${batch}, ${records} records, ratios to JSON.parse of the same event and to ours`, contestants);
  }
  const coalescing = section<Table>('coalescing', quick);
  show('Coalescing: changes per key, writes to the online store, time as a ratio to JSON.parse', coalescing);
  const onlineWrite = section<Record<string, Table>>('onlineWrite', quick, []);
  for (const [server, rows] of Object.entries(onlineWrite))
    show(`Online write, CPU per record: server ${server}`, rows);
  const firehose = section<{ billing: Table; packingMicrosecondsPerRow: number; sending: Table }>(
    'firehose',
    quick,
    [],
  );
  show('Firehose: rows in a batch', firehose.billing);
  process.stdout.write(`Packing costs ${firehose.packingMicrosecondsPerRow.toPrecision(3)} µs of CPU a row.\n`);
  show('Firehose: CPU a row, against a server that answers at once', firehose.sending);
  const invocation = section<Record<string, Table>>('invocation', quick, []);
  for (const [batch, rows] of Object.entries(invocation)) show(`A whole invocation, CPU per change: ${batch}`, rows);
  const fences = section<Table>('fences', quick, []);
  show('Fences of a batch of 1,000 changes in one second, and units of the state table', fences);
  const coldStart = section<
    Record<string, { bundleBytes: number; startBytes: number; cpu: { bestMs: number; medianMs: number } }>
  >('coldStart', quick, []);
  show(
    'Cold start: CPU in ms from import to ready',
    Object.fromEntries(
      Object.entries(coldStart).map(([name, { bundleBytes, startBytes, cpu }]) => [
        name,
        { bundleBytes, startBytes, ...cpu },
      ]),
    ),
  );
  const predictLatency = section<{ requests: number; parts: Table }>('predictLatency', quick, []);
  show(
    `Predict: ${predictLatency.requests} requests against the local cloud, one after the other`,
    predictLatency.parts,
  );
  const memory = section<Table>('memory', quick, []);
  show('Memory: MB resident at most, after full batches, by the size of the function', memory);
  const growth = section<Table>('growth', quick, []);
  show('Growth: rows of the table, the same number of changes; CPU in ms', growth);

  const history = section<Table>('backfill', quick, []);
  show('Backfill: a data file of an export, to a server that answers at once', history);

  const all = {
    machine,
    hotPath,
    onlineWrite,
    firehose,
    coalescing,
    invocation,
    coldStart,
    predictLatency,
    memory,
    growth,
    backfill: history,
  };
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(all, undefined, 2)}\n`);
}

if (import.meta.main) await runCommand(command);
