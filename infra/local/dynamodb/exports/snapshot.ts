import type { Actions } from '../engine/action.ts';
import { TABLE_NAME } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import { tableNamed } from '../tables/create-table.ts';

/** What an export asks the engine for: no client can call it. */
export const SNAPSHOT_OPERATION = 'SnapshotForExport';

/** All items of a table at one moment. */
export interface TableSnapshot {
  readonly tableId: string;
  readonly bytes: number;
  /** Each item as JSON, in the order of the keys' hashes. */
  readonly items: readonly string[];
}

/** Takes all items of a table at once, so that none is of another moment. */
export function snapshotOperations(store: Store): Actions {
  return {
    [SNAPSHOT_OPERATION]: {
      rules: { types: { TableName: TABLE_NAME } },
      run: ({ TableName }: { TableName: string }): TableSnapshot => {
        const { space, description } = tableNamed(store, TableName);
        const rows = store.db.prepare('SELECT item FROM items WHERE space = ? ORDER BY key').all(space);
        const tableId = String(description.TableId ?? '');
        return { tableId, bytes: store.size(space).bytes, items: rows.map(({ item }) => String(item)) };
      },
    },
  };
}
