import { describe, expect, test } from 'vitest';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import {
  championOf,
  comparableScores,
  judgeChallenger,
  withoutGoneLeader,
} from '../../../shared/promotion/challenger.ts';
import { challengersRow, rowsOfOneSchema, rowsOfTwoSchemas } from '../../../shared/promotion/judge-rows.ts';
import type { Evidence } from '../../../shared/state/evidence.ts';
import { trainingPlan } from '../../../shared/training/plan.ts';
import { accounts } from '../../given/builders.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

const serving = { epoch: 3, attempt: 1, endpointConfigName: 'c', modelName: 'm', schemaHash: 'a' };
const CHALLENGER = { schemaHash: 'a', judgeUri: 's3://data/judge/' };
const record = (more: Partial<Evidence> = {}): Evidence => ({
  ...{ epoch: 3, attempt: 1, closedAt: '2026-01-15T00:00:00.000Z', decision: 'promote', reason: '', schemaHash: 'a' },
  ...{ counts: {}, trainingImage: '1.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1' },
  comparison: { metric: 'auc', rows: 9, challenger: { auc: 0.8, logLoss: 0.3 }, bestModelName: 'best' },
  ...more,
});

describe('the champion', () => {
  test('writes its scores as its own algorithm does, whatever the challenger was trained by', () => {
    const xgboost = record({ trainingImage: '1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1' });
    const types = [[record()], [xgboost], []].map((it) => championOf(serving, it, CHALLENGER));
    expect(types.map((it) => it.contentType)).toEqual(['application/jsonlines', 'text/csv', 'application/jsonlines']);
  });

  test('keeps its own way when the algorithm becomes XGBoost and linear-learner again', () => {
    const planOf = (algorithm: string, epoch: number) => {
      const config = retrainConfig({ ...retrainEnvironment, TRAINING_ALGORITHM: algorithm });
      return trainingPlan(accounts, config, { epoch, attempt: 1 }, Date.UTC(2026, 0, 15));
    };
    const plans = ['linear-learner', 'xgboost', 'linear-learner'].map((it, index) => planOf(it, index + 1));
    expect(plans.map((it) => it.scoresContentType)).toEqual([
      'application/jsonlines',
      'text/csv',
      'application/jsonlines',
    ]);
    const champions = plans.slice(0, -1).map(({ trainingImage, schemaHash, modelName }, index) => {
      const champion = { ...serving, schemaHash, modelName };
      return championOf(champion, [record({ trainingImage, schemaHash })], plans[index + 1] ?? CHALLENGER);
    });
    expect(champions).toMatchObject([
      { found: true, modelName: plans[0]?.modelName, contentType: 'application/jsonlines' },
      { found: true, modelName: plans[1]?.modelName, contentType: 'text/csv' },
    ]);
  });

  test('brings along the best that has served, with its own way to write scores, unless it is that itself', () => {
    const trainingImage = '1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1';
    const best = record({ epoch: 1, modelName: 'best', trainingImage });
    const leader = (evidence: readonly Evidence[]) => championOf(serving, evidence, CHALLENGER).leader;
    expect(leader([record(), best])).toEqual({ found: true, modelName: 'best', contentType: 'text/csv' });
    const none = { found: false, modelName: null, contentType: null };
    expect(leader([record()])).toEqual(none);
    expect(leader([record({ modelName: 'm', comparison: undefined }), best])).toEqual(none);
    const itself = { metric: 'auc', rows: 9, challenger: { auc: 0.8, logLoss: 0.3 }, bestModelName: 'm' };
    expect(leader([record({ modelName: 'm', comparison: itself }), best])).toEqual(none);
  });

  test('is all there is when the best model is gone', async () => {
    const champion = championOf(serving, [record(), record({ epoch: 1, modelName: 'best' })], CHALLENGER);
    const answering = (answer: () => object) => ({ send: async () => answer() }) as never;
    expect(
      await withoutGoneLeader(
        answering(() => ({})),
        champion,
      ),
    ).toEqual(champion);
    const gone = answering(() => {
      throw new Error('Could not find model "arn:aws:sagemaker:us-east-1:1:model/best".');
    });
    expect((await withoutGoneLeader(gone, champion)).leader.found).toBe(false);
    const denied = answering(() => {
      throw new Error('AccessDenied');
    });
    await expect(withoutGoneLeader(denied, champion)).rejects.toThrow('AccessDenied');
  });

  test('of another schema scores rows that are encoded for both, and no former model does', () => {
    const other = { ...CHALLENGER, schemaHash: 'b' };
    const shared = rowsOfTwoSchemas('s3://data/shared/', { challenger: 3, champion: 2 });
    const best = record({ epoch: 1, modelName: 'best' });
    const none = { found: false, modelName: null, contentType: null };
    expect(championOf(serving, [record(), best], other, shared)).toEqual({
      ...{ found: true, modelName: 'm', contentType: 'application/jsonlines' },
      ...{ incumbent: { auc: 0.8 }, leader: none, rows: shared },
    });
    const unreadable = championOf(serving, [record()], other, 'Its encoding is gone.');
    const rows = rowsOfOneSchema('s3://data/judge/');
    expect(unreadable).toEqual({
      ...{ ...none, leader: none, rows },
      incumbent: { auc: 0.8, unreadable: 'Its encoding is gone.' },
    });
  });

  test('is none before the first model', () => {
    expect(championOf(undefined, [], CHALLENGER)).toMatchObject({ found: false });
  });
});

describe('a challenger of a new schema', () => {
  const shared = rowsOfTwoSchemas('s3://data/shared/', { challenger: 3, champion: 2 });
  const champion = { modelName: 'm', incumbent: { auc: 0.9 }, leader: { found: false, modelName: null }, rows: shared };
  const policy = { metric: 'auc', minimumGain: -0.02, confidence: 95, floor: 0.6 } as const;
  /** Rows of both classes in turn, and scores that rank the first `wrong` of them upside down. */
  const labels = Uint8Array.from({ length: 400 }, (_, row) => row % 2);
  const scored = (wrong: number) =>
    Float64Array.from(labels, (label, row) => (row < wrong ? 1 - label : label) * 0.8 + (row % 7) / 70);

  test('takes its fields of a row, and the champion those of its own', () => {
    // No slice has an end: whether that is in it, AWS's pages say differently.
    expect(shared).toMatchObject({ challengerFields: '$[3:]', championFields: '$[4:]' });
    expect(rowsOfTwoSchemas('', { challenger: 2, champion: 3 }).challengerFields).toBe('$[4:]');
    expect(challengersRow('1,0,12,7,8,9', shared)).toBe('7,8,9');
    expect(challengersRow('1,7,8,9', rowsOfOneSchema(''))).toBe('7,8,9');
  });

  test('is refused when it is worse than what serves, on the rows that both can read', () => {
    // The champion is right wherever it can read, and its scores of the other rows count for nothing.
    const readable = Uint8Array.from(labels, (_, row) => Number(row >= 100));
    const all = { labels, readable, challenger: scored(200), champion: scored(100) };
    const { scores, unreadable } = comparableScores(all, 10);
    expect(unreadable).toBeUndefined();
    const verdict = judgeChallenger(scores, 'new', champion, policy);
    expect(verdict).toMatchObject({
      decision: 'refuse',
      comparison: { rows: 300, champion: { auc: 1 }, best: 'champion', bestModelName: 'new' },
    });
    expect(verdict.reason).toContain('on the same 300 rows');
    const better = judgeChallenger(
      comparableScores({ ...all, challenger: scored(0) }, 10).scores,
      'new',
      champion,
      policy,
    );
    expect(better).toMatchObject({ decision: 'promote', comparison: { gain: { value: 0 } } });
  });

  test.each([
    [0, 'The model that serves can read 0 of the 400 rows: 0 of class 1, 0 of class 0.'],
    [19, 'The model that serves can read 19 of the 400 rows: 10 of class 1, 9 of class 0.'],
  ])('is compared with the record of what serves, where that can read too little: %i rows', (count, reason) => {
    const readable = Uint8Array.from(labels, (_, row) => Number(row >= labels.length - count));
    const found = comparableScores({ labels, readable, challenger: scored(0), champion: scored(0) }, 10);
    expect(found).toMatchObject({ unreadable: reason, scores: { champion: undefined } });
    expect(found.scores.labels).toHaveLength(400);
    const incumbent = { auc: 0.9, unreadable: found.unreadable };
    const verdict = judgeChallenger(found.scores, 'new', { ...champion, incumbent }, policy);
    expect(verdict.decision).toBe('promote');
    expect(verdict.reason).toContain(`its AUC was 0.9000`);
    expect(verdict.reason.endsWith(reason)).toBe(true);
  });
});
