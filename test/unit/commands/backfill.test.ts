import { describe, expect, it } from 'vitest';
import { executionInputOf } from '../../../infra/commands/history/machine.ts';
import { statusText } from '../../../infra/commands/history/report.ts';
import type { BackfillRun } from '../../../shared/state/backfill/run.ts';

const DEFAULTS = { workers: 8, rate: 5_000 };

describe('npm run backfill -- --state-machine', () => {
  it('gives an execution what is asked for', () => {
    expect(executionInputOf(DEFAULTS)).toEqual({ exports: [], workers: 8, rate: 5_000, resume: false });
    expect(executionInputOf({ export: ['s3://data/exports/a'], workers: 2, rate: 10 })).toEqual({
      ...{ exports: ['s3://data/exports/a'], workers: 2, rate: 10, resume: false },
    });
    expect(executionInputOf({ ...DEFAULTS, resume: true })).toMatchObject({ resume: true });
  });

  it.each([
    ['exportTo', 'export-to'],
    ['scan', 'scan'],
    ['dataPipeline', 'data-pipeline'],
    ['csv', 'csv'],
    ['clockMargin', 'clock-margin'],
    ['dryRun', 'dry-run'],
  ])('refuses %s, which is the command’s own', (name, option) => {
    const asked = () => executionInputOf({ ...DEFAULTS, [name]: 'x' });
    expect(asked).toThrow(`--state-machine exports the table itself, or reads --export: leave --${option} out.`);
  });
});

describe('npm run backfill -- --status', () => {
  const run: BackfillRun = {
    ...{ runId: 'r1', status: 'recording', sinceMs: 0, sources: '', definition: '', firstExport: 0, nextExport: 1 },
    ...{ owner: 'somebody', leaseMs: Date.now() + 60_000, swept: 0 },
  };

  it.each([
    [run, 'under way, and somebody works on it.'],
    [{ ...run, owner: 'arn:aws:states:x:1:execution:b:e' }, 'the state machine works on it: arn:aws:states:x:1:exec'],
    [{ ...run, leaseMs: 0 }, 'under way, and nobody works on it: --resume takes it up.'],
    [{ ...run, status: 'done' as const, endedMs: 60_000 }, 'done at 1970-01-01T00:01:00.000Z.'],
  ])('says how a backfill stands', (it, text) => {
    expect(statusText(it)).toContain(text);
    expect(statusText({ ...run, owner: 'arn:e' }, '5 rows')).toContain(
      'the state machine works on it (5 rows): arn:e.',
    );
  });
});
