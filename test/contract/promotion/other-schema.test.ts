import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodingOf } from '../../../shared/model/encoding.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import { changingDefinition, otherEncoding } from '../../given/retraining/changing-definition.ts';
import { type OrdersCloud, ordersCloud } from '../../given/retraining/orders-cloud.ts';
import { statusOf } from '../../given/retraining/served-model.ts';

/** The first model of a schema against one of another that serves: on the same records, each in its own encoding. */

let definition: Awaited<ReturnType<typeof changingDefinition>>;
let orders: OrdersCloud;

beforeAll(async () => {
  definition = await changingDefinition();
  orders = await ordersCloud({ gateMinimumGain: -0.05 }, definition.path);
});

afterAll(async () => {
  await orders.close();
  await definition.close();
});

async function deploy(edit: (text: string) => string): Promise<string> {
  const group = await definition.change(edit);
  await orders.cloud.deployFunctions();
  return schemaHash(group);
}

const status = () => statusOf(orders, definition.versions.at(-1));

/** The training that a changed definition starts at once, after it has ended. */
async function trained(epoch: number) {
  await orders.retrain();
  const ended = await orders.ended(epoch);
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED' });
  const { trainings } = await status();
  return trainings.find((it: { epoch: number }) => it.epoch === epoch);
}

/** The weights of a linear model, as its training tells them. */
async function weightsOf(modelName: string) {
  const settings = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const s3 = new S3Client({ ...settings, endpoint: orders.cloud.endpoint, forcePathStyle: true });
  const Key = `training-sets/${modelName}/weights.json`;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: orders.cloud.stack.outputs.DataBucketName, Key }));
  const document: { isLinear: boolean; columns: { name: string; perDeviation: number | null }[] } = JSON.parse(
    (await Body?.transformToString()) ?? '',
  );
  return document;
}

describe('a first model of a schema', () => {
  it('is refused when its definition leaves out what tells the classes apart, and what serves goes on', async () => {
    await orders.write(0, 1_200);
    expect(await orders.ended(1)).toMatchObject({ status: 'SUCCEEDED' });
    const before = await status();
    const { isLinear, columns } = await weightsOf(before.serving.modelName);
    expect(isLinear).toBe(true);
    const weightOf = (column: string) => columns.find(({ name }) => name === column)?.perDeviation ?? 0;
    expect([weightOf('unit-price') > 0.5, weightOf('quantity') < -0.5], 'dear orders of few pieces').toEqual([
      true,
      true,
    ]);
    await deploy((text) => text.replace("attribute: 'unitPrice', min: 0", "attribute: 'unitPrice', training: false"));
    const refused = await trained(2);
    const { comparison, reason, counts } = refused;
    console.log(`refused against another schema: ${reason}`);
    expect(refused).toMatchObject({ decision: 'refuse' });
    expect(reason).toContain(`on the same ${counts.judgeRows} rows`);
    expect(comparison).toMatchObject({ rows: counts.judgeRows, best: 'champion', bestModelName: refused.modelName });
    expect(comparison.gain.high, 'certainly worse').toBeLessThan(0);
    expect((await status()).serving).toMatchObject({ modelName: before.serving.modelName });
  });

  it('is promoted when it is as good, and is the one that the next of its schema are compared with', async () => {
    const { serving } = await status();
    const hash = await deploy(otherEncoding);
    const promoted = await trained(3);
    const { comparison, reason, counts } = promoted;
    console.log(`promoted against another schema: ${reason}`);
    expect(promoted).toMatchObject({ decision: 'promote', schemaHash: hash });
    expect(reason).toContain(`on the same ${counts.judgeRows} rows`);
    expect(comparison).toMatchObject({ bestModelName: promoted.modelName, champion: { auc: expect.any(Number) } });
    const after = await status();
    expect(after.serving).toMatchObject({ modelName: promoted.modelName });
    expect(after.serving.modelName).not.toBe(serving.modelName);
  });

  it('is compared with the record of what serves, where that needs a number that is no longer defined', async () => {
    const hash = await deploy((text) =>
      text.replace(/ +'unit-price': .*\n/, '').replace('imputeWith: 1', 'imputeWith: 5'),
    );
    expect(encodingOf(definition.versions.at(-1) as never).features.map(({ name }) => name)).not.toContain(
      'unit-price',
    );
    const judged = await trained(4);
    expect(judged.schemaHash).toBe(hash);
    expect(judged.reason).toMatch(
      /^The model that serves is of another schema, and its AUC was .*The definition no longer has unit-price, which the model that serves needs\./,
    );
  });
});
