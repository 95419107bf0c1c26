import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crossing,
  monthlyBill,
  monthlyBillOfExports,
  onlineStoreOfExports,
  total,
} from '../../../infra/aws/cost/bill.ts';
import { command, comparisonOf, report } from '../../../infra/commands/cost.ts';

const usage = { changesPerDay: 10_000, rows: 1_000_000, labelsPerDay: 1_000, itemBytes: 1_000 };
const usd = (what: RegExp, lines = monthlyBill(usage)) =>
  lines.filter((line) => what.test(line.what)).reduce((sum, line) => sum + line.usd, 0);

describe('a month’s bill', () => {
  it('writes each change to the online store once, in units of a kilobyte', () => {
    expect(usd(/online store: writes/)).toBeCloseTo((30 * 10_000 * 1.25) / 1e6);
    expect(usd(/online store: writes/, monthlyBill({ ...usage, itemBytes: 1_025 }))).toBeCloseTo(
      (60 * 10_000 * 1.25) / 1e6,
    );
  });

  it('bills Firehose for 5 KB at least per batch, and for what is in it when that is more', () => {
    expect(usd(/Firehose/)).toBeCloseTo((30 * 10_000 * 5_120 * 0.029) / 1024 ** 3);
    const busy = monthlyBill({ ...usage, changesPerDay: 86_400 * 100 });
    expect(usd(/Firehose/, busy)).toBeCloseTo((30 * 86_400 * 102_400 * 0.029) / 1024 ** 3);
  });

  it('exports the whole table every night in the old way, whatever has changed', () => {
    expect(usd(/full export/, monthlyBillOfExports(usage))).toBeCloseTo((30 * 1e9 * 0.1) / 1024 ** 3);
    expect(monthlyBillOfExports({ ...usage, changesPerDay: 0 })).toEqual(monthlyBillOfExports(usage));
  });

  it('never gets smaller with more changes, rows or labels', () => {
    const amount = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(amount, amount, amount, fc.integer({ min: 1, max: 1_000_000 }), (changes, rows, labels, more) => {
        const one = { changesPerDay: changes, rows, labelsPerDay: labels, itemBytes: 500 };
        for (const key of ['changesPerDay', 'rows', 'labelsPerDay'] as const) {
          expect(total(monthlyBill({ ...one, [key]: one[key] + more }))).toBeGreaterThanOrEqual(
            total(monthlyBill(one)) - 1e-9,
          );
        }
      }),
    );
  });
});

describe('the crossing', () => {
  it('is where both bills are the same', () => {
    const old = [...monthlyBillOfExports(usage), ...onlineStoreOfExports(usage)];
    const changesPerDay = crossing(usage, old) ?? Number.NaN;
    expect(total(monthlyBill({ ...usage, changesPerDay }))).toBeCloseTo(total(old), 1);
    expect(total(monthlyBill({ ...usage, changesPerDay: changesPerDay / 2 }))).toBeLessThan(total(old));
  });

  it('is nowhere when the old way is cheaper without a single change', () => {
    const tiny = { ...usage, rows: 1, labelsPerDay: 24_000 };
    expect(crossing(tiny, monthlyBillOfExports(tiny))).toBeUndefined();
    expect(report(tiny)).toContain('The old way is cheaper at any number of changes.');
  });
});

describe('npm run cost', () => {
  it('marks every line whose price is not confirmed', () => {
    const lines = report(usage).split('\n');
    expect(lines.find((it) => it.includes('online store: writes'))).toMatch(/^ +\$0\.38 \? /);
    expect(lines.find((it) => it.includes('full export'))).not.toContain('?');
  });

  it('gives the same as JSON, each line with its price and whether it is confirmed', () => {
    const { tributary } = JSON.parse(JSON.stringify(comparisonOf(usage)));
    expect(tributary.lines[0]).toMatchObject({ what: expect.any(String), unitPrice: 0.2, confirmed: true });
    expect(tributary.total).toBeCloseTo(total(monthlyBill(usage)));
  });

  it('reads numbers with separators, and names the option that is none', () => {
    const read = (argv: string[]) => command.parseOptions(argv);
    read(['--changes-per-day', '1_000', '--rows', '2,000', '--labels-per-day', '0']);
    expect(command.opts()).toMatchObject({ changesPerDay: 1_000, rows: 2_000, labelsPerDay: 0, itemBytes: 1_000 });
    for (const none of ['many', '-1', '']) {
      expect(() => read(['--rows', none])).toThrow(`--rows: found "${none}", expected a number, 0 or more.`);
    }
  });
});
