import { PLAIN, type Style } from '../../terminal/style.ts';
import { labeled } from '../../terminal/text.ts';
import type { Answer, Report } from './report.ts';

/** Columns of the left margin that names what a line is about. */
const LABEL_WIDTH = 16;

/** Differences shown; the JSON report has them all. */
const DIFFERENCES_SHOWN = 5;

/** Columns of a check's verdict. */
const VERDICT_WIDTH = 8;

/** Writes a line about one thing, its name in the left margin. */
type Line = (label: string, text: string) => string;

/** The report as text for a terminal: what happened, in the order it happened, and whether it was right. */
export function renderSummary(report: Report, style: Style = PLAIN): string {
  const line: Line = (label, text) => labeled(label, text, LABEL_WIDTH, style);
  const sections = [
    told(report, line),
    trainingLines(report, line),
    predictionLines(report, line),
    correlationLines(report, line),
    quarantineLines(report, line),
    checkLines(report, style),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function told({ source, changes, lag, changeLog, labels, onlineStore, seconds }: Report, line: Line): string[] {
  return [
    line(source.plural, `${count(source.customers)} from ${source.from}, in ${seconds.toFixed(1)} s`),
    line(
      'Changes',
      `${count(changes.written)} written to DynamoDB: ${count(changes.inserted)} inserts, ${count(changes.updated)} updates, ${count(changes.deleted)} deletes`,
    ),
    line(
      'Lag',
      lag.p50Ms === null
        ? 'not measured'
        : `from a write to the online store: half within ${count(lag.p50Ms)} ms (p50), 99 % within ${count(lag.p99Ms ?? 0)} ms (p99), of ${count(lag.samples)} watched`,
    ),
    line(
      '',
      `${count(lag.batchWindowMs)} ms of each are the batching window, in which Lambda gathers changes before it invokes ingest`,
    ),
    line('Online store', `${count(onlineStore.records)} records`),
    ...onlineStore.differences
      .slice(0, DIFFERENCES_SHOWN)
      .map((it) =>
        line(
          '',
          `${it.recordIdentifier} ${it.feature}: ${it.table ?? 'absent'} in the table, ${it.onlineStore ?? 'absent'} online`,
        ),
      ),
    line('Change log', `${count(changeLog.rows)} rows of CSV in ${count(changeLog.files)} files`),
    line(
      'Labels',
      `${count(labels.counted)} records counted: ${count(labels.byClass['1'])} yes, ${count(labels.byClass['0'])} no`,
    ),
  ];
}

function trainingLines({ trainings, endpoint, threshold }: Report, line: Line): string[] {
  return [
    line('Trainings', `${trainings.length}, one for each ${count(threshold)} newly labeled records`),
    ...table(
      ['epoch', 'rows', 'AUC', 'model serving since'],
      trainings.map((it) => [
        String(it.epoch),
        count(it.rows),
        it.auc?.toFixed(4) ?? '-',
        it.endpointConfigName ?? '- (refused)',
      ]),
    ),
    line('Endpoint', endpoint.name),
    line('  before', endpoint.before ?? 'none'),
    line('  after', endpoint.after ?? 'none'),
  ];
}

function predictionLines({ predictions, source }: Report, line: Line): string[] {
  return [
    line('Predictions', 'before and after the last swap'),
    ...table(
      [source.plural === 'Customers' ? 'customer' : 'record', 'before', 'after'],
      predictions.map((it) => [it.recordIdentifier ?? 'a new one', answer(it.before), answer(it.after)]),
    ),
  ];
}

const answer = (it: Answer | null): string =>
  it === null ? '-' : `${it.score.toFixed(4)} (${it.predicted_label === 1 ? 'yes' : 'no'})`;

function correlationLines({ correlations }: Report, line: Line): string[] {
  const { complete, final } = correlations;
  return [
    line('Correlation', 'with the label, by SQL over the change log'),
    ...table(
      ['', 'all labeled', 'at the end'],
      Object.keys(complete).map((column) => [
        column.replace(/^correlation_(.*)_and_target$/, '$1'),
        decimals(complete[column] ?? null),
        decimals(final[column] ?? null),
      ]),
    ),
  ];
}

const decimals = (value: number | null): string => (value === null ? 'none' : value.toFixed(6));

function quarantineLines({ quarantine }: Report, line: Line): string[] {
  if (quarantine.length === 0) return [line('Quarantine', 'empty')];
  return quarantine.map((it, index) =>
    line(index === 0 ? 'Quarantine' : '', `${it.recordIdentifier}: ${it.reason} at ${it.path}. ${it.message}`),
  );
}

function checkLines({ checks }: Report, { columns, paint }: Style): string[] {
  const failed = checks.filter((check) => !check.ok);
  return [
    ...checks.map(({ ok, name, detail }) =>
      labeled(ok ? 'ok' : 'FAILED', `${name}: ${detail}`, VERDICT_WIDTH, {
        columns,
        paint: (_, text) => paint(ok ? 'good' : 'bad', text),
      }),
    ),
    '',
    failed.length === 0
      ? paint('good', `All ${checks.length} checks held.`)
      : paint(
          'bad',
          `${failed.length} of ${checks.length} checks failed: ${failed.map(({ name }) => name).join('; ')}.`,
        ),
  ];
}

const count = (number: number): string => number.toLocaleString('en-US');

/** Rows under a header, each column as wide as its widest cell; the last one is left ragged. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const margin = ' '.repeat(LABEL_WIDTH);
  return all.map((row) =>
    `${margin}${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
