import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimEpoch, closeEpoch, readEpochState, reopenEpoch } from '../../../shared/state/epochs.ts';
import { evidenceKey, labelKey } from '../../../shared/state/keys.ts';
import { countLabels, currentEpoch, epochLabelShard, LABEL_SHARDS } from '../../../shared/state/label-ledger.ts';
import type { Serving } from '../../../shared/state/serving.ts';
import { servingReader } from '../../../shared/state/serving.ts';
import { stateTableInProcess } from '../../given/state-table.ts';

const NOW = Date.UTC(2026, 0, 15);
const NONE = { total: 0, 0: 0, 1: 0 };

let state: Awaited<ReturnType<typeof stateTableInProcess>>;
beforeEach(async () => {
  state = await stateTableInProcess();
});
afterEach(() => state.close());

const claim = (epoch: number, attempt: number, input = `{"epoch":${epoch},"attempt":${attempt}}`) =>
  claimEpoch(state, {
    epoch,
    attempt,
    executionName: `g-epoch-${epoch}-attempt-${attempt}`,
    claimedAtMs: NOW,
    input,
  });
const reopen = (epoch: number, attempt: number, cause = 'no rows') =>
  reopenEpoch(state, { epoch, attempt, error: 'TooFewRows', cause }, NOW);
const servingOf = (epoch: number, attempt: number): Serving => ({
  epoch,
  attempt,
  endpointConfigName: `config-${epoch}-${attempt}`,
  modelName: `model-${epoch}-${attempt}`,
  schemaHash: '0123456789abcdef',
});
const close = (epoch: number, attempt: number, nowMs = NOW) =>
  closeEpoch(
    state,
    {
      epoch,
      attempt,
      serving: servingOf(epoch, attempt),
      evidence: { metrics: { auc: 0.78 }, modelArtifacts: undefined, schemaHash: '0123456789abcdef' },
    },
    nowMs,
  );
const read = () => readEpochState(state);
const serving = () => servingReader(state, () => NOW)();

async function addLabels(epoch: number, label: '0' | '1', count: number, prefix = 'c'): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const record = `${prefix}-${index}`;
    const epochShard = epochLabelShard(epoch, label, record);
    const item = marshall({ pk: labelKey(record), label, epoch, epochLabelShard: epochShard, sequenceNumber: '1' });
    await state.dynamodb.send(new PutItemCommand({ TableName: state.name, Item: item }));
  }
}

async function evidence(epoch: number) {
  const key = { pk: { S: evidenceKey(epoch) } };
  const { Item } = await state.dynamodb.send(new GetItemCommand({ TableName: state.name, Key: key }));
  return Item && unmarshall(Item);
}

describe('an epoch', () => {
  test('is the first one in an empty table', async () => {
    expect(await currentEpoch(state)).toBe(1);
    expect(await read()).toEqual({ epoch: 1 });
  });

  test('is claimed once, however many claim it at the same time', async () => {
    const inputs = Array.from({ length: 12 }, (_, index) => `{"claimant":${index}}`);
    const claims = await Promise.all(inputs.map((input) => claim(1, 1, input)));
    // All of them are told of the one training that is in flight, so whoever starts it gives the same input.
    expect(new Set(claims.map((it) => it?.input)).size).toBe(1);
    const { epoch, training } = await read();
    expect(epoch).toBe(2);
    expect(training).toEqual(claims[0]);
  });

  test('cannot be claimed while another training is in flight', async () => {
    await claim(1, 1);
    expect(await claim(2, 1)).toBeUndefined();
    expect(await read()).toMatchObject({ epoch: 2, training: { epoch: 1 } });
  });

  test('cannot be claimed by whoever still believes in an epoch that is over', async () => {
    await claim(1, 1);
    await close(1, 1);
    expect(await claim(1, 1)).toBeUndefined();
    expect(await read()).toMatchObject({ epoch: 2, lastTraining: { epoch: 1 } });
  });

  test('moves labels that arrive after the claim into the next', async () => {
    expect(await currentEpoch(state)).toBe(1);
    await claim(1, 1);
    expect(await currentEpoch(state)).toBe(2);
  });
});

describe('a failed training', () => {
  test('gives its epoch back for the next attempt and keeps the current epoch', async () => {
    await claim(1, 1);
    expect(await reopen(1, 1)).toBe(true);
    const failed = { epoch: 1, attempt: 1, failedAtMs: NOW, error: 'TooFewRows', cause: 'no rows' };
    expect(await read()).toEqual({ epoch: 2, failed, lastFailure: failed, countsAtClaim: NONE });
    expect(await claim(1, 2)).toMatchObject({ epoch: 1, attempt: 2 });
    const claimed = await read();
    expect(claimed).toMatchObject({ epoch: 2, training: { epoch: 1, attempt: 2 } });
    expect(claimed.failed).toBeUndefined();
  });

  test('keeps the labels of its epoch, and those that arrived meanwhile, each in its own set', async () => {
    await addLabels(1, '1', 3, 'before');
    await claim(1, 1);
    await addLabels(2, '0', 2, 'meanwhile');
    await reopen(1, 1);
    expect(await countLabels(state, 1)).toEqual({ total: 3, 0: 0, 1: 3 });
    expect(await countLabels(state, 2)).toEqual({ total: 2, 0: 2, 1: 0 });
  });

  test('is the only thing that may be claimed next, and only by the next attempt', async () => {
    await claim(1, 1);
    await reopen(1, 1);
    expect(await claim(2, 1)).toBeUndefined();
    expect(await claim(1, 3)).toBeUndefined();
    expect(await claim(1, 1)).toBeUndefined();
    expect(await claim(1, 2)).toBeDefined();
  });

  test('is reopened once; a late report of an earlier attempt changes nothing', async () => {
    await claim(1, 1);
    await reopen(1, 1);
    expect(await reopen(1, 1)).toBe(false);
    await claim(1, 2);
    expect(await reopen(1, 1)).toBe(false);
    expect((await read()).training).toMatchObject({ attempt: 2 });
  });

  test('keeps a bounded part of its cause', async () => {
    await claim(1, 1);
    await reopen(1, 1, 'x'.repeat(32_768));
    expect((await read()).failed?.cause).toHaveLength(1_000);
  });
});

describe('a closed epoch', () => {
  test('leaves evidence, says what serves, and frees the way for the next', async () => {
    await claim(1, 1);
    expect(await close(1, 1)).toBe(true);
    expect(await evidence(1)).toMatchObject({
      ...servingOf(1, 1),
      metrics: { auc: 0.78 },
      closedAt: '2026-01-15T00:00:00.000Z',
    });
    expect(await serving()).toEqual(servingOf(1, 1));
    expect(await read()).toEqual({
      epoch: 2,
      lastTraining: { epoch: 1, attempt: 1, finishedAtMs: NOW, schemaHash: '0123456789abcdef' },
      ...{ countsAtClaim: NONE, carried: NONE },
    });
    expect(await claim(2, 1)).toBeDefined();
  });

  test('is closed once: closing again changes nothing', async () => {
    await claim(1, 1);
    await close(1, 1);
    expect(await close(1, 1, NOW + 5_000)).toBe(false);
    expect((await read()).lastTraining?.finishedAtMs).toBe(NOW);
    expect(await evidence(1)).toMatchObject({ closedAt: '2026-01-15T00:00:00.000Z' });
  });

  test('cannot be reopened', async () => {
    await claim(1, 1);
    await close(1, 1);
    expect(await reopen(1, 1)).toBe(false);
    expect((await read()).failed).toBeUndefined();
  });

  test('closed late does not take the place of a newer model', async () => {
    await claim(1, 1);
    await close(1, 1);
    await claim(2, 1);
    await close(2, 1);
    expect(await close(1, 1)).toBe(false);
    expect(await serving()).toEqual(servingOf(2, 1));
  });
});

describe('counting labels', () => {
  test('counts each record once, by label, over all shards', async () => {
    await addLabels(1, '0', 40, 'zero');
    await addLabels(1, '1', 25, 'one');
    await addLabels(1, '1', 25, 'one');
    expect(await countLabels(state, 1)).toEqual({ total: 65, 0: 40, 1: 25 });
    const shards = new Set(Array.from({ length: 200 }, (_, index) => epochLabelShard(1, '0', `zero-${index}`)));
    expect(shards.size).toBe(LABEL_SHARDS);
  });

  test('of an epoch without labels is zero', async () => {
    expect(await countLabels(state, 7)).toEqual({ total: 0, 0: 0, 1: 0 });
  });

  test('reads every page of an index', async () => {
    const [page1, page2] = [{ Count: 3, LastEvaluatedKey: { pk: { S: 'x' } } }, { Count: 2 }];
    const asked: unknown[] = [];
    const paged = {
      send: async (command: { input: { ExclusiveStartKey?: unknown } }) => {
        asked.push(command.input.ExclusiveStartKey);
        return command.input.ExclusiveStartKey ? page2 : page1;
      },
    };
    const counts = await countLabels({ name: state.name, dynamodb: paged as unknown as typeof state.dynamodb }, 1);
    expect(counts.total).toBe(2 * LABEL_SHARDS * 5);
    expect(asked).toHaveLength(2 * LABEL_SHARDS * 2);
  });
});
