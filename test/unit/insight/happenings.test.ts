import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../infra/insight/live/batches.ts';
import { happenings } from '../../../infra/insight/live/happenings.ts';
import type { Look } from '../../../infra/insight/live/look.ts';
import type { Evidence } from '../../../shared/state/evidence.ts';
import type { ServingRecord } from '../../../shared/state/serving.ts';
import type { RetrainingStatus } from '../../../shared/training/status.ts';

const THRESHOLD = 100;

const batch = (counts: Partial<Batch>): Batch => ({
  ...{
    atMs: 0,
    RecordsIn: 0,
    Delivered: 0,
    Superseded: 0,
    Deleted: 0,
    Quarantined: 0,
    Skipped: 0,
    Failed: 0,
    LabelEvents: 0,
  },
  ...counts,
});

const labels = (zeros: number, ones: number) => ({ 0: zeros, 1: ones, total: zeros + ones });

const status = (changed: Partial<RetrainingStatus> = {}): RetrainingStatus => ({
  ...{ at: '', epoch: 1, labels: labels(0, 0), inFlight: null, paused: null, approval: null, serving: null },
  next: { decision: 'wait', reason: '', missing: { labels: 0, perClass: { 0: 0, 1: 0 }, notBefore: null } },
  ...{ endpoint: null, schemas: { defined: '', serving: null }, trainings: [], lastFailure: null, decisions: [] },
  check: null,
  ...(changed as object),
});

const look = (changed: Partial<RetrainingStatus> = {}, more: Partial<Look> = {}): Look => ({
  ...{ status: status(changed), state: undefined, batches: [], rejected: [] },
  ...more,
});

const texts = (before: Look | undefined, after: Look) => happenings(before, after, THRESHOLD).map(({ text }) => text);

const inFlight = { epoch: 1, attempt: 1, executionName: 'x' };
const serving = (modelName: string, rolledBack?: ServingRecord['rolledBack']) =>
  ({ modelName, ...(rolledBack && { rolledBack }) }) as ServingRecord;

describe('what happened between two looks', () => {
  it('is nothing where nothing has changed', () => {
    expect(texts(look(), look())).toEqual([]);
  });

  it('is one line for all batches, with what is not nothing of them, and the greatest lag', () => {
    const batches = [
      batch({ RecordsIn: 3, Delivered: 2, Quarantined: 1, WatermarkLag: 4 }),
      batch({ RecordsIn: 2, Delivered: 2, LabelEvents: 1, WatermarkLag: 1 }),
    ];
    expect(texts(undefined, look({}, { batches }))).toEqual([
      '2 batches of 5 records: 4 delivered, 1 in quarantine, 1 with a new label; 4 s behind',
    ]);
  });

  it('is each reason for quarantine once, with how to see more', () => {
    const example = { reason: 'wrong-type', path: 'dynamodb.NewImage.age' };
    const rejected = [{ atMs: 0, records: 2, examples: [example, example] }];
    expect(texts(undefined, look({}, { rejected }))).toEqual([
      '2 records put into quarantine: wrong-type at dynamodb.NewImage.age. See npm run redrive -- --list',
    ]);
  });

  it('is the labels at each quarter of the threshold, once', () => {
    const told = [1, 24, 25, 49, 76, 100, 130].map((count, index, all) =>
      texts(look({ labels: labels(0, all[index - 1] ?? 0) }), look({ labels: labels(0, count) })),
    );
    expect(told.map(([text]) => text?.split(' ')[0])).toEqual([
      undefined,
      undefined,
      '25',
      undefined,
      '76',
      '100',
      undefined,
    ]);
    expect(told[2]).toEqual(['25 of 100 labels of epoch 1, 0 of class 0 and 25 of class 1']);
  });

  it('begins the labels anew with an epoch', () => {
    const [text] = texts(look({ labels: labels(90, 10) }), look({ epoch: 2, labels: labels(30, 0) }));
    expect(text).toContain('30 of 100 labels of epoch 2');
  });

  it('is each state of a training that takes time, once', () => {
    const training = (state: string) => look({ inFlight }, { state });
    expect(texts(look(), training('Train'))).toEqual(['Training of epoch 1, attempt 1, trains']);
    expect(texts(training('Train'), training('Train'))).toEqual([]);
    expect(texts(training('Train'), training('IsTrained'))).toEqual([]);
  });

  it('is how an epoch ended and which model serves, or why an attempt failed', () => {
    const closed = { epoch: 1, attempt: 1, decision: 'promote', reason: 'It is better.' } as Evidence;
    expect(texts(look({ inFlight }), look({ trainings: [closed], serving: serving('m1') }))).toEqual([
      'Epoch 1 promoted: It is better.',
      'm1 serves, the first model',
    ]);
    const lastFailure = { failedAtMs: 5, epoch: 1, attempt: 1, error: 'TooFewRows', cause: 'few' };
    expect(texts(look({ inFlight }), look({ lastFailure: lastFailure as never }))).toEqual([
      'Training of epoch 1 failed: TooFewRows: few',
    ]);
  });

  it('is a rollback, a pause and its end', () => {
    const rolledBack = { at: '', from: 'm2', reason: 'worse' };
    const paused = { at: 'now', reason: 'rolled back' };
    expect(texts(look({ serving: serving('m2') }), look({ serving: serving('m1', rolledBack), paused }))).toEqual([
      'm1 serves in place of m2, rolled back: worse',
      'The loop is paused: rolled back',
    ]);
    expect(texts(look({ paused }), look())).toEqual(['The loop goes on']);
  });
});
