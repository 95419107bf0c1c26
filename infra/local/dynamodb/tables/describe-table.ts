import type { Store } from '../engine/store.ts';
import type { IndexDescription, Table, TableDescription } from '../engine/table.ts';

/** A table as DescribeTable answers it: its description, its sizes and its stream. AWS's sizes are hours old. */
export function described(store: Store, table: Table): TableDescription {
  const { description } = table;
  const { count, bytes } = store.size(table.space);
  const stream = store.streams.enabledOn(description.TableName);
  const sized = (indexes: readonly IndexDescription[]) =>
    indexes.map((it) => {
      const space = table.indexes.find((index) => index.description === it)?.space ?? 0;
      const size = store.size(space);
      return { ...it, ItemCount: size.count, IndexSizeBytes: size.bytes };
    });
  const { GlobalSecondaryIndexes: globals, LocalSecondaryIndexes: locals } = description;
  return {
    DeletionProtectionEnabled: false,
    ...description,
    ItemCount: count,
    TableSizeBytes: bytes,
    ...(globals && { GlobalSecondaryIndexes: sized(globals) }),
    ...(locals && { LocalSecondaryIndexes: sized(locals) }),
    ...(stream && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType },
      LatestStreamArn: stream.arn,
      LatestStreamLabel: stream.label,
    }),
  };
}
