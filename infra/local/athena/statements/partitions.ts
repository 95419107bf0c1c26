import type { ObjectStore } from '../../storage/object-store.ts';
import type { Table } from '../catalog.ts';
import { isData, partitionOfKey } from '../tables/table-loader.ts';

/**
 * Partitions that Glue lists, as `key=value/key=value`. Of a table with partition projection Glue lists none: Athena
 * works them out.
 */
export async function partitionsOf(table: Table, objects: ObjectStore): Promise<string[]> {
  const values = await partitionValues(table, objects);
  return values.map((partition) =>
    table.partitionKeys.map(({ name }, index) => `${name}=${partition[index]}`).join('/'),
  );
}

/** Values of the partition keys of the partitions that Glue lists. */
export async function partitionValues(table: Table, objects: ObjectStore): Promise<string[][]> {
  if (!table.hasListedPartitions) return [];
  const found = new Map<string, string[]>();
  for (const object of (await objects.list(table.bucket, table.prefix)).filter(isData)) {
    const partition = partitionOfKey(table, object.key);
    if (!partition) continue;
    const values = table.partitionKeys.map(({ name }) => partition[name] ?? '');
    found.set(JSON.stringify(values), values);
  }
  return [...found.values()];
}
