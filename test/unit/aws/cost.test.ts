import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  autoCoolDownSeconds,
  crossing,
  monthlyBill,
  monthlyBillOfExports,
  onlineStoreOfExports,
  total,
  USUAL,
} from '../../../infra/aws/cost/bill.ts';
import { largest } from '../../../infra/aws/cost/levers.ts';
import { command, comparisonOf, report } from '../../../infra/commands/cost.ts';
import { coolDownSeconds } from '../../../shared/training/policy.ts';

const usage = { ...USUAL, changesPerDay: 10_000, rows: 1_000_000, labelsPerDay: 1_000 };
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

  it('bills predictions that are kept for a record of 5 KB each, and nothing where none are', () => {
    expect(usd(/prediction log/)).toBe(0);
    const kept = monthlyBill({ ...usage, loggedPredictionsPerDay: 1e6 });
    expect(usd(/prediction log: Firehose/, kept)).toBeCloseTo((30 * 1e6 * 5_120 * 0.029) / 1024 ** 3);
    expect(usd(/prediction log: alarms/, kept)).toBeCloseTo(2 * 0.1);
    expect(total(kept) - total(monthlyBill(usage))).toBeCloseTo(usd(/prediction log/, kept));
  });

  it('has no model, nor what makes or asks one, for a definition without a label', () => {
    const without = { ...usage, labelsPerDay: 0, trains: false, loggedPredictionsPerDay: 1e6 };
    const ofModels = /label|training|endpoint|^state machine|prediction/;
    for (const bill of [monthlyBill, monthlyBillOfExports]) {
      expect(bill(usage).some(({ what }) => ofModels.test(what))).toBe(true);
      expect(bill(without).filter(({ what }) => ofModels.test(what))).toEqual([]);
    }
    expect(usd(/snapshots: state machine/, monthlyBill(without))).toBeGreaterThan(0);
    expect(report(without)).not.toMatch(/label(s|ed)|training/);
  });

  it('exports the whole table every night in the old way, whatever has changed', () => {
    expect(usd(/full export/, monthlyBillOfExports(usage))).toBeCloseTo((30 * 1e9 * 0.1) / 1024 ** 3);
    expect(monthlyBillOfExports({ ...usage, changesPerDay: 0 })).toEqual(monthlyBillOfExports(usage));
  });

  it('never gets smaller with more changes, rows or labels', () => {
    const amount = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(amount, amount, amount, fc.integer({ min: 1, max: 1_000_000 }), (changes, rows, labels, more) => {
        // A pause that grows with the rows makes for fewer trainings.
        const one = { ...usage, changesPerDay: changes, rows, labelsPerDay: labels, coolDownSeconds: 3_600 };
        for (const key of ['changesPerDay', 'rows', 'labelsPerDay'] as const) {
          expect(total(monthlyBill({ ...one, [key]: one[key] + more }))).toBeGreaterThanOrEqual(
            total(monthlyBill(one)) - 1e-9,
          );
        }
      }),
    );
  });
});

describe('snapshots and training sets', () => {
  it('cost what is read: the snapshot and the changes for the next one, labeled records for a training', () => {
    const unlabeled = monthlyBill({ ...usage, labeledShare: 0, rows: 1e8 });
    const labeled = monthlyBill({ ...usage, labeledShare: 0.5, rows: 1e8, coolDownSeconds: 3_600 });
    expect(usd(/snapshots: Athena/, labeled)).toBeCloseTo(usd(/snapshots: Athena/, unlabeled), 4);
    expect(usd(/training sets: Athena/, labeled)).toBeGreaterThan(100 * usd(/training sets: Athena/, unlabeled));
  });

  it('are one a day without a label, and as many as trainings with many', () => {
    const states = (labelsPerDay: number) =>
      usd(/snapshots: state machine/, monthlyBill({ ...usage, labelsPerDay, rows: 1_000 }));
    expect(states(0)).toBeCloseTo((30 * 7 * 0.025) / 1_000);
    expect(states(10_000)).toBeCloseTo(10 * states(0));
  });

  it('are fewer by the pause that the policy has after a large training', () => {
    for (const rows of [0, 359_999, 1_234_567, 1e9]) {
      expect(autoCoolDownSeconds(rows)).toBe(coolDownSeconds({ coolDownSeconds: 'auto' }, rows));
    }
  });

  it.each([
    ['training sets; whole, of 100,000 changes', { changesPerDay: 1e5, rows: 1e7, labelsPerDay: 5_000 }, 3, 'less'],
    ['training sets; whole, of 10,000,000 changes', { changesPerDay: 1e7, rows: 1e8, labelsPerDay: 1e5 }, 150, 800],
  ] as const)('keep to the goals for %s', (_, table, sets, whole) => {
    const bill = monthlyBill({ ...USUAL, ...table });
    expect(usd(/^(snapshots|training sets)/, bill)).toBeLessThan(sets);
    const most = whole === 'less' ? total(monthlyBillOfExports({ ...USUAL, ...table })) : whole;
    expect(total(bill)).toBeLessThan(most);
  });
});

describe('the largest line', () => {
  it('is named with what lowers it', () => {
    expect(largest(monthlyBill(usage))).toMatchObject({ line: { what: 'endpoint' } });
    expect(report(usage)).toContain('The largest line is "endpoint". Less by: a smaller endpointInstanceType');
    const busy = monthlyBill({ ...usage, changesPerDay: 1e8 });
    expect(largest(busy)?.lever).toMatch(/kilobyte/);
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
    read(['--labels-per-day', 'none']);
    expect(command.opts()).toMatchObject({ labelsPerDay: 'none' });
    for (const none of ['many', '-1', '']) {
      expect(() => read(['--rows', none])).toThrow(`--rows: found "${none}", expected a number, 0 or more.`);
    }
  });
});
