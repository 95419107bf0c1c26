import { describe, expect, test } from 'vitest';
import { championOf } from '../../../shared/promotion/challenger.ts';
import type { Evidence } from '../../../shared/state/evidence.ts';

const serving = { epoch: 3, attempt: 1, endpointConfigName: 'c', modelName: 'm', schemaHash: 'a' };
const record = (more: Partial<Evidence> = {}): Evidence => ({
  ...{ epoch: 3, attempt: 1, closedAt: '2026-01-15T00:00:00.000Z', decision: 'promote', reason: '', schemaHash: 'a' },
  ...{ counts: {}, trainingImage: '1.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1' },
  comparison: { metric: 'auc', rows: 9, challenger: { auc: 0.8, logLoss: 0.3 }, behindBest: -0.01 },
  ...more,
});

describe('the champion', () => {
  test('writes its scores as its own algorithm does, whatever the challenger was trained by', () => {
    const xgboost = record({ trainingImage: '1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1' });
    const types = [record(), xgboost, undefined].map((it) => championOf(serving, it, { schemaHash: 'a' }, 'auc'));
    expect(types.map((it) => it.contentType)).toEqual(['application/jsonlines', 'text/csv', 'application/jsonlines']);
  });

  test('brings along how far it is below the best, if that was measured by the same metric', () => {
    const behind = (metric: 'auc' | 'log_loss') => championOf(serving, record(), { schemaHash: 'a' }, metric).incumbent;
    expect(behind('auc')).toEqual({ behindBest: -0.01 });
    expect(behind('log_loss')).toEqual({ behindBest: undefined });
  });

  test('of another schema scores nothing, and is compared by its record', () => {
    const found = championOf(serving, record(), { schemaHash: 'b' }, 'auc');
    expect(found).toEqual({ found: false, modelName: null, contentType: null, incumbent: { auc: 0.8 } });
  });

  test('is none before the first model', () => {
    expect(championOf(undefined, undefined, { schemaHash: 'a' }, 'auc')).toMatchObject({ found: false });
  });
});
