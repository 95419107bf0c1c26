import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { expect } from 'vitest';
import type { StreamsUnderTest } from '../../../../given/local/streams-under-test.ts';

/** How values come through. */
export function rulesOfValues({ rule, table, send, recordsOf }: StreamsUnderTest): void {
  rule('numbers keep their 38 digits', async () => {
    const { StreamArn, put } = await table();
    const exact = ['12345678901234567890123456789012345678', '0.1234567890123456789012345678901234567', '-1.5'];
    for (const [index, N] of exact.entries()) await put(`item-${index}`, { n: { N } });
    expect((await recordsOf(StreamArn)).map((it) => it.dynamodb?.NewImage?.n?.N)).toEqual(exact);
  });

  rule('trailing zeros of a number are not kept', async () => {
    const { TableName, StreamArn, put } = await table();
    await put('a', { n: { N: '1.50' } });
    const [record] = await recordsOf(StreamArn);
    const { Item } = await send(new GetItemCommand({ TableName, Key: { pk: { S: 'a' } } }));
    expect([record?.dynamodb?.NewImage?.n?.N, Item?.n?.N]).toEqual(['1.5', '1.5']);
  });

  rule('binary, sets, lists, maps, null and empty strings come through', async () => {
    const { StreamArn, put } = await table();
    const attributes: Record<string, AttributeValue> = {
      b: { B: new Uint8Array([0, 1, 254, 255]) },
      bs: { BS: [new Uint8Array([1])] },
      ns: { NS: ['1'] },
      l: { L: [{ S: 'x' }, { BOOL: false }, { M: { deep: { N: '1' } } }] },
      m: { M: { 'odd key.': { NULL: true } } },
      e: { S: '' },
    };
    await put('a', attributes);
    const [record] = await recordsOf(StreamArn);
    expect(record?.dynamodb?.NewImage).toEqual({ pk: { S: 'a' }, ...attributes });
  });
}
