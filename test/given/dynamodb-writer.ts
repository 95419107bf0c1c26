/** Writes pairs of items by transactions into the folder it is given, tells its parent of each, and never ends. */
import { openEmbedded } from './local/embedded-dynamodb.ts';

const [dir] = process.argv.slice(2);
const TableName = 'written';
const dynamodb = await openEmbedded(dir);
process.send?.({ created: await dynamodb.createTable(TableName) });

async function write(writer: number): Promise<never> {
  for (let number = 0; ; number++) {
    const id = `${writer}-${number}`;
    const item = (half: string) => ({ Put: { TableName, Item: { pk: { S: `${id}/${half}` } } } });
    await dynamodb.run('TransactWriteItems', { TransactItems: [item('left'), item('right')] });
    process.send?.({ acknowledged: id });
  }
}
await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
