import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { DynamoDBMarshalled } from '@aws-lambda-powertools/parser/helpers/dynamodb';
import { DynamoDBStreamRecord } from '@aws-lambda-powertools/parser/schemas/dynamodb';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { FirehoseClient, PutRecordCommand } from '@aws-sdk/client-firehose';
import {
  PutRecordCommand as PutFeaturesCommand,
  SageMakerFeatureStoreRuntimeClient,
} from '@aws-sdk/client-sagemaker-featurestore-runtime';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { stringify } from 'csv-stringify/sync';
import * as z from 'zod';
import { columnsOf, labelOf } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { itemSchema } from './hand-written.ts';

/**
 * A whole handler as Powertools' documentation shows one: a function for one record, called by the batch processor, which
 * writes to the online store, to Firehose and, if the item has a label, to a table under a condition. It orders nothing:
 * two changes of a second, and a batch that comes again, are left to chance.
 */
export function powertoolsHandler(endpoint: string): (event: DynamoDBStreamEvent) => Promise<unknown> {
  const settings = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const featureStore = new SageMakerFeatureStoreRuntimeClient(settings);
  const firehose = new FirehoseClient(settings);
  const dynamodb = new DynamoDBClient(settings);
  const processor = new BatchProcessor(EventType.DynamoDBStreams);
  const schema = DynamoDBStreamRecord.extend({
    dynamodb: z.object({
      NewImage: DynamoDBMarshalled(itemSchema(bankMarketing)),
      SequenceNumber: z.string(),
      ApproximateCreationDateTime: z.number(),
    }),
  });
  const names = columnsOf(bankMarketing).map(({ name }) => name);
  const identifier = bankMarketing.recordIdentifier.name;

  const handleRecord = async (record: unknown) => {
    const { eventName, dynamodb: change } = schema.parse(record);
    const item = change.NewImage as Record<string, string | number | undefined>;
    const time = new Date(change.ApproximateCreationDateTime * 1_000).toISOString();
    const Record = [identifier, ...names]
      .filter((name) => item[name] !== undefined)
      .map((name) => ({ FeatureName: name, ValueAsString: String(item[name]) }));
    Record.push({ FeatureName: bankMarketing.eventTime.name, ValueAsString: time });
    await featureStore.send(new PutFeaturesCommand({ FeatureGroupName: bankMarketing.name, Record }));
    const row = [change.SequenceNumber, eventName, time, item[identifier], ...names.map((name) => item[name])];
    const Data = Buffer.from(stringify([row]));
    await firehose.send(new PutRecordCommand({ DeliveryStreamName: 'change-log', Record: { Data } }));
    const label = item[labelOf(bankMarketing).attribute];
    if (label === undefined) return;
    await dynamodb.send(
      new PutItemCommand({
        TableName: 'state',
        Item: { pk: { S: `label#${item[identifier]}` }, label: { S: String(label) } },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  };
  const context = { getRemainingTimeInMillis: () => 120_000 } as Context;
  return (event) => processPartialResponse(event, handleRecord, processor, { context });
}
