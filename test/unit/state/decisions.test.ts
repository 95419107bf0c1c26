import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readDecisions, recordDecision } from '../../../shared/state/decisions.ts';
import { markRolledBack, readEvidence, servableOf, servedBefore } from '../../../shared/state/evidence.ts';
import { evidenceKey } from '../../../shared/state/keys.ts';
import { stateTableInProcess } from '../../given/state-table.ts';

let table: Awaited<ReturnType<typeof stateTableInProcess>>;
beforeAll(async () => {
  table = await stateTableInProcess();
});
afterAll(() => table.close());

const NOW = Date.UTC(2026, 0, 15, 12);

test('decisions are read newest first, as many as are asked for, and none before the first', async () => {
  expect(await readDecisions(table, 10)).toEqual([]);
  for (const nth of [2, 1, 3])
    await recordDecision(table, { decision: 'wait', reason: `nth ${nth}` }, NOW + nth * 1_000);
  expect(await readDecisions(table, 2)).toEqual([
    { at: '2026-01-15T12:00:03.000Z', decision: 'wait', reason: 'nth 3' },
    { at: '2026-01-15T12:00:02.000Z', decision: 'wait', reason: 'nth 2' },
  ]);
});

const evidence = (epoch: number, more: object = {}) => ({
  ...{ epoch, attempt: 1, closedAt: '2026-01-15T12:00:00.000Z', decision: 'promote', reason: 'better' },
  ...{ schemaHash: 'a', modelName: `m-${epoch}`, endpointConfigName: `c-${epoch}`, ...more },
});
const keep = (epoch: number, more?: object) =>
  table.dynamodb.send(
    new PutItemCommand({ TableName: table.name, Item: marshall({ pk: evidenceKey(epoch), ...evidence(epoch, more) }) }),
  );

test('evidence is that of the last epochs, newest first, without epochs that left none', async () => {
  await keep(1);
  await keep(3, { decision: 'refuse' });
  await keep(4);
  expect((await readEvidence(table, 4)).map(({ epoch }) => epoch)).toEqual([4, 3, 1]);
  expect((await readEvidence(table, 4, 2)).map(({ epoch }) => epoch)).toEqual([4, 3]);
  expect((await readEvidence(table, 3)).map(({ epoch }) => epoch)).toEqual([3, 1]);
});

test('evidence that a read leaves unprocessed is asked for again', async () => {
  let asked = 0;
  const send = async ({ input }: { input: { RequestItems: Record<string, { Keys: object[] }> } }) => {
    const Keys = input.RequestItems.state?.Keys ?? [];
    asked += 1;
    const epoch = asked === 1 ? 2 : 1;
    return {
      Responses: { state: [marshall(evidence(epoch))] },
      UnprocessedKeys: asked === 1 ? { state: { Keys: Keys.slice(1) } } : {},
    };
  };
  const found = await readEvidence({ name: 'state', dynamodb: { send } as never }, 2);
  expect([asked, found.map(({ epoch }) => epoch)]).toEqual([2, [2, 1]]);
});

test('evidence that stays unprocessed is not taken for evidence that is not there', async () => {
  const send = async ({ input }: { input: { RequestItems: Record<string, object> } }) => ({
    ...{ Responses: { state: [] }, UnprocessedKeys: input.RequestItems },
  });
  const read = readEvidence({ name: 'state', dynamodb: { send } as never }, 2);
  await expect(read).rejects.toThrow('The evidence of 2 epochs could not be read now');
});

test('the model to go back to is the newest before, which served and was not taken back', async () => {
  await keep(5);
  await markRolledBack(table, 4, { at: '2026-01-16T00:00:00.000Z', reason: 'worse' });
  const all = await readEvidence(table, 5);
  expect(servedBefore({ epoch: 5 }, all)?.modelName).toBe('m-1');
  expect(servedBefore({ epoch: 6 }, all)?.modelName).toBe('m-5');
  expect(servedBefore({ epoch: 1 }, all)).toBeUndefined();
  await markRolledBack(table, 4, undefined);
  expect(servedBefore({ epoch: 5 }, await readEvidence(table, 5))?.modelName).toBe('m-4');
});

test('what was refused, or has no model or endpoint, serves nothing', () => {
  const of = (more: object) => servableOf({ ...evidence(1), counts: {}, ...more } as never);
  expect(of({})).toMatchObject({ epoch: 1, modelName: 'm-1' });
  expect([of({ decision: 'refuse' }), of({ modelName: undefined }), of({ endpointConfigName: undefined })]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
