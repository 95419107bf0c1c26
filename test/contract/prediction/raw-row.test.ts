import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { expect, it } from 'vitest';
import { generateCustomers } from '../../../infra/demo/customers/customers.ts';
import { itemOf } from '../../../infra/demo/customers/item.ts';
import { startCloud } from '../../../infra/local/cloud.ts';
import { endpointName } from '../../../shared/model/names.ts';
import { schemaHash } from '../../../shared/model/schema-hash.ts';
import group from '../../fixtures/feature-groups/ordinal-customers.ts';

/** A row as other clients of the endpoint send it: the features in order, categories by their numbers. */
const ROW = '34,10,2,4,1,2,1,1,6,3,190,1,3,4,3,-1.7,94.055,-39.8,0.715,4991.6';

const CUSTOMERS = 400;
/** DynamoDB takes 25 items in one BatchWriteItem. */
const BATCH = 25;

it('the endpoint takes a raw row of 20 numbers when every category is ordinal', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-raw-row-'));
  const featureGroup = new URL('../../fixtures/feature-groups/ordinal-customers.ts', import.meta.url).pathname;
  const params = {
    ...{ changeLogBufferSeconds: 1, endpointPollSeconds: 1, labelsWindowSeconds: 0, coolDownSeconds: 0 },
    ...{ labelsThreshold: CUSTOMERS, labelsPerClassMin: 0, judgeRowsPerClassMin: 1, gateFloor: 0 },
  };
  const cloud = await startCloud({ dir, port: 0, featureGroup, params });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const runtime = new SageMakerRuntimeClient({ endpoint: cloud.endpoint, region: 'us-east-1', credentials });
  try {
    const items = generateCustomers(CUSTOMERS, 1).map((customer) => ({
      PutRequest: { Item: { ...itemOf(customer, group), y: { N: customer.label } } },
    }));
    for (let from = 0; from < items.length; from += BATCH) {
      const RequestItems = { [group.table]: items.slice(from, from + BATCH) };
      await cloud.call('dynamodb', 'BatchWriteItem', { RequestItems });
    }
    await cloud.idle();
    const EndpointName = endpointName(cloud.stack.outputs.EndpointName ?? '', schemaHash(group));
    const served = async () => {
      const found = await cloud.call('sagemaker', 'DescribeEndpoint', { EndpointName }).catch(() => undefined);
      return (found as { EndpointStatus?: string } | undefined)?.EndpointStatus === 'InService';
    };
    while (!(await served())) await sleep(200);
    const { Body } = await runtime.send(
      new InvokeEndpointCommand({ EndpointName, ContentType: 'text/csv', Body: ROW }),
    );
    const answer = Buffer.from(Body ?? []).toString('utf8');
    console.log(`${ROW} -> ${answer}`);
    expect(answer).toMatch(/^\{"predictions":\[\{"score":0\.\d+,"predicted_label":[01]\.0\}\]\}$/);
  } finally {
    runtime.destroy();
    await cloud.close();
    await rm(dir, { recursive: true, force: true });
  }
});
