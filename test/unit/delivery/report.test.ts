import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Outcome } from '../../../shared/delivery/deliver.ts';
import { logOutcome, publishOutcome } from '../../../shared/delivery/report.ts';

/** What Lambda's log would have: the lines on its output. */
let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  const note = (line: unknown) => {
    lines.push(JSON.parse(String(line)));
    return true;
  };
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(note);
});
afterEach(() => vi.restoreAllMocks());

const counts = {
  ...{ recordsIn: 7, delivered: 1, superseded: 2, deleted: 0, quarantined: 3, skipped: 0, failed: 1, labelEvents: 4 },
};
const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  ...{ checkpoint: undefined, completeThrough: 100, counts, rejections: [], failures: [] },
  ...more,
});

describe('the metrics of a batch', () => {
  const published = (it: Outcome, group: Parameters<typeof publishOutcome>[0] = { name: 'things' }) => {
    publishOutcome(group, it, { payload: 10, billed: 5_120 }, 160_900);
    return lines[0] as Record<string, unknown>;
  };

  test('are its counts, its lag in whole seconds, and the bytes of the change log, by feature group', () => {
    expect(published(outcome())).toMatchObject({
      ...{ feature_group: 'things', RecordsIn: 7, Delivered: 1, Superseded: 2, Deleted: 0, Quarantined: 3, Failed: 1 },
      ...{ LabelEvents: 4, WatermarkLag: 60, ChangeLogBytes: 10, ChangeLogBilledBytes: 5_120 },
    });
  });

  test('have the skipped records where the definition skips some, and cost nothing more elsewhere', () => {
    const skipping = outcome({ counts: { ...counts, skipped: 5 } });
    expect(published(skipping)).not.toHaveProperty('Skipped');
    const items = [{ attribute: 'sk', holds: 'exists' as const }];
    lines = [];
    expect(published(skipping, { name: 'things', items })).toMatchObject({ Skipped: 5 });
  });

  test('have no lag where the shard is not known to be complete', () => {
    expect(published(outcome({ completeThrough: undefined }))).not.toHaveProperty('WatermarkLag');
  });
});

describe('the log of a batch', () => {
  const rejection = (n: number) => ({
    ...{
      sequenceNumber: String(n),
      reason: 'wrong-type' as const,
      path: 'p',
      message: 'm',
      record: { secret: 'jane' },
    },
  });

  test('has no line of a batch that went well', () => {
    logOutcome(outcome());
    expect(lines).toEqual([]);
  });

  test('says what was quarantined, with five examples and none of their values', () => {
    logOutcome(outcome({ rejections: [1, 2, 3, 4, 5, 6].map(rejection) }));
    expect(lines).toMatchObject([{ message: 'Records were put into quarantine', records: 6 }]);
    expect(lines[0]?.examples).toEqual(
      [1, 2, 3, 4, 5].map((n) => ({ sequenceNumber: String(n), reason: 'wrong-type', path: 'p', message: 'm' })),
    );
    expect(JSON.stringify(lines)).not.toContain('jane');
  });

  test('says from where the batch is delivered again, with five examples of why', () => {
    const failures = [1, 2, 3, 4, 5, 6].map((n) => ({ sequenceNumber: String(n), message: 'down' }));
    logOutcome(outcome({ checkpoint: '1', failures }));
    expect(lines).toMatchObject([{ from: '1', failures: 6, examples: failures.slice(0, 5) }]);
  });
});
