import { createHash } from 'node:crypto';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MEASURED } from '../../../infra/aws/cost/measured.ts';
import { changeLogRow } from '../../../shared/change-log/row.ts';
import { isChange, makeDecoder } from '../../../shared/changes/decode.ts';
import { assignEventTimes } from '../../../shared/changes/event-order.ts';
import { retrainConfig } from '../../../shared/config/retrain.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { trainingPlan } from '../../../shared/training/plan.ts';
import { eventText } from '../../bench/contestants/events.ts';
import { BUCKET, localAthena } from '../../given/local/local-athena.ts';
import { retrainEnvironment } from '../../given/retrain-environment.ts';

const RECORDS = 20_000;
const LABELED = 0.5;
const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
/** Part by which a measurement may differ from what the bill takes: the local engine is not Athena's writer. */
const TOLERANCE = 0.1;

let athena: Awaited<ReturnType<typeof localAthena>>;
beforeAll(async () => {
  athena = await localAthena();
});
afterAll(() => athena.close());

/** Names and values of an item: a number has a byte for two digits, and one more. Source: DynamoDB, item sizes. */
function itemBytes(image: Readonly<Record<string, { S?: string; N?: string; BOOL?: boolean }>>): number {
  return Object.entries(image).reduce((sum, [name, { S, N }]) => {
    const value = N === undefined ? (S?.length ?? 1) : Math.ceil(N.replace(/\D/g, '').length / 2) + 1;
    return sum + name.length + value;
  }, 0);
}

test('the bill takes the bytes of a row that the project writes and reads', async () => {
  const decode = makeDecoder(bankMarketing);
  const { Records } = JSON.parse(eventText({ records: RECORDS, labeled: LABELED })) as DynamoDBStreamEvent;
  const changes = Records.map((record) => decode(record))
    .filter(isChange)
    .map((change) => ({
      ...change,
      recordIdentifier: createHash('md5').update(change.recordIdentifier).digest('hex'),
    }));
  const text = assignEventTimes(changes, new Map(), 0)
    .map((change) => changeLogRow(bankMarketing, change))
    .join('');
  const config = retrainConfig({ ...retrainEnvironment, GLUE_DATABASE: 'bytes' });
  athena.createTables(bankMarketing, 'bytes');
  await athena.objects.put(BUCKET, `change-log/dt=${new Date(NOW - 9 * DAY_MS).toISOString().slice(0, 10)}/1`, text);
  const first = trainingPlan(bankMarketing, config, { epoch: 1, attempt: 1 }, NOW);
  await athena.run(first.snapshotQuery);
  const labeled = (await athena.run(first.countQuery)).rows;
  const next = trainingPlan(bankMarketing, config, { epoch: 1, attempt: 2 }, NOW + DAY_MS, first.snapshot);
  const images = Records.map((it) => it.dynamodb?.NewImage as Parameters<typeof itemBytes>[0]);
  const found = {
    itemBytes: images.reduce((sum, image) => sum + itemBytes(image), 0) / RECORDS,
    changeLogRowBytes: Buffer.byteLength(text) / RECORDS,
    snapshotRowBytes: (await athena.run(next.snapshotQuery)).bytes / RECORDS,
    countsRowBytes: (await athena.run(first.countQuery)).bytes / labeled,
    trainingRowBytes: (await athena.run(first.trainingSetQuery)).bytes / labeled,
  };
  for (const [name, taken] of Object.entries(MEASURED)) {
    const measured = found[name as keyof typeof found];
    expect(Math.abs(measured - taken) / measured, `${name}: ${measured.toFixed(1)}`).toBeLessThan(TOLERANCE);
  }
});
