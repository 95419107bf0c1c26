import { ASSUMPTIONS } from '../aws/cost/assumptions.ts';
import {
  crossing,
  type Line,
  monthlyBill,
  monthlyBillOfExports,
  onlineStoreOfExports,
  total,
  USUAL,
  type Usage,
} from '../aws/cost/bill.ts';
import { largest } from '../aws/cost/levers.ts';
import { MEASURED } from '../aws/cost/measured.ts';
import { PRICES } from '../aws/cost/prices.ts';
import { newCommand, runCommand } from '../terminal/command.ts';
import { jsonFlag } from '../terminal/options.ts';
import { PLAIN, type Style, styleOf } from '../terminal/style.ts';
import { labeled, wrapped } from '../terminal/text.ts';

/** Columns of a sum, and of the margin that a bill's sums and question marks stand in. */
const USD_WIDTH = 12;
const PRICE_WIDTH = USD_WIDTH + 5;

export const command = newCommand(
  'cost',
  "Prints a month's bill beside that of exporting the table every night, and where the two cross.",
)
  .requiredOption('--changes-per-day <N>', 'writes that change an item, per day', amount('changes-per-day'))
  .requiredOption('--rows <N>', 'items in the table', amount('rows'))
  .requiredOption(
    '--labels-per-day <N>',
    'records that get a label or another one, per day; none for a definition without a label',
    orWord('none', amount('labels-per-day')),
  )
  .option('--item-bytes <N>', 'bytes of an item', amount('item-bytes'), USUAL.itemBytes)
  .option('--labeled-share <N>', 'part of the rows that has a label, 0 to 1', share, USUAL.labeledShare)
  .option(
    '--labels-threshold <N>',
    'labelsThreshold of the stack',
    amount('labels-threshold', 1),
    USUAL.labelsThreshold,
  )
  .option(
    '--cool-down <N>',
    'coolDownSeconds of the stack, or auto',
    orWord('auto', amount('cool-down')),
    USUAL.coolDownSeconds,
  )
  .option(
    '--training-window <N>',
    'trainingWindowDays of the stack, or all',
    orWord('all', amount('training-window', 1)),
    USUAL.trainingWindowDays,
  )
  .option(
    '--logged-predictions-per-day <N>',
    'requests to predict, per day, where predictionLog is on',
    amount('logged-predictions-per-day'),
    USUAL.loggedPredictionsPerDay,
  )
  .option(
    '--shards <N>',
    "shards of the table's stream; as many as the changes need, if not given",
    amount('shards', 1),
  )
  .addOption(jsonFlag())
  .action(({ json, coolDown: coolDownSeconds, trainingWindow: trainingWindowDays, labelsPerDay: labels, ...given }) => {
    const ofLabels = labels === 'none' ? { labelsPerDay: 0, trains: false } : { labelsPerDay: labels };
    const usage = { ...given, ...ofLabels, coolDownSeconds, trainingWindowDays };
    console.log(json ? JSON.stringify(comparisonOf(usage), undefined, 2) : report(usage, styleOf(process.stdout)));
  });

/** Reads a number, with separators or without. @throws Error naming the option when it is none. */
function amount(option: string, least = 0): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll(/[_,]/g, '') || Number.NaN);
    if (Number.isFinite(value) && value >= least) return value;
    throw new Error(`--${option}: found "${text}", expected a number, ${least} or more.`);
  };
}

/** A word, or what else is read. */
function orWord<W extends string>(word: W, read: (text: string) => number): (text: string) => number | W {
  return (text) => (text === word ? word : read(text));
}

function share(text: string): number {
  const value = amount('labeled-share')(text);
  if (value <= 1) return value;
  throw new Error(`--labeled-share: found "${text}", expected a number from 0 to 1.`);
}

/** Both bills with their totals, and the changes per day at which they are the same. */
export function comparisonOf(usage: Usage) {
  const old = monthlyBillOfExports(usage);
  const oldOnline = [...old, ...onlineStoreOfExports(usage)];
  const bill = monthlyBill(usage);
  return {
    usage,
    tributary: { lines: bill.map(withPrice), total: total(bill) },
    nightlyExport: { lines: old.map(withPrice), total: total(old) },
    nightlyExportWithOnlineStore: { lines: oldOnline.map(withPrice), total: total(oldOnline) },
    changesPerDayAtSameCost: {
      nightlyExport: crossing(usage, old) ?? null,
      nightlyExportWithOnlineStore: crossing(usage, oldOnline) ?? null,
    },
    largest: largest(bill) ?? null,
    assumptions: ASSUMPTIONS,
    measured: MEASURED,
  };
}

const withPrice = (line: Line) => ({
  ...line,
  ...PRICES[line.price],
  usd: line.usd,
  unitPrice: PRICES[line.price].usd,
});

type Bill = ReturnType<typeof comparisonOf>['tributary'];

/** The comparison as text. Prices that no source confirms have a question mark. */
export function report(usage: Usage, style: Style = PLAIN): string {
  const comparison = comparisonOf(usage);
  const { trains = true } = usage;
  const { tributary, nightlyExport, nightlyExportWithOnlineStore, changesPerDayAtSameCost } = comparison;
  const count = (n: number) => n.toLocaleString('en-US');
  const cross = (n: number | null, other: string) =>
    n === null
      ? `${other} is cheaper at any number of changes.`
      : `${other} costs the same at ${count(n)} changes a day. With fewer changes Tributary is cheaper, with more it is dearer.`;
  const onlineTotal = dollars(nightlyExportWithOnlineStore.total).trim();
  const told = (sentence: string) => wrapped(sentence, style.columns);
  return [
    ...told(
      `A month of ${count(usage.changesPerDay)} changes ${trains ? `and ${count(usage.labelsPerDay)} labels a day` : 'a day, without a label'}, with ${count(usage.rows)} rows of ${count(usage.itemBytes)} bytes. Prices are list prices of us-east-1, without free tiers.`,
    ),
    '',
    ...billText(
      `Tributary: features within seconds${trains ? ', and a training when there are enough labels' : ''}`,
      tributary,
      style,
    ),
    ...(comparison.largest
      ? told(`The largest line is "${comparison.largest.line.what}". Less by: ${comparison.largest.lever}.`)
      : []),
    '',
    ...billText(`The old way: a full export ${trains ? 'and a training ' : ''}every night`, nightlyExport, style),
    '',
    ...told(`The old way with an online store, as fresh as a night allows, costs ${onlineTotal}.`),
    ...told(cross(changesPerDayAtSameCost.nightlyExport, 'The old way')),
    ...told(cross(changesPerDayAtSameCost.nightlyExportWithOnlineStore, 'The old way with an online store')),
    ...told('No source of AWS confirms a price that is marked by ?: check it before you rely on it.'),
    ...told('CloudWatch Logs and data transfer are left out.'),
  ].join('\n');
}

function billText(title: string, { lines, total: sum }: Bill, { columns, paint }: Style): string[] {
  const row = (usd: number, mark: string, text: string) =>
    labeled(`  ${dollars(usd)} ${mark}`, text, PRICE_WIDTH, { columns, paint: PLAIN.paint });
  return [
    paint('strong', title),
    ...lines.map(({ what, usd, unitPrice, per, confirmed }) =>
      row(usd, confirmed ? '' : '?', `${what} ($${unitPrice} per ${per})`),
    ),
    row(sum, '', 'in all'),
  ];
}

const dollars = (usd: number): string => `$${usd.toFixed(2)}`.padStart(USD_WIDTH);

if (import.meta.main) await runCommand(command);
