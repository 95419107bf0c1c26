import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';

/** Writes orders, and then whether each one came back: `npx node docs/examples/write-orders.ts [COUNT]`. */
const count = Number(process.argv[2] ?? 500);
const dynamodb = new DynamoDBClient();

for (let n = 1; n <= count; n += 1) {
  const key = { pk: { S: `customer-${n % 50}` }, sk: { S: `order-${n}` } };
  const express = n % 4 === 0;
  await dynamodb.send(
    new PutItemCommand({
      TableName: 'orders',
      Item: {
        ...key,
        amount: { N: String((n * 37) % 200) },
        itemCount: { N: String((n % 7) + 1) },
        channel: { S: ['web', 'shop', 'phone'][n % 3] ?? 'web' },
        express: { BOOL: express },
      },
    }),
  );
  // Large orders come back more often, and so do those from the web.
  const returned = ((n * 37) % 200) + (n % 3 === 0 ? 60 : 0) + ((n * 53) % 80) > 180;
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: 'orders',
      Key: key,
      UpdateExpression: 'SET returned = :returned',
      ExpressionAttributeValues: { ':returned': { N: returned ? '1' : '0' } },
    }),
  );
}
console.log(`${count} orders written, each with its label.`);
