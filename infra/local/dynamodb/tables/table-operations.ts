import type { Actions } from '../engine/action.ts';
import { invalid, validationOf } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import { createTableAction, inStatus, tableNamed } from './create-table.ts';
import { described } from './describe-table.ts';
import { updateTableAction } from './update-table.ts';

/** Most names ListTables answers. Source: its API reference. */
const NAMES_MAX = 100;

/** Operations on tables. Each is done when it answers. */
export function tableOperations(store: Store): Actions {
  return {
    CreateTable: createTableAction(store),
    UpdateTable: updateTableAction(store),
    DescribeTable: {
      rules: validationOf('DescribeTable'),
      run: ({ TableName }: { TableName: string }) => ({ Table: described(store, tableNamed(store, TableName)) }),
    },
    DeleteTable: {
      rules: validationOf('DeleteTable'),
      run: ({ TableName }: { TableName: string }) => deleteTable(store, TableName),
    },
    ListTables: { rules: validationOf('ListTables'), run: (data: ListTables) => listTables(store, data) },
  };
}

function deleteTable(store: Store, name: string): object {
  const table = tableNamed(store, name);
  if (table.description.DeletionProtectionEnabled) {
    throw invalid(
      'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
    );
  }
  const answer = { TableDescription: inStatus(described(store, table), 'DELETING', 'DELETING') };
  store.streams.disable(table.description.TableName);
  store.drop(table);
  return answer;
}

interface ListTables {
  ExclusiveStartTableName?: string;
  Limit?: number;
}

function listTables(store: Store, { ExclusiveStartTableName: start, Limit = NAMES_MAX }: ListTables): object {
  const names = store.names().filter((name) => start === undefined || name > start);
  const page = names.slice(0, Limit);
  return { TableNames: page, ...(names.length > page.length && { LastEvaluatedTableName: page.at(-1) }) };
}
