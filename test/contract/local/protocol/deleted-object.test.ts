import { rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import orders from '../../../fixtures/feature-groups/orders.ts';
import { localAthena } from '../../../given/local/local-athena.ts';

test('an object that is deleted while a query loads it fails the query, and nothing else', async () => {
  const athena = await localAthena();
  const { objects } = athena;
  try {
    athena.createTables(orders, 'shop');
    const row = `1,INSERT,2026-01-02T00:00:00.000Z,false,x${',\\N'.repeat(8)}\n`;
    for (const name of ['a.gz', 'b.gz']) await objects.put('data', `change-log/dt=2026-01-02/${name}`, gzipSync(row));
    const path = objects.path.bind(objects);
    // The first look is the listing's; gone before the second, it is opened in vain.
    let looks = 0;
    objects.path = (bucket, key) => {
      if (key.endsWith('b.gz') && ++looks > 1) rmSync(path(bucket, key), { force: true });
      return path(bucket, key);
    };
    await expect(athena.run('SELECT count(*) FROM shop.change_log')).rejects.toThrow(/ENOENT|no longer|not exist/);
    objects.path = path;
    expect(await athena.firstRow('SELECT count(*) AS rows FROM shop.change_log')).toEqual({ rows: '1' });
  } finally {
    await athena.close();
  }
});
