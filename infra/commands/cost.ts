import { parseArgs } from 'node:util';
import {
  ASSUMPTIONS,
  crossing,
  type Line,
  monthlyBill,
  monthlyBillOfExports,
  onlineStoreOfExports,
  total,
  type Usage,
} from '../aws/cost/bill.ts';
import { PRICES } from '../aws/cost/prices.ts';

/** `npm run cost`: a month's bill, beside that of exporting the table every night, and where the two cross. */

const USAGE = 'npm run cost -- --changes-per-day N --rows N --labels-per-day N [--item-bytes N] [--json]';

/** Bytes of an item when none are given: twenty features and a few names. */
const ITEM_BYTES = '1000';

/** @throws Error naming the option that is missing or no number. */
export function usageOf(argv: readonly string[]): { usage: Usage; json: boolean } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'changes-per-day': text,
      rows: text,
      'labels-per-day': text,
      'item-bytes': { ...text, default: ITEM_BYTES },
      json: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'changes-per-day' | 'rows' | 'labels-per-day' | 'item-bytes'): number => {
    const value = Number(values[name]?.replaceAll(/[_,]/g, ''));
    if (values[name] && Number.isFinite(value) && value >= 0) return value;
    throw new Error(`--${name} is ${values[name] ?? 'missing'}; expected a number, 0 or more: ${USAGE}`);
  };
  const usage = {
    changesPerDay: number('changes-per-day'),
    rows: number('rows'),
    labelsPerDay: number('labels-per-day'),
    itemBytes: number('item-bytes'),
  };
  return { usage, json: values.json };
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
    assumptions: ASSUMPTIONS,
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
export function report(usage: Usage): string {
  const { tributary, nightlyExport, nightlyExportWithOnlineStore, changesPerDayAtSameCost } = comparisonOf(usage);
  const count = (n: number) => n.toLocaleString('en-US');
  const cross = (n: number | null, other: string) =>
    n === null
      ? `${other} is cheaper whatever the number of changes.`
      : `${other} costs the same at ${count(n)} changes a day; below that Tributary is cheaper, above dearer.`;
  return [
    `A month of ${count(usage.changesPerDay)} changes and ${count(usage.labelsPerDay)} labels a day, ${count(usage.rows)} rows of ${count(usage.itemBytes)} bytes; list prices of us-east-1, free tiers left out.`,
    '',
    ...billText('Tributary: features within seconds, trained when there are labels', tributary),
    ...billText('The old way: a full export and a training every night', nightlyExport),
    `The old way with an online store, as fresh as a night allows: ${dollars(nightlyExportWithOnlineStore.total)}`,
    '',
    cross(changesPerDayAtSameCost.nightlyExport, 'The old way'),
    cross(changesPerDayAtSameCost.nightlyExportWithOnlineStore, 'The old way with an online store'),
    '? marks a price that no source of AWS confirms: check it before you rely on it. CloudWatch Logs and data transfer are left out.',
  ].join('\n');
}

function billText(title: string, { lines, total: sum }: Bill): string[] {
  const rows = lines.map(
    ({ what, usd, unitPrice, per, confirmed }) =>
      `  ${dollars(usd)} ${confirmed ? ' ' : '?'} ${what} ($${unitPrice} per ${per})`,
  );
  return [title, ...rows, `  ${dollars(sum)}   in all`, ''];
}

const dollars = (usd: number): string => `$${usd.toFixed(2)}`.padStart(12);

if (import.meta.main) {
  try {
    const { usage, json } = usageOf(process.argv.slice(2));
    console.log(json ? JSON.stringify(comparisonOf(usage), undefined, 2) : report(usage));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
